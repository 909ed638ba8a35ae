-- Made from include/contracts by `python -m headrace.lake.models`; change the contract, not this file.
{{ config(materialized="view") }}

select
    product_id,
    updated_at,
    merchant_id,
    product_name,
    category,
    price,
    currency,
    status,
    corrected,
    arrived_at,
    landed_at,
    origin,
    correlation_id,
    contract_version,
    source_topic,
    source_partition,
    source_offset
from {{ ref("products_history") }}
where is_current and not is_deleted
