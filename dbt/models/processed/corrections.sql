-- Made from include/contracts by `python -m headrace.lake.models`; change the contract, not this file.
{{ config(materialized="view", tags=["raw"]) }}

with
marked as (
    select 'accounts' as stream, cast(arrived_at as date) as arrival_day, corrected
    from {{ ref("accounts") }}
    where cardinality(corrected) > 0
    union all
    select 'app_events' as stream, cast(arrived_at as date) as arrival_day, corrected
    from {{ ref("app_events") }}
    where cardinality(corrected) > 0
    union all
    select 'application_logs' as stream, cast(arrived_at as date) as arrival_day, corrected
    from {{ ref("application_logs") }}
    where cardinality(corrected) > 0
    union all
    select 'customers' as stream, cast(arrived_at as date) as arrival_day, corrected
    from {{ ref("customers") }}
    where cardinality(corrected) > 0
    union all
    select 'exchange_rates' as stream, cast(arrived_at as date) as arrival_day, corrected
    from {{ ref("exchange_rates") }}
    where cardinality(corrected) > 0
    union all
    select 'merchants' as stream, cast(arrived_at as date) as arrival_day, corrected
    from {{ ref("merchants") }}
    where cardinality(corrected) > 0
    union all
    select 'orders' as stream, cast(arrived_at as date) as arrival_day, corrected
    from {{ ref("orders") }}
    where cardinality(corrected) > 0
    union all
    select 'payouts' as stream, cast(arrived_at as date) as arrival_day, corrected
    from {{ ref("payouts") }}
    where cardinality(corrected) > 0
    union all
    select 'products' as stream, cast(arrived_at as date) as arrival_day, corrected
    from {{ ref("products") }}
    where cardinality(corrected) > 0
    union all
    select 'sessions' as stream, cast(arrived_at as date) as arrival_day, corrected
    from {{ ref("sessions") }}
    where cardinality(corrected) > 0
    union all
    select 'transactions' as stream, cast(arrived_at as date) as arrival_day, corrected
    from {{ ref("transactions") }}
    where cardinality(corrected) > 0
),

final as (
    select marked.stream, marked.arrival_day, marks.correction, count(*) as events
    from marked
    cross join unnest(marked.corrected) as marks (correction)
    group by marked.stream, marked.arrival_day, marks.correction
)

select * from final
