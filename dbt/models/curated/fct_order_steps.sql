with
final as (
    select
        steps.event_id,
        steps.event_time,
        steps.order_id,
        steps.user_id,
        steps.merchant_id,
        steps.product_id,
        steps.order_status,
        steps.quantity,
        steps.amount,
        steps.currency,
        {{ usd_rate("rates.usd_rate", "steps.currency") }} as usd_rate,
        steps.region,
        steps.is_late,
        steps.origin,
        steps.arrived_at,
        steps.landed_at
    from {{ ref("orders") }} as steps
    {{ rate_of_day("steps", "cast(steps.event_time as date)") }}
)

select * from final
