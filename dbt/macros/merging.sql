{# A merge that reads no more than its news can touch. They become a table first, so that both who ask see the same. Of a table by
   day only the days are opened that they name, and HEADRACE_IDENTITY_DAYS on either side: so far apart another version of an event
   is recognised, further apart they are two events. Of two rows with one key the news replace the known where `replaced_when`; by
   default, where anything differs. #}
{% macro get_incremental_news_sql(merge) %}
    {%- set keys = [merge.unique_key] if merge.unique_key is string else merge.unique_key -%}
    {%- set moment = moment_by(config) -%}
    {%- set names = merge.dest_columns | map(attribute="quoted") | list %}
    merge into {{ merge.target_relation }} as known
    using {{ merge.temp_relation }} as news
    on {{ same("news", "known", keys) }}
    {%- if moment %}
        {%- set around = env_var("HEADRACE_IDENTITY_DAYS", "7") | int %}
        {%- set days = "select cast(" ~ moment ~ " as date) as date_day from " ~ merge.temp_relation %}
        and {{ in_days("known." ~ moment, stretches(days, around)) }}
        {#- The days are those of all news; each looks only so far from its own. #}
        and abs(date_diff('day', cast(known.{{ moment }} as date), cast(news.{{ moment }} as date))) <= {{ around }}
    {%- endif %}
    when matched and ({{ config.get("meta", {}).get("replaced_when") or differ("news", "known", names) }}) then update set
        {%- for name in names %}
        {{ name }} = news.{{ name }}{{ "," if not loop.last }}
        {%- endfor %}
    when not matched then insert ({{ names | join(", ") }})
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
