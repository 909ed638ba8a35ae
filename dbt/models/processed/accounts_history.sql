-- Made from include/contracts by `python -m headrace.lake.models`; change the contract, not this file.
{{
    config(
        unique_key=["account_id", "updated_at"],
        meta={"sliced_by": ["account_id"]},
        properties={"format_version": "2"},
    )
}}

{{ states_of(ref("valid_accounts"), source("raw", "accounts"), "account_id", ["account_id", "updated_at", "customer_id", "account_type", "account_number", "currency", "status", "opened_at"], "updated_at") }}
