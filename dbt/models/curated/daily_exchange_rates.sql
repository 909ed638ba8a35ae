-- A day without a rate of its own takes the newest one before it; days before the first take the first, so that no
-- amount is left out of a figure for want of a rate.
with
known as (
    select
        currency,
        usd_rate,
        landed_at,
        rate_date as known_on,
        row_number() over (partition by currency order by rate_date) as place,
        lead(rate_date) over (partition by currency order by rate_date) as replaced_on
    from {{ ref("exchange_rates") }}
),

first_day as (
    select
        least(
            coalesce((select min(rate_date) from {{ ref("exchange_rates") }}), current_date),
            coalesce(cast({{ earliest(ref("transactions"), "event_time") }} as date), current_date),
            coalesce(cast({{ earliest(ref("orders"), "event_time") }} as date), current_date)
        ) as date_day
),

final as (
    select
        calendar.date_day as rate_date,
        known.currency,
        known.usd_rate,
        known.known_on,
        known.landed_at
    from {{ ref("dim_date") }} as calendar
    inner join first_day on calendar.date_day >= first_day.date_day
    inner join known
        on (known.place = 1 or calendar.date_day >= known.known_on)
        and (known.replaced_on is null or calendar.date_day < known.replaced_on)
    where calendar.date_day <= date_add('day', 1, current_date)
)

select * from final
