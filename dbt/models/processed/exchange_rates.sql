-- Made from include/contracts by `python -m headrace.lake.models`; change the contract, not this file.
{{
    config(
        incremental_strategy="news",
        unique_key=["currency", "rate_date"],
        meta={"replaced_when": news_come("after", ["updated_at"] + arrival_columns()), "sliced_by": ["currency", "rate_date"]},
        properties={"format_version": "2"},
    )
}}

{{ newest_row_per(ref("valid_exchange_rates"), ["currency", "rate_date"], ["currency", "rate_date", "updated_at", "usd_rate"], "updated_at") }}
