with
newest as (
    select
        order_id,
        user_id,
        merchant_id,
        product_id,
        quantity,
        amount,
        currency,
        region,
        order_status,
        event_time as status_since,
        min(event_time) over (partition by order_id) as placed_at,
        row_number() over (
            partition by order_id order by event_time desc, {{ columns_of("steps", arrival_columns()) }}
        ) as place
    from {{ ref("orders") }} as steps
),

final as (
    select
        newest.order_id,
        newest.placed_at,
        newest.user_id,
        newest.merchant_id,
        newest.product_id,
        newest.quantity,
        newest.amount,
        newest.currency,
        {{ usd_rate("rates.usd_rate", "newest.currency") }} as usd_rate,
        newest.region,
        newest.order_status,
        newest.status_since
    from newest
    {{ rate_of_day("newest", "cast(newest.placed_at as date)") }}
    where newest.place = 1
)

select * from final
