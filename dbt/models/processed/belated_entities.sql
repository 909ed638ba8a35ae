-- Made from include/contracts by `python -m headrace.lake.models`; change the contract, not this file.
{{ config(materialized="view", tags=["raw"]) }}

with
told as (
    select 'customers' as entity, customer_id as named_key, min(arrived_at) as first_at
    from {{ ref("valid_customers") }}
    group by customer_id
    union all
    select 'products' as entity, product_id as named_key, min(arrived_at) as first_at
    from {{ ref("valid_products") }}
    group by product_id
    union all
    select 'merchants' as entity, merchant_id as named_key, min(arrived_at) as first_at
    from {{ ref("valid_merchants") }}
    group by merchant_id
),

named as (
    select
        'accounts' as stream,
        'customer_id' as field,
        'customers' as entity,
        customer_id as named_key,
        arrived_at
    from {{ ref("accounts") }}
    where customer_id is not null and origin = 'stream'
    union all
    select
        'app_events' as stream,
        'user_id' as field,
        'customers' as entity,
        user_id as named_key,
        arrived_at
    from {{ ref("app_events") }}
    where user_id is not null and origin = 'stream'
    union all
    select
        'app_events' as stream,
        'product_id' as field,
        'products' as entity,
        product_id as named_key,
        arrived_at
    from {{ ref("app_events") }}
    where product_id is not null and origin = 'stream'
    union all
    select
        'app_events' as stream,
        'merchant_id' as field,
        'merchants' as entity,
        merchant_id as named_key,
        arrived_at
    from {{ ref("app_events") }}
    where merchant_id is not null and origin = 'stream'
    union all
    select
        'orders' as stream,
        'user_id' as field,
        'customers' as entity,
        user_id as named_key,
        arrived_at
    from {{ ref("orders") }}
    where user_id is not null and origin = 'stream'
    union all
    select
        'orders' as stream,
        'merchant_id' as field,
        'merchants' as entity,
        merchant_id as named_key,
        arrived_at
    from {{ ref("orders") }}
    where merchant_id is not null and origin = 'stream'
    union all
    select
        'orders' as stream,
        'product_id' as field,
        'products' as entity,
        product_id as named_key,
        arrived_at
    from {{ ref("orders") }}
    where product_id is not null and origin = 'stream'
    union all
    select
        'products' as stream,
        'merchant_id' as field,
        'merchants' as entity,
        merchant_id as named_key,
        arrived_at
    from {{ ref("products") }}
    where merchant_id is not null and origin = 'stream'
    union all
    select
        'sessions' as stream,
        'user_id' as field,
        'customers' as entity,
        user_id as named_key,
        arrived_at
    from {{ ref("sessions") }}
    where user_id is not null and origin = 'stream'
    union all
    select
        'transactions' as stream,
        'user_id' as field,
        'customers' as entity,
        user_id as named_key,
        arrived_at
    from {{ ref("transactions") }}
    where user_id is not null and origin = 'stream'
    union all
    select
        'transactions' as stream,
        'merchant_id' as field,
        'merchants' as entity,
        merchant_id as named_key,
        arrived_at
    from {{ ref("transactions") }}
    where merchant_id is not null and origin = 'stream'
    union all
    select
        'transactions' as stream,
        'product_id' as field,
        'products' as entity,
        product_id as named_key,
        arrived_at
    from {{ ref("transactions") }}
    where product_id is not null and origin = 'stream'
),

final as (
    select
        named.stream,
        named.field,
        cast(named.arrived_at as date) as arrival_day,
        count(*) as events,
        count(distinct named.named_key) as late_keys,
        max(date_diff('second', named.arrived_at, told.first_at)) as longest_wait_seconds
    from named
    inner join told on told.entity = named.entity and told.named_key = named.named_key
    where told.first_at > named.arrived_at
    group by named.stream, named.field, cast(named.arrived_at as date)
)

select * from final
