{# As many events of each day as there are: another version of an event that arrived earlier, but was built later, moves it, and
   the minute that it left was nobody's news. Asked as `one_row_per` is: the newest days after a build, all of them by the DAG tidy.
   `events` is the name of a table beside this one, no reference: who builds that table alone is not asked yet. #}
{% test counts_every_event(model, events, moment) %}
{%- set days = newest_days(model) -%}
{%- set events = model.incorporate(path={"identifier": events}) -%}
with
counted as (
    select cast({{ moment_of(model) }} as date) as date_day, sum(n) as events
    from {{ model }}
    where {{ in_days(moment_of(model), days) }}
    group by 1
),

there as (
    select cast({{ moment }} as date) as date_day, count(*) as events
    from {{ events }}
    where {{ in_days(moment, days) }}
    group by 1
)

select date_day, there.events as there, counted.events as counted
from there
full join counted using (date_day)
where there.events is distinct from counted.events and {{ is_kept("date_day") }}
{% endtest %}
