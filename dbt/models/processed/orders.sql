-- Made from include/contracts by `python -m headrace.lake.models`; change the contract, not this file.
{{
    config(
        incremental_strategy="news",
        unique_key=["event_id"],
        meta={"replaced_when": news_come("before", arrival_columns()), "sliced_by": ["event_id"]},
        properties={"format_version": "2", "partitioning": "ARRAY['day(event_time)']"},
    )
}}

{{ one_row_per_event(ref("valid_orders"), ["event_id"], ["event_id", "event_time", "order_id", "user_id", "merchant_id", "product_id", "order_status", "quantity", "amount", "currency", "region"], "event_time") }}
