{# A table that is made from nothing and keeps one row of each key needs memory for all keys at once. Where that is more than Trino
   may take, it is made of slices of its keys (`meta.sliced_by`), one after another, under another name, and takes its own when
   it is whole. Views that it reads are worked out once before, not for each slice. Slices see different moments of what they
   read: what landed since the build began is left to the next one. #}
{% macro trino__create_table_as(temporary, relation, sql, on_exists=none) %}
    {%- set keys = config.get("meta", {}).get("sliced_by") -%}
    {%- set slices = slices_for(model) if keys and not temporary else 1 -%}
    {%- if slices == 1 -%}
        {{ dbt.trino__create_table_as(temporary, relation, sql, on_exists) }}
    {%- else -%}
        {%- set whole = beside("slices") -%}
        {%- set read = namespace(sql=sql) -%}
        {%- for view in views_below(model) %}
        {%- set table = beside("read_" ~ loop.index) -%}
        {%- set read.sql = read.sql | replace(view | string, table | string) -%}
        drop table if exists {{ table }};
        create table {{ table }} as select * from {{ view }};
        {%- endfor %}
        drop table if exists {{ whole }};
        {{ dbt.trino__create_table_as(false, whole, slice_of(read.sql, keys, 0, slices)) | trim | trim(";") }};
        {%- for place in range(1, slices) %}
        insert into {{ whole }} {{ slice_of(read.sql, keys, place, slices) }};
        {%- endfor %}
        {%- for view in views_below(model) %}
        drop table {{ beside("read_" ~ loop.index) }};
        {%- endfor %}
        alter table {{ whole }} rename to {{ relation }}
    {%- endif -%}
{% endmacro %}


{# Named after the model, whatever dbt calls the table that it makes: the next time it is found, if a build was ended. #}
{% macro beside(what) -%}
    {{ return(this.incorporate(path={"identifier": this.identifier ~ "__" ~ what})) }}
{%- endmacro %}


{% macro views_below(node) -%}
    {%- set found = [] -%}
    {%- for below in nodes_below(node) if is_view(below) -%}
        {%- do found.append(relation_of(below)) -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}


{% macro nodes_below(node) -%}
    {%- set found = [] -%}
    {%- for name in node.depends_on.nodes -%}
        {%- do found.append(graph.sources.get(name) or graph.nodes.get(name)) -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}


{% macro is_view(node) -%}
    {{ return(node.resource_type == "model" and node.config.materialized == "view") }}
{%- endmacro %}


{% macro relation_of(node) -%}
    {{ return(api.Relation.create(node.database, node.schema, node.identifier or node.alias or node.name)) }}
{%- endmacro %}


{# Trino takes the condition of the keys down to where they are read: a slice holds no rows of another. #}
{% macro slice_of(sql, keys, place, slices) -%}
    select * from ({{ sql }})
    where
        {{ in_slice(keys, place, slices) }}
        and landed_at < timestamp '{{ run_started_at.astimezone(modules.pytz.utc).strftime("%Y-%m-%d %H:%M:%S.%f") }} UTC'
{%- endmacro %}


{# A row without a key belongs to the first slice. #}
{% macro in_slice(keys, place, slices) -%}
    {%- if slices == 1 -%} true
    {%- else -%}
        coalesce(mod(crc32(to_utf8(
            {%- for key in keys %}cast({{ key }} as varchar){{ " || '/' || " if not loop.last }}{% endfor -%}
        )), {{ slices }}), 0) = {{ place }}
    {%- endif -%}
{%- endmacro %}


{% macro slices_for(node) -%}
    {{ return(slices_for_rows(rows_below(node))) }}
{%- endmacro %}


{# One for each million, with the memory that Trino has by default. #}
{% macro slices_for_rows(rows) -%}
    {%- set at_once = env_var("HEADRACE_SLICE_ROWS", "1000000") | int -%}
    {{ return((rows / at_once) | round(0, "ceil") | int or 1) }}
{%- endmacro %}


{# By what Iceberg keeps beside the files. #}
{% macro rows_of(relation) -%}
    {{ return(run_query("select coalesce(sum(record_count), 0) from " ~ bounds_of(relation)).columns[0].values()[0] | int) }}
{%- endmacro %}


{# Rows of the tables that a model reads, those beneath its views among them. #}
{% macro rows_below(node) -%}
    {%- set found = namespace(rows=0) -%}
    {%- for below in nodes_below(node) -%}
        {%- set found.rows = found.rows + (rows_below(below) if is_view(below) else rows_of(relation_of(below))) -%}
    {%- endfor -%}
    {{ return(found.rows) }}
{%- endmacro %}


{# The keys that several rows share, or that a row is without. #}
{% macro shared_keys(model, keys, days, in_slice) %}
select {{ keys | join(", ") }}, count(*) as rows_found
from {{ model }}
where {{ in_days(moment_of(model), days) }} and {{ in_slice }}
group by {{ keys | join(", ") }}
having count(*) > 1 or {% for key in keys %}{{ key }} is null{{ " or " if not loop.last }}{% endfor %}
{% endmacro %}
