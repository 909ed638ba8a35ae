{# One row per key: of several, the first by `order_by`. A later build changes a row only for one that comes before it.
   `prefers` says how a row of this batch must compare to the row that is known: < for the earliest, > for the newest. #}
{% macro one_row_per(valid, keys, fields, order_by, prefers) %}
with
landed as (
    select * from {{ valid }}
    {%- if is_incremental() %}
    where landed_at >= {{ landed_since() }}
    {%- endif %}
),

ranked as (
    select
        landed.*,
        row_number() over (
            partition by {{ columns_of("landed", keys) }}
            order by {% for name in order_by %}{{ name }}{{ " desc" if prefers == ">" }}{{ ", " if not loop.last }}{% endfor %}
        ) as place
    from landed
),

chosen as (
    select ranked.*
    from ranked
    {%- if is_incremental() %}
    left join {{ this }} as known on {{ same("ranked", "known", keys) }}
    where
        ranked.place = 1
        and (
            known.{{ keys[0] }} is null
            or row({{ columns_of("ranked", order_by) }}) {{ prefers }} row({{ columns_of("known", order_by) }})
        )
    {%- else %}
    where ranked.place = 1
    {%- endif %}
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
    from chosen
)

select * from final
{% endmacro %}


{# Events: the first arrival of an identity is the event, whatever is sent again. #}
{% macro one_row_per_event(valid, keys, fields, event_time) %}
{% call one_row_per(valid, keys, fields, arrival_columns(), "<") -%}
{{ is_late("origin", "arrived_at", event_time) }} as is_late,
{%- endcall %}
{% endmacro %}


{# Entities: the newest row of a key is its state. #}
{% macro newest_row_per(valid, keys, fields, event_time) %}
{% call one_row_per(valid, keys, fields, [event_time] + arrival_columns(), ">") -%}
{%- endcall %}
{% endmacro %}
