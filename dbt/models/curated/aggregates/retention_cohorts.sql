-- Made whole each time: a belated purchase can move a customer into an earlier cohort, and all of its weeks with it.
with
buying as (
    select customer_id, cast(date_trunc('week', date_day) as date) as week, sum(sales_usd) as sales_usd
    from {{ ref("customer_day") }}
    where purchases > 0
    group by 1, 2
),

members as (
    select customer_id, min(week) as cohort_week from buying group by customer_id
),

cohorts as (
    select cohort_week, count(*) as customers from members group by cohort_week
),

weeks as (
    select distinct week from buying
),

newest as (
    select max(date_day) as newest_day from {{ ref("customer_day") }}
),

returned as (
    select members.cohort_week, buying.week, count(*) as customers, sum(buying.sales_usd) as sales_usd
    from buying
    inner join members on members.customer_id = buying.customer_id
    group by 1, 2
),

final as (
    select
        cohorts.cohort_week,
        cast(date_diff('week', cohorts.cohort_week, weeks.week) as bigint) as weeks_since,
        cohorts.customers as cohort_customers,
        coalesce(returned.customers, 0) as customers_buying,
        cast(coalesce(returned.sales_usd, 0) as decimal(38, 10)) as sales_usd,
        weeks.week + interval '7' day <= newest.newest_day as is_complete
    from cohorts
    inner join weeks on weeks.week >= cohorts.cohort_week
    cross join newest
    left join returned on returned.cohort_week = cohorts.cohort_week and returned.week = weeks.week
)

select * from final
