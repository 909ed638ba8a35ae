-- Made from include/contracts by `python -m headrace.lake.models`; change the contract, not this file.
{{
    config(
        unique_key=["merchant_id", "updated_at"],
        meta={"sliced_by": ["merchant_id"]},
        properties={"format_version": "2"},
    )
}}

{{ states_of(ref("valid_merchants"), source("raw", "merchants"), "merchant_id", ["merchant_id", "updated_at", "merchant_name", "category", "country", "region", "currency", "tier", "status", "signed_up_at"], "updated_at") }}
