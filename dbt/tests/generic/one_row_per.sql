{# The grain of a model, as its description promises it: the keys are there, and no two rows share them. Of a table by day, a build
   asks the days of what landed in its newest two hours; `--vars 'whole_tables: true'`, as the DAGs tidy and backfill have it, all.
   A large table is asked slice by slice, as it was made; the last that is asked is the first with such rows. #}
{% test one_row_per(model, keys) %}
{%- set days = newest_days(model) -%}
{%- set slices = slices_for_rows(rows_of(model)) if days is none and moment_of(model) else 1 -%}
{%- set asked = namespace(place=slices - 1) -%}
{%- for place in range(slices - 1) -%}
    {%- if asked.place == slices - 1 and run_query(shared_keys(model, keys, days, in_slice(keys, place, slices)) ~ " limit 1").rows -%}
        {%- set asked.place = place -%}
    {%- endif -%}
{%- endfor -%}
{{ shared_keys(model, keys, days, in_slice(keys, asked.place, slices)) }}
{% endtest %}
