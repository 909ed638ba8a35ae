{# A merge that reads no more than its news can touch. They become a table first, so that both who ask see the same. Of a table by
   day only the days are opened that they name, and HEADRACE_IDENTITY_DAYS on either side: there another version of an event is
   recognised, further apart they are two events. Of two rows with one key the news replace the known where `replaced_when`. #}
{% macro get_incremental_news_sql(merge) %}
    {%- set keys = [merge.unique_key] if merge.unique_key is string else merge.unique_key -%}
    {%- set moment = moment_by(config) -%}
    {%- set names = merge.dest_columns | map(attribute="quoted") | list %}
    merge into {{ merge.target_relation }} as known
    using {{ merge.temp_relation }} as news
    on {{ same("news", "known", keys) }}
    {%- if moment %}
        {%- set days = "select cast(" ~ moment ~ " as date) as date_day from " ~ merge.temp_relation %}
        and {{ in_days("known." ~ moment, stretches(days, around=env_var("HEADRACE_IDENTITY_DAYS", "1") | int)) }}
    {%- endif %}
    when matched and ({{ config.get("meta", {}).get("replaced_when", "news.landed_at is distinct from known.landed_at") }}) then update set
        {%- for name in names %}
        {{ name }} = news.{{ name }}{{ "," if not loop.last }}
        {%- endfor %}
    when not matched then insert ({{ names | join(", ") }})
    values ({{ columns_of("news", names) }})
{% endmacro %}


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
