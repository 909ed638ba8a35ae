{{
    config(
        materialized="incremental",
        incremental_strategy="news",
        unique_key="event_id",
        on_schema_change="append_new_columns",
        properties={"format_version": "2", "partitioning": "ARRAY['day(event_time)']"},
    )
}}
{% set since = landed_since() %}

with
rated as (
    {{- rated_since(ref("orders"), since) }}
),

final as (
    select
        rated.event_id,
        rated.event_time,
        rated.order_id,
        rated.user_id,
        rated.merchant_id,
        rated.product_id,
        rated.order_status,
        rated.quantity,
        rated.amount,
        rated.currency,
        {{ usd_rate("rated.usd_rate", "rated.currency") }} as usd_rate,
        rated.region,
        rated.is_late,
        rated.origin,
        rated.arrived_at,
        rated.landed_at
    from rated
)

select * from final
