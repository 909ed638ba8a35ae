{# What a table of days has to work out anew: the days that something landed of since it was built, as ranges
   [first, last) in literals, so that Trino opens the files of those days and no others. `sources` are pairs of a table with
   `landed_at` and the expression that says the day of a row. None before the first build: everything. Days that are no longer
   kept whole (HEADRACE_DAYS_SINCE) stay as they are: made anew of what is left of them, they would lose what was counted.
   Who knows `since` already gives it, so that nobody asks for it again. #}
{% macro changed_days(sources, since=none) %}
    {%- set since = since or landed_since() -%}
    {%- if since is none -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set days -%}
        {%- for relation, day in sources %}
        select {{ day }} as date_day from {{ relation }} where landed_at >= {{ since }} and {{ is_kept(day) }}
        {{- " union all" if not loop.last }}
        {%- endfor %}
    {%- endset -%}
    {{ return(stretches(days)) }}
{% endmacro %}


{# Whether a day is still kept whole. #}
{% macro is_kept(day) -%}
    {%- set since = env_var("HEADRACE_DAYS_SINCE", "") -%}
    {{ return(day ~ " >= date '" ~ since ~ "'" if since else "true") }}
{%- endmacro %}


{# The days that a query names, and so many on either side of each, as ranges [first, last). #}
{% macro stretches(days, around=0) %}
    {%- set sql -%}
        with
        days as (
            select distinct date_add('day', step, date_day) as date_day
            from ({{ days }})
            cross join unnest(sequence(-{{ around }}, {{ around }})) as steps (step)
        ),

        placed as (
            select date_day, date_diff('day', date '1970-01-01', date_day) - row_number() over (order by date_day) as stretch
            from days
        )

        select cast(min(date_day) as varchar), cast(date_add('day', 1, max(date_day)) as varchar)
        from placed
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
    {%- set since = landed_since() -%}
    (
        select min(newest)
        from (
            {%- for relation in relations %}
            select max(landed_at) as newest from {{ relation }}
            {#- Newer than what this table claims, always: what it claims was there. -#}
            {%- if since %} where landed_at >= {{ since }}{% endif %}
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
    {%- set days = changed_days([(ref("daily_exchange_rates"), "rate_date")], since) %}
    where landed.landed_at >= {{ since }}

    union all

    select earlier.*, rates.usd_rate
    from {{ events }} as earlier
    inner join {{ ref("daily_exchange_rates") }} as rates
        on rates.currency = earlier.currency and rates.rate_date = cast(earlier.event_time as date)
    where rates.landed_at >= {{ since }} and earlier.landed_at < {{ since }} and {{ in_days("earlier.event_time", days) }}
    {%- endif %}
{% endmacro %}


{# The column by whose day a model is partitioned, if it is. #}
{% macro moment_by(config) %}
    {%- set found = modules.re.search("day\\((\\w+)\\)", (config.get("properties") or {}).get("partitioning") or "") -%}
    {{ return(found.group(1) if found else none) }}
{% endmacro %}


{# The same of a table that a test looks at. #}
{% macro moment_of(relation) %}
    {%- set nodes = graph.nodes.values() | selectattr("relation_name", "equalto", relation | string) | list if execute else [] -%}
    {{ return(moment_by(nodes[0].config) if nodes else none) }}
{% endmacro %}


{# The days that rows of the newest hours were put into; none: all days. #}
{% macro newest_days(relation) %}
    {%- set moment = moment_of(relation) -%}
    {%- if not moment or flags.FULL_REFRESH or var("whole_tables", false) -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set since = newest_landed(relation, minutes_before=120) -%}
    {%- if not since -%}
        {{ return(none) }}
    {%- endif -%}
    {{ return(stretches("select cast(" ~ moment ~ " as date) as date_day from " ~ relation ~ " where landed_at >= " ~ since)) }}
{% endmacro %}
