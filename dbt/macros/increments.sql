{# What a table of days has to work out anew: the days that something landed of since it was built, as ranges
   [first, last) in literals, so that Trino opens the files of those days and no others. `sources` are pairs of a table with
   `landed_at` and the expression that says the day of a row. None before the first build: everything. #}
{% macro changed_days(sources) %}
    {%- if not is_incremental() -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set since = landed_since() -%}
    {%- set sql -%}
        with
        days as (
            {%- for relation, day in sources %}
            select {{ day }} as date_day from {{ relation }} where landed_at >= {{ since }}
            union
            {%- endfor %}
            select date '1970-01-01'
        ),

        stretches as (
            select date_day, date_diff('day', date '1970-01-01', date_day) - row_number() over (order by date_day) as stretch
            from days
            where date_day > date '1970-01-01'
        )

        select cast(min(date_day) as varchar), cast(date_add('day', 1, max(date_day)) as varchar)
        from stretches
        group by stretch
        order by 1
    {%- endset -%}
    {{ return(run_query(sql).rows) }}
{% endmacro %}


{# Whether a moment lies in these days. #}
{% macro in_days(moment, days) -%}
    {%- if days is none -%} true
    {%- elif not days -%} false
    {%- else -%}
        (
        {%- for first, last in days -%}
            ({{ moment }} >= timestamp '{{ first }} 00:00:00 UTC' and {{ moment }} < timestamp '{{ last }} 00:00:00 UTC')
            {{- " or " if not loop.last }}
        {%- endfor -%}
        )
    {%- endif -%}
{%- endmacro %}


{# Everything that landed up to this moment is in all of these tables. A table that is made of several may not claim more,
   or the next build would pass over rows of the one that was built earlier. #}
{% macro all_landed(relations) -%}
    (
        select min(newest)
        from (
            {%- for relation in relations %}
            select max(landed_at) as newest from {{ relation }}
            {{- " union all" if not loop.last }}
            {%- endfor %}
        )
    )
{%- endmacro %}


{# Rows with the rate of their day: those that landed since, and those that are built already but for which a rate came or
   changed since. #}
{% macro rated_since(events, since) %}
    select landed.*, rates.usd_rate
    from {{ events }} as landed
    left join {{ ref("daily_exchange_rates") }} as rates
        on rates.currency = landed.currency and rates.rate_date = cast(landed.event_time as date)
    {%- if since %}
    where landed.landed_at >= {{ since }}

    union all

    select earlier.*, rates.usd_rate
    from {{ events }} as earlier
    inner join {{ ref("daily_exchange_rates") }} as rates
        on rates.currency = earlier.currency and rates.rate_date = cast(earlier.event_time as date)
    where rates.landed_at >= {{ since }} and earlier.landed_at < {{ since }}
    {%- endif %}
{% endmacro %}
