{# The grain of a model, as its description promises it: the keys are there, and no two rows share them. #}
{% test one_row_per(model, keys) %}
select {{ keys | join(", ") }}, count(*) as rows_found
from {{ model }}
group by {{ keys | join(", ") }}
having count(*) > 1 or {% for key in keys %}{{ key }} is null{{ " or " if not loop.last }}{% endfor %}
{% endtest %}
