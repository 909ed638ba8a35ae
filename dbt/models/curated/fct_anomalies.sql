{{
    config(
        materialized="incremental",
        incremental_strategy="merge",
        unique_key="anomaly_id",
        on_schema_change="append_new_columns",
        properties={"format_version": "2", "partitioning": "ARRAY['month(opened_at)']"},
    )
}}

with
final as (
    select
        id as anomaly_id,
        opened_at,
        closed_at,
        last_at as last_unusual_at,
        state,
        scope,
        if(scope = 'user', subject) as user_id,
        if(scope = 'merchant', subject) as merchant_id,
        measure,
        unit,
        seen,
        expected,
        low as usual_low,
        high as usual_high,
        score,
        window_start,
        cast(window_minutes as bigint) as window_minutes,
        -- The sentence names the person, so it stays where persons are guarded.
        if(scope <> 'user', sentence) as sentence
    from {{ source("platform", "anomalies") }}
    {%- if is_incremental() %}
    -- An incident changes until it is closed; the known ones that are still open are read again.
    where
        opened_at >= (
            select coalesce(min(opened_at) filter (where state = 'open'), max(opened_at), timestamp '1970-01-01 00:00:00 UTC') - interval '1' hour
            from {{ this }}
        )
    {%- endif %}
)

select * from final
