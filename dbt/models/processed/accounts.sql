-- Made from include/contracts by `python -m headrace.lake.models`; change the contract, not this file.
{{ config(materialized="view") }}

select
    account_id,
    updated_at,
    customer_id,
    account_type,
    account_number,
    currency,
    status,
    opened_at,
    corrected,
    arrived_at,
    landed_at,
    origin,
    correlation_id,
    contract_version,
    source_topic,
    source_partition,
    source_offset
from {{ ref("accounts_history") }}
where is_current and not is_deleted
