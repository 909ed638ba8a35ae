{# Who a person is stands in one column, so that it can be masked; what names a person otherwise is left out or hashed. #}
with
found as (
    select * from {{ source("found", "found_anomalies") }}
),

final as (
    select
        lower(to_hex(sha256(to_utf8(id)))) as anomaly_id,
        opened_at,
        scope,
        if(scope = 'user', cast(null as varchar), subject) as subject,
        if(scope = 'user', subject, cast(null as varchar)) as user_id,
        measure,
        state,
        last_at as last_unusual_at,
        closed_at,
        window_start,
        window_minutes,
        seen,
        expected,
        low as expected_low,
        high as expected_high,
        score,
        unit,
        if(scope = 'user', cast(null as varchar), sentence) as sentence
    from found
)

select * from final
