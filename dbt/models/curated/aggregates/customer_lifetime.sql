{{
    config(
        materialized="incremental",
        incremental_strategy="merge",
        unique_key="customer_id",
        on_schema_change="append_new_columns",
        properties={"format_version": "2"},
    )
}}
{% set since = landed_since() %}

with
days as (
    select *
    from {{ ref("customer_day") }}
    {%- if since %}
    where customer_id in (select customer_id from {{ ref("customer_day") }} where landed_at >= {{ since }})
    {%- endif %}
),

final as (
    select
        customer_id,
        min(date_day) as first_seen_on,
        max(date_day) as last_seen_on,
        count(*) as active_days,
        min(date_day) filter (where purchases > 0) as first_purchase_on,
        max(date_day) filter (where purchases > 0) as last_purchase_on,
        cast(sum(purchases) as bigint) as purchases,
        cast(sum(orders_placed) as bigint) as orders_placed,
        cast(sum(sales_usd) as decimal(38, 10)) as sales_usd,
        cast(sum(refunds_usd) as decimal(38, 10)) as refunds_usd,
        cast(sum(sales_usd) - sum(refunds_usd) as decimal(38, 10)) as lifetime_value_usd,
        max(landed_at) as landed_at
    from days
    group by customer_id
)

select * from final
