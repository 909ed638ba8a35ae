-- Made from include/contracts by `python -m headrace.lake.models`; change the contract, not this file.
{{
    config(
        incremental_strategy="news",
        unique_key=["event_id"],
        meta={"replaced_when": news_come("before", arrival_columns()), "sliced_by": ["event_id"]},
        properties={"format_version": "2", "partitioning": "ARRAY['day(event_time)']"},
    )
}}

{{ one_row_per_event(ref("valid_application_logs"), ["event_id"], ["event_id", "event_time", "service", "level", "message", "logger", "host", "request_id", "exception"], "event_time") }}
