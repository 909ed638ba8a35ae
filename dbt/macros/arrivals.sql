{# How a record came, in the order that decides which of two is first. #}
{% macro arrival_columns() %}
    {{ return(["arrived_at", "source_topic", "source_partition", "source_offset"]) }}
{% endmacro %}


{# What landed before this moment is in the model already; none where there is no model yet. A literal, so that Trino skips
   files by it; half an hour of overlap, because a batch is stamped when it begins and seen when it is committed. #}
{% macro landed_since() %}
    {%- if not is_incremental() -%}
        {{ return(none) }}
    {%- endif -%}
    {#- A table that an earlier release built without this column is worked out anew. -#}
    {{ return(newest_landed(this, minutes_before=30) or "timestamp '1970-01-01 00:00:00 UTC'") }}
{% endmacro %}


{# The moment so long before the newest `landed_at` of a table, as a literal; none where there is no such column or row. #}
{% macro newest_landed(relation, minutes_before) %}
    {%- if not adapter.get_columns_in_relation(relation) | selectattr("name", "equalto", "landed_at") | list -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set sql -%}
        select cast(max(data.landed_at.max) - interval '{{ minutes_before }}' minute as varchar) from {{ bounds_of(relation) }}
    {%- endset -%}
    {%- set newest = run_query(sql).columns[0].values()[0] -%}
    {{ return("timestamp '" ~ newest ~ "'" if newest else none) }}
{% endmacro %}


{# The least and the greatest value of each column, which Iceberg keeps beside the files: asking costs the same at any size. #}
{% macro bounds_of(relation) -%}
    {{ relation.include(identifier=false) }}."{{ relation.identifier }}$partitions"
{%- endmacro %}


{# The first moment of a table; a unit test gives rows, which have no such bounds. #}
{% macro earliest(relation, moment) -%}
    {%- if model.resource_type == "unit_test" -%}
        (select min({{ moment }}) from {{ relation }})
    {%- else -%}
        (select min(data.{{ moment }}.min) from {{ bounds_of(relation) }})
    {%- endif -%}
{%- endmacro %}


{# An event is late by its own two times, never by when a job happened to read it. #}
{% macro is_late(origin, arrived_at, event_time) -%}
    {%- set minutes = env_var("HEADRACE_LATENESS_MINUTES", "5") | int -%}
    ({{ origin }} = 'stream' and {{ arrived_at }} > {{ event_time }} + interval '{{ minutes }}' minute)
{%- endmacro %}


{# `x.a, x.b` #}
{% macro columns_of(alias, names) -%}
    {%- for name in names %}{{ alias }}.{{ name }}{{ ", " if not loop.last }}{% endfor -%}
{%- endmacro %}


{% macro same(left, right, names) -%}
    {%- for name in names %}{{ left }}.{{ name }} = {{ right }}.{{ name }}{{ " and " if not loop.last }}{% endfor -%}
{%- endmacro %}
