{% set days = changed_days([
    (ref("fct_transactions"), "event_date"),
    (ref("fct_order_steps"), "cast(event_time as date)"),
    (ref("fct_app_events"), "cast(event_time as date)"),
    (ref("daily_exchange_rates"), "rate_date"),
]) %}

with
sold as (
    select
        event_date as date_day,
        product_id,
        count_if(transaction_type = 'purchase') as purchases,
        count(distinct if(transaction_type = 'purchase', user_id)) as buyers,
        {{ usd_of('purchase') }} as sales_usd,
        {{ usd_of('refund') }} as refunds_usd
    from {{ ref("fct_transactions") }}
    where product_id is not null and {{ in_days("event_time", days) }}
    group by event_date, product_id
),

placed as (
    select cast(event_time as date) as date_day, product_id, count(*) as orders_placed, sum(quantity) as units_ordered
    from {{ ref("fct_order_steps") }}
    where order_status = 'placed' and product_id is not null and {{ in_days("event_time", days) }}
    group by 1, 2
),

looked_at as (
    select
        cast(event_time as date) as date_day,
        product_id,
        count_if(event_type = 'page_view') as page_views,
        count_if(event_type = 'add_to_cart') as added_to_cart
    from {{ ref("fct_app_events") }}
    where product_id is not null and {{ in_days("event_time", days) }}
    group by 1, 2
),

final as (
    select
        date_day,
        product_id,
        coalesce(looked_at.page_views, 0) as page_views,
        coalesce(looked_at.added_to_cart, 0) as added_to_cart,
        coalesce(placed.orders_placed, 0) as orders_placed,
        coalesce(placed.units_ordered, 0) as units_ordered,
        coalesce(sold.purchases, 0) as purchases,
        coalesce(sold.buyers, 0) as buyers,
        coalesce(sold.sales_usd, 0) as sales_usd,
        coalesce(sold.refunds_usd, 0) as refunds_usd,
        {{ all_landed([ref("fct_transactions"), ref("fct_order_steps"), ref("fct_app_events")]) }} as landed_at
    from sold
    full join placed using (date_day, product_id)
    full join looked_at using (date_day, product_id)
)

select * from final
