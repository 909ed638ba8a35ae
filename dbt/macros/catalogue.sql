{#
    The catalogue of dbt's docs. dbt-trino asks for the comments of up to a hundred relations by a branch of a union for each:
    half a minute of both cores. One look at the schemas says the same.
#}
{% macro trino__get_catalog_relations(information_schema, relations) -%}
    {{ return(trino__get_catalog(information_schema, relations | map(attribute='schema') | unique | list)) }}
{%- endmacro %}
