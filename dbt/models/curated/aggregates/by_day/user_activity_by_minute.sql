{{ config(properties={"format_version": "2", "partitioning": "ARRAY['day(minute_start)']"}) }}
{% set days = changed_days([
    (ref("fct_app_events"), "cast(event_time as date)"),
    (ref("fct_transactions"), "event_date"),
    (ref("daily_exchange_rates"), "rate_date"),
]) %}

with
activity as (
    select event_time, user_id, event_type, cast(null as varchar) as transaction_type, cast(null as decimal(38, 10)) as usd
    from {{ ref("fct_app_events") }}
    where {{ in_days("event_time", days) }}

    union all

    select event_time, user_id, cast(null as varchar), transaction_type, cast(amount * usd_rate as decimal(38, 10))
    from {{ ref("fct_transactions") }}
    where {{ in_days("event_time", days) }}
),

final as (
    select
        cast(date_trunc('minute', event_time) as timestamp(6) with time zone) as minute_start,
        cast(event_time as date) as date_day,
        user_id as customer_id,
        count(event_type) as app_actions,
        {%- for kind, column in [("page_view", "page_views"), ("search", "searches"), ("add_to_cart", "add_to_carts")] %}
        count_if(event_type = '{{ kind }}') as {{ column }},
        {%- endfor %}
        count(transaction_type) as transactions,
        count_if(transaction_type = 'purchase') as purchases,
        cast(coalesce(sum(usd) filter (where transaction_type = 'purchase'), 0) as decimal(38, 10)) as sales_usd,
        {{ all_landed([ref("fct_app_events"), ref("fct_transactions")]) }} as landed_at
    from activity
    group by 1, 2, 3
)

select * from final
