{# The grain of a model, as its description promises it: the keys are there, and no two rows share them. Of a table by day, a build
   asks the days of what landed in its newest two hours; `--vars 'whole_tables: true'`, as the DAGs tidy and backfill have it, all. #}
{% test one_row_per(model, keys) %}
select {{ keys | join(", ") }}, count(*) as rows_found
from {{ model }}
where {{ in_days(moment_of(model), newest_days(model)) }}
group by {{ keys | join(", ") }}
having count(*) > 1 or {% for key in keys %}{{ key }} is null{{ " or " if not loop.last }}{% endfor %}
{% endtest %}
