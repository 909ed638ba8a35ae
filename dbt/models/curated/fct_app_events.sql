{{
    config(
        materialized="incremental",
        incremental_strategy="news",
        unique_key="event_id",
        on_schema_change="append_new_columns",
        properties={"format_version": "2", "partitioning": "ARRAY['day(event_time)']"},
    )
}}
{% set since = landed_since() %}

with
final as (
    select
        event_id,
        event_time,
        user_id,
        event_type,
        platform,
        page,
        product_id,
        merchant_id,
        country,
        region,
        is_late,
        origin,
        arrived_at,
        landed_at
    from {{ ref("app_events") }}
    {%- if since %}
    where landed_at >= {{ since }}
    {%- endif %}
)

select * from final
