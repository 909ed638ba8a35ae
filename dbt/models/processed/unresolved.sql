-- Made from include/contracts by `python -m headrace.lake.models`; change the contract, not this file.
{{ config(materialized="view", tags=["raw"]) }}

with
named as (
    select
        'accounts' as stream,
        'customer_id' as field,
        events.customer_id as named_key,
        cast(events.arrived_at as date) as arrival_day
    from {{ ref("accounts") }} as events
    left join {{ ref("customers_history") }} as entity on entity.is_current and entity.customer_id = events.customer_id
    where events.customer_id is not null and entity.customer_id is null
    union all
    select
        'app_events' as stream,
        'user_id' as field,
        events.user_id as named_key,
        cast(events.arrived_at as date) as arrival_day
    from {{ ref("app_events") }} as events
    left join {{ ref("customers_history") }} as entity on entity.is_current and entity.customer_id = events.user_id
    where events.user_id is not null and entity.customer_id is null
    union all
    select
        'app_events' as stream,
        'product_id' as field,
        events.product_id as named_key,
        cast(events.arrived_at as date) as arrival_day
    from {{ ref("app_events") }} as events
    left join {{ ref("products_history") }} as entity on entity.is_current and entity.product_id = events.product_id
    where events.product_id is not null and entity.product_id is null
    union all
    select
        'app_events' as stream,
        'merchant_id' as field,
        events.merchant_id as named_key,
        cast(events.arrived_at as date) as arrival_day
    from {{ ref("app_events") }} as events
    left join {{ ref("merchants_history") }} as entity on entity.is_current and entity.merchant_id = events.merchant_id
    where events.merchant_id is not null and entity.merchant_id is null
    union all
    select
        'orders' as stream,
        'user_id' as field,
        events.user_id as named_key,
        cast(events.arrived_at as date) as arrival_day
    from {{ ref("orders") }} as events
    left join {{ ref("customers_history") }} as entity on entity.is_current and entity.customer_id = events.user_id
    where events.user_id is not null and entity.customer_id is null
    union all
    select
        'orders' as stream,
        'merchant_id' as field,
        events.merchant_id as named_key,
        cast(events.arrived_at as date) as arrival_day
    from {{ ref("orders") }} as events
    left join {{ ref("merchants_history") }} as entity on entity.is_current and entity.merchant_id = events.merchant_id
    where events.merchant_id is not null and entity.merchant_id is null
    union all
    select
        'orders' as stream,
        'product_id' as field,
        events.product_id as named_key,
        cast(events.arrived_at as date) as arrival_day
    from {{ ref("orders") }} as events
    left join {{ ref("products_history") }} as entity on entity.is_current and entity.product_id = events.product_id
    where events.product_id is not null and entity.product_id is null
    union all
    select
        'products' as stream,
        'merchant_id' as field,
        events.merchant_id as named_key,
        cast(events.arrived_at as date) as arrival_day
    from {{ ref("products") }} as events
    left join {{ ref("merchants_history") }} as entity on entity.is_current and entity.merchant_id = events.merchant_id
    where events.merchant_id is not null and entity.merchant_id is null
    union all
    select
        'sessions' as stream,
        'user_id' as field,
        events.user_id as named_key,
        cast(events.arrived_at as date) as arrival_day
    from {{ ref("sessions") }} as events
    left join {{ ref("customers_history") }} as entity on entity.is_current and entity.customer_id = events.user_id
    where events.user_id is not null and entity.customer_id is null
    union all
    select
        'transactions' as stream,
        'user_id' as field,
        events.user_id as named_key,
        cast(events.arrived_at as date) as arrival_day
    from {{ ref("transactions") }} as events
    left join {{ ref("customers_history") }} as entity on entity.is_current and entity.customer_id = events.user_id
    where events.user_id is not null and entity.customer_id is null
    union all
    select
        'transactions' as stream,
        'merchant_id' as field,
        events.merchant_id as named_key,
        cast(events.arrived_at as date) as arrival_day
    from {{ ref("transactions") }} as events
    left join {{ ref("merchants_history") }} as entity on entity.is_current and entity.merchant_id = events.merchant_id
    where events.merchant_id is not null and entity.merchant_id is null
    union all
    select
        'transactions' as stream,
        'product_id' as field,
        events.product_id as named_key,
        cast(events.arrived_at as date) as arrival_day
    from {{ ref("transactions") }} as events
    left join {{ ref("products_history") }} as entity on entity.is_current and entity.product_id = events.product_id
    where events.product_id is not null and entity.product_id is null
),

final as (
    select stream, field, arrival_day, count(*) as events, count(distinct named_key) as unknown_keys
    from named
    group by stream, field, arrival_day
)

select * from final
