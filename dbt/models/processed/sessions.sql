-- Made from include/contracts by `python -m headrace.lake.models`; change the contract, not this file.
{{
    config(
        incremental_strategy="news",
        unique_key=["session_id"],
        meta={"replaced_when": news_come("before", arrival_columns()), "sliced_by": ["session_id"]},
        properties={"format_version": "2", "partitioning": "ARRAY['day(closed_at)']"},
    )
}}

{{ one_row_per_event(ref("valid_sessions"), ["session_id"], ["session_id", "closed_at", "stream", "user_id", "started_at", "ended_at", "events", "by_type"], "closed_at") }}
