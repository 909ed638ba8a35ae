-- Made from include/contracts by `python -m headrace.lake.models`; change the contract, not this file.
{{
    config(
        incremental_strategy="news",
        unique_key=["merchant_id"],
        meta={"replaced_when": news_come("after", ["updated_at"] + arrival_columns()), "sliced_by": ["merchant_id"]},
        properties={"format_version": "2"},
    )
}}

{{ newest_row_per(ref("valid_merchants"), ["merchant_id"], ["merchant_id", "updated_at", "merchant_name", "category", "country", "region", "currency", "tier", "status", "signed_up_at"], "updated_at") }}
