-- First written by `./headrace stream apply`; yours to edit: it is not written again.
{{
    config(
        materialized="incremental",
        incremental_strategy="news",
        unique_key=["event_id"],
        on_schema_change="append_new_columns",
        properties={"format_version": "2", "partitioning": "ARRAY['day(event_time)']"},
    )
}}

select
    event_id,
    event_time,
    service,
    level,
    logger,
    host,
    request_id,
    is_late,
    origin,
    arrived_at,
    landed_at
from {{ ref("application_logs") }}
{%- if is_incremental() %}
where landed_at >= {{ landed_since() }}
{%- endif %}
