-- Made from include/contracts by `python -m headrace.lake.models`; change the contract, not this file.
{{
    config(
        materialized="incremental",
        incremental_strategy="news",
        unique_key="session_id",
        on_schema_change="append_new_columns",
        properties={"format_version": "2", "partitioning": "ARRAY['day(started_at)']"},
        meta={"gone_when": "news.events = 0", "sliced_by": ["user_id"]},
    )
}}
{% set since = landed_since() %}

with
of_app_events as (
{{ sessions_of("app_events", "event_id", "user_id", "event_time", 30, "event_type", since) }}
),

final as (
    select * from of_app_events
)

select * from final
