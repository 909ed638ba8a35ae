{{
    config(
        materialized="incremental",
        incremental_strategy="merge",
        unique_key="order_id",
        on_schema_change="append_new_columns",
        meta={"sliced_by": ["order_id"]},
        properties={"format_version": "2", "partitioning": "ARRAY['day(placed_at)']"},
    )
}}
{% set since = landed_since() %}

with
{%- if since %}
news as (
    select order_id from {{ ref("orders") }} where landed_at >= {{ since }}
    union
    select known.order_id
    from {{ this }} as known
    {{ rate_of_day("known", "cast(known.placed_at as date)") }}
    where rates.landed_at >= {{ since }}
),
{%- endif %}

steps as (
    select *
    from {{ ref("orders") }}
    {%- if since %}
    -- An order that something is told of is made anew of all its steps.
    where order_id in (select order_id from news)
    {%- endif %}
),

newest as (
    select
        steps.*,
        min(event_time) over (partition by order_id) as placed_at,
        max(landed_at) over (partition by order_id) as newest_landed,
        row_number() over (
            partition by order_id order by event_time desc, {{ columns_of("steps", arrival_columns()) }}
        ) as place
    from steps
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
        newest.event_time as status_since,
        newest.newest_landed as landed_at
    from newest
    {{ rate_of_day("newest", "cast(newest.placed_at as date)") }}
    where newest.place = 1
)

select * from final
