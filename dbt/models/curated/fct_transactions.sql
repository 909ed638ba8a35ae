{{
    config(
        materialized="incremental",
        incremental_strategy="merge",
        unique_key="event_id",
        on_schema_change="append_new_columns",
        properties={"format_version": "2", "partitioning": "ARRAY['day(event_time)']"},
    )
}}
{% set since = landed_since() if is_incremental() else none %}

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

select final.*
from final
{%- if since %}
left join {{ this }} as known on known.event_id = final.event_id
where known.event_id is null or known.usd_rate is distinct from final.usd_rate or known.landed_at <> final.landed_at
{%- endif %}
