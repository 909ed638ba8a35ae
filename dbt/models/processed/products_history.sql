-- Made from include/contracts by `python -m headrace.lake.models`; change the contract, not this file.
{{
    config(
        unique_key=["product_id", "updated_at"],
        meta={"sliced_by": ["product_id"]},
        properties={"format_version": "2"},
    )
}}

{{ states_of(ref("valid_products"), source("raw", "products"), "product_id", ["product_id", "updated_at", "merchant_id", "product_name", "category", "price", "currency", "status"], "updated_at") }}
