-- Made from include/contracts by `python -m headrace.lake.models`; change the contract, not this file.
{{
    config(
        unique_key=["customer_id", "updated_at"],
        meta={"sliced_by": ["customer_id"]},
        properties={"format_version": "2"},
    )
}}

{{ states_of(ref("valid_customers"), source("raw", "customers"), "customer_id", ["customer_id", "updated_at", "customer_name", "email", "country", "region", "segment", "signed_up_at"], "updated_at") }}
