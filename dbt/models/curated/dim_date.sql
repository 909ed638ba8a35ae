-- Every day of the calendar that questions may touch; also the time spine of the metrics.
with
days as (
    select day as date_day
    from unnest(sequence(date '2015-01-01', date_add('year', 2, date_trunc('year', current_date)), interval '1' day)) as t (day)
),

final as (
    select
        date_day,
        year(date_day) as year,
        quarter(date_day) as quarter,
        month(date_day) as month,
        year_of_week(date_day) as iso_year,
        week(date_day) as iso_week,
        day_of_week(date_day) as iso_weekday,
        format_datetime(date_day, 'EEEE') as weekday_name,
        day_of_week(date_day) in (6, 7) as is_weekend
    from days
)

select * from final
