{# The grain of a model, as its description promises it: the keys are there, and no two rows share them. Of a table by day, a build
   asks the days that it may have changed; `--vars 'whole_tables: true'`, as the DAG tidy has it, asks all. #}
{% test one_row_per(model, keys) %}
select {{ keys | join(", ") }}, count(*) as rows_found
from {{ model }}
where {{ in_days(moment_of(model), newest_days(model)) }}
group by {{ keys | join(", ") }}
having count(*) > 1 or {% for key in keys %}{{ key }} is null{{ " or " if not loop.last }}{% endfor %}
{% endtest %}
