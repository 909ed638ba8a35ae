-- Made from include/contracts by `python -m headrace.lake.models`; change the contract, not this file.
{{ config(materialized="view") }}

select
    merchant_id,
    updated_at,
    merchant_name,
    category,
    country,
    region,
    currency,
    tier,
    status,
    signed_up_at,
    corrected,
    arrived_at,
    landed_at,
    origin,
    correlation_id,
    contract_version,
    source_topic,
    source_partition,
    source_offset
from {{ ref("merchants_history") }}
where is_current and not is_deleted
