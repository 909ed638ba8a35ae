{% set days = changed_days([
    (ref("fct_transactions"), "event_date"),
    (ref("fct_order_steps"), "cast(event_time as date)"),
    (ref("daily_exchange_rates"), "rate_date"),
]) %}

with
money as (
    select
        event_date as date_day,
        region,
        count(*) as transactions,
        count_if(transaction_type = 'purchase') as purchases,
        count(distinct user_id) as active_customers,
        {{ usd_of('purchase') }} as sales_usd,
        {{ usd_of('refund') }} as refunds_usd
    from {{ ref("fct_transactions") }}
    where {{ in_days("event_time", days) }}
    group by event_date, region
),

placed as (
    select
        cast(event_time as date) as date_day,
        region,
        count(*) as orders_placed,
        cast(sum(amount * usd_rate) as decimal(38, 10)) as order_value_usd
    from {{ ref("fct_order_steps") }}
    where order_status = 'placed' and {{ in_days("event_time", days) }}
    group by 1, 2
),

final as (
    select
        coalesce(money.date_day, placed.date_day) as date_day,
        coalesce(money.region, placed.region) as region,
        coalesce(money.transactions, 0) as transactions,
        coalesce(money.purchases, 0) as purchases,
        coalesce(money.active_customers, 0) as active_customers,
        coalesce(money.sales_usd, 0) as sales_usd,
        coalesce(money.refunds_usd, 0) as refunds_usd,
        coalesce(placed.orders_placed, 0) as orders_placed,
        coalesce(placed.order_value_usd, 0) as order_value_usd,
        {{ all_landed([ref("fct_transactions"), ref("fct_order_steps")]) }} as landed_at
    from money
    full join placed on placed.date_day = money.date_day and placed.region = money.region
)

select * from final
