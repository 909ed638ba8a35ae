{% set days = changed_days([
    (ref("fct_transactions"), "event_date"),
    (ref("fct_order_steps"), "cast(event_time as date)"),
    (ref("fct_app_events"), "cast(event_time as date)"),
    (ref("daily_exchange_rates"), "rate_date"),
]) %}

with
money as (
    select
        event_date as date_day,
        user_id as customer_id,
        count(*) as transactions,
        count_if(transaction_type = 'purchase') as purchases,
        {{ usd_of('purchase') }} as sales_usd,
        {{ usd_of('refund') }} as refunds_usd
    from {{ ref("fct_transactions") }}
    where {{ in_days("event_time", days) }}
    group by event_date, user_id
),

placed as (
    select cast(event_time as date) as date_day, user_id as customer_id, count(*) as orders_placed
    from {{ ref("fct_order_steps") }}
    where order_status = 'placed' and {{ in_days("event_time", days) }}
    group by 1, 2
),

moved as (
    select cast(event_time as date) as date_day, user_id as customer_id, count(*) as app_actions
    from {{ ref("fct_app_events") }}
    where {{ in_days("event_time", days) }}
    group by 1, 2
),

final as (
    select
        date_day,
        customer_id,
        coalesce(money.transactions, 0) as transactions,
        coalesce(money.purchases, 0) as purchases,
        coalesce(placed.orders_placed, 0) as orders_placed,
        coalesce(moved.app_actions, 0) as app_actions,
        coalesce(money.sales_usd, 0) as sales_usd,
        coalesce(money.refunds_usd, 0) as refunds_usd,
        {{ all_landed([ref("fct_transactions"), ref("fct_order_steps"), ref("fct_app_events")]) }} as landed_at
    from money
    full join placed using (date_day, customer_id)
    full join moved using (date_day, customer_id)
)

select * from final
