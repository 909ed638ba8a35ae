{% macro generate_schema_name(custom_schema_name, node) -%}
    {#- raw, processed and curated are the names that people and rules know: no prefix. -#}
    {{ custom_schema_name | trim if custom_schema_name else target.schema }}
{%- endmacro %}
