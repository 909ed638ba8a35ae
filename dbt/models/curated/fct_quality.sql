with
found as (
    select * from {{ source("found", "found_quality") }}
),

final as (
    select
        table_name,
        day as date_day,
        figure,
        good,
        counted,
        cast(if(counted > 0, good * decimal '100.0000' / counted) as decimal(7, 4)) as percent,
        threshold as threshold_percent,
        measured_at
    from found
)

select * from final
