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
    {{- rated_since(ref("transactions"), since) }}
),

final as (
    select
        rated.event_id,
        rated.event_time,
        cast(rated.event_time as date) as event_date,
        rated.user_id,
        rated.merchant_id,
        rated.product_id,
        rated.order_id,
        rated.refund_of,
        rated.transaction_type,
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
