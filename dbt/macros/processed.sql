{# One row per key: of several that landed, the first by `order_by`. Which of it and a known row stays, the merge decides. #}
{% macro one_row_per(valid, keys, fields, order_by, last=false) %}
{%- set since = landed_since() %}
with
landed as (
    select * from {{ valid }}
    {%- if since %}
    where landed_at >= {{ since }}
    {%- endif %}
),

ranked as (
    select
        landed.*,
        row_number() over (
            partition by {{ columns_of("landed", keys) }}
            order by {% for name in order_by %}{{ name }}{{ " desc" if last }}{{ ", " if not loop.last }}{% endfor %}
        ) as place
    from landed
),

final as (
    select
        {%- for name in fields %}
        {{ name }},
        {%- endfor %}
        {{ caller() }}
        corrected,
        arrived_at,
        landed_at,
        origin,
        correlation_id,
        contract_version,
        source_topic,
        source_partition,
        source_offset
    from ranked
    where place = 1
)

select * from final
{% endmacro %}


{# Events: the first arrival of an identity is the event, whatever is sent again. #}
{% macro one_row_per_event(valid, keys, fields, event_time) %}
{% call one_row_per(valid, keys, fields, arrival_columns()) -%}
{{ is_late("origin", "arrived_at", event_time) }} as is_late,
{%- endcall %}
{% endmacro %}


{# Entities: the newest row of a key is its state. #}
{% macro newest_row_per(valid, keys, fields, event_time) %}
{% call one_row_per(valid, keys, fields, [event_time] + arrival_columns(), last=true) -%}
{%- endcall %}
{% endmacro %}
