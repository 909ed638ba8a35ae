{# A merge that reads no more than its news can touch. They become a table first, so that both who ask see the same. Of a table by
   day only the days are opened that they name, and HEADRACE_IDENTITY_DAYS on either side: so far apart another version of an event
   is recognised, further apart they are two events. Of two rows with one key the news replace the known where `replaced_when`; by
   default, where anything differs. News of which `gone_when` holds take the known row away. #}
{% macro get_incremental_news_sql(merge) %}
    {%- set keys = [merge.unique_key] if merge.unique_key is string else merge.unique_key -%}
    {%- set moment = moment_by(config) -%}
    {%- set names = merge.dest_columns | map(attribute="quoted") | list %}
    merge into {{ merge.target_relation }} as known
    using {{ merge.temp_relation }} as news
    on {{ same("news", "known", keys) }}
    {%- if moment %}
        {%- set around = env_var("HEADRACE_IDENTITY_DAYS", "7") | int %}
        {%- set named = "select cast(" ~ moment ~ " as date) as date_day from " ~ merge.temp_relation %}
        {%- set days = stretches(named, around) %}
        and {{ in_days("known." ~ moment, days) }}
        {#- The days are those of all news; each looks only so far from its own. #}
        and abs(date_diff('day', cast(known.{{ moment }} as date), cast(news.{{ moment }} as date))) <= {{ around }}
    {%- endif %}
    {%- if config.get("meta", {}).get("gone_when") %}
    when matched and {{ config.get("meta").gone_when }} then delete
    {%- endif %}
    when matched and ({{ config.get("meta", {}).get("replaced_when") or differ("news", "known", names) }}) then update set
        {%- for name in names %}
        {{ name }} = news.{{ name }}{{ "," if not loop.last }}
        {%- endfor %}
    {#- What is of other days has not been looked for: another build has put its own news in the place of these meanwhile. #}
    when not matched{{ " and " ~ in_days("news." ~ moment, days) if moment }} then insert ({{ names | join(", ") }})
    values ({{ columns_of("news", names) }})
{% endmacro %}


{# Groups that are made anew, whole: all rows of a day, of a minute. The known rows of these groups go and the new ones come in one
   statement: whatever ends a build, nobody finds a group without its rows. #}
{% macro get_incremental_replaced_sql(merge) %}
    {%- set names = merge.dest_columns | map(attribute="quoted") | list %}
    merge into {{ merge.target_relation }} as known
    using (
        select distinct
            true as gone
            {%- for column in merge.dest_columns %},
            {{ column.quoted if column.name == merge.unique_key else "null as " ~ column.quoted }}
            {%- endfor %}
        from {{ merge.temp_relation }}
        union all
        select false as gone, {{ names | join(", ") }} from {{ merge.temp_relation }}
    ) as news
    on news.gone and {{ same("news", "known", [merge.unique_key]) }}
    when matched then delete
    when not matched and not news.gone then insert ({{ names | join(", ") }})
    values ({{ columns_of("news", names) }})
{% endmacro %}


{% macro differ(left, right, names) -%}
    {%- for name in names %}{{ left }}.{{ name }} is distinct from {{ right }}.{{ name }}{{ " or " if not loop.last }}{% endfor -%}
{%- endmacro %}


{# Whether the news come before what is known (or after it), by these columns; no row comparison, which Trino refuses where
   there is nothing known. #}
{% macro news_come(where, order_by) -%}
    {%- set sign = "<" if where == "before" else ">" -%}
    {%- for name in order_by -%}
        news.{{ name }} {{ sign }} known.{{ name }}
        {%- if not loop.last %} or (news.{{ name }} = known.{{ name }} and ({% endif -%}
    {%- endfor -%}
    {{ "))" * (order_by | length - 1) }}
{%- endmacro %}
