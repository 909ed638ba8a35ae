{% set days = changed_days([
    (ref("fct_app_events"), "cast(event_time as date)"),
]) %}

with
firsts as (
    select
        cast(event_time as date) as date_day,
        region,
        platform,
        user_id,
        min(if(event_type in ('page_view', 'search'), event_time)) as looked_at,
        array_agg(event_time) filter (where event_type = 'add_to_cart') as added,
        array_agg(event_time) filter (where event_type = 'purchase') as bought
    from {{ ref("fct_app_events") }}
    where {{ in_days("event_time", days) }}
    group by 1, 2, 3, 4
),

added as (
    select firsts.*, array_min(filter(firsts.added, moment -> moment >= firsts.looked_at)) as added_at
    from firsts
),

final as (
    select
        date_day,
        region,
        platform,
        count(*) as visitors,
        count(looked_at) as visitors_looking,
        count(added_at) as visitors_adding,
        count_if(any_match(bought, moment -> moment >= added_at)) as visitors_buying,
        {{ all_landed([ref("fct_app_events")]) }} as landed_at
    from added
    group by date_day, region, platform
)

select * from final
