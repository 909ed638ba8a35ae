{# The states of an entity follow each other without a gap: one of them is the present one. #}
{% test one_present_state(model, key) %}
select {{ key }}, count_if(valid_to is null) as present
from {{ model }}
group by {{ key }}
having count_if(valid_to is null) <> 1 or count_if(is_current <> (valid_to is null)) > 0 or count_if(valid_to <= valid_from) > 0
{% endtest %}
