-- A row for each day: running sums by MetricFlow would join every day with every day before it.
{%- set day = "order by date_day" %}
with
sold as (
    select
        date_day,
        sum(amount_usd) filter (where transaction_type = 'purchase') as sales_usd,
        sum(transactions) filter (where transaction_type = 'purchase') as purchases
    from {{ ref("transactions_by_day") }}
    group by date_day
),

days as (
    select
        calendar.date_day,
        coalesce(sold.sales_usd, 0) as sales_usd,
        coalesce(sold.purchases, 0) as purchases
    from {{ ref("dim_date") }} as calendar
    inner join (select min(date_day) as first, max(date_day) as last from sold) as span
        on calendar.date_day between span.first and span.last
    left join sold on sold.date_day = calendar.date_day
),

final as (
    select
        date_day,
        {%- for unit in ["month", "quarter", "year"] %}
        cast(sum(sales_usd) over (partition by date_trunc('{{ unit }}', date_day) {{ day }}) as decimal(38, 10)) as sales_{{ unit }}_to_date_usd,
        {%- endfor %}
        {%- for days in [7, 28] %}
        cast(sum(sales_usd) over ({{ day }} rows between {{ days - 1 }} preceding and current row) as decimal(38, 10)) as sales_last_{{ days }}_days_usd,
        {%- endfor %}
        cast(sum(sales_usd) over ({{ day }}) as decimal(38, 10)) as sales_so_far_usd,
        cast(sum(purchases) over ({{ day }}) as bigint) as purchases_so_far
    from days
)

select * from final
