-- Made from the measures of the semantic model by `python -m headrace.semantics.minute_model`; change those.
{{
    config(
        materialized="incremental",
        incremental_strategy="replaced",
        unique_key="window_start",
        on_schema_change="append_new_columns",
        meta={"sliced_by": ["window_start"]},
        properties={"format_version": "2", "partitioning": "ARRAY['day(window_start)']"},
    )
}}
{% set since = landed_since() %}
{% set days = changed_days([(ref("fct_transactions"), "cast(event_time as date)")], since) %}

with
events as (
    select *, from_unixtime(floor(to_unixtime(event_time) / 60) * 60, 'UTC') as window_start
    from {{ ref("fct_transactions") }}
    where {{ in_days("event_time", days) }}
),

changed as (
    select *
    from events
    {%- if since %}
    -- Windows that something landed in are made anew, whole.
    where window_start in (select window_start from events where landed_at >= {{ since }})
    {%- endif %}
),

final as (
    select
        cast(window_start as timestamp(6) with time zone) as window_start,
        merchant_id,
        transaction_type,
        currency,
        region,
        origin,
        is_late,
        count(*) as n,
        cast(count(1) as bigint) as "count",
        cast(max(amount) as decimal(18,2)) as "max_amount",
        cast(min(amount) as decimal(18,2)) as "min_amount",
        cast(sum(amount) as decimal(38,2)) as "sum_amount",
        max(landed_at) as landed_at
    from changed
    group by window_start, merchant_id, transaction_type, currency, region, origin, is_late
)

select * from final
