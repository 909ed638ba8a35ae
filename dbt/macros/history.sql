{# Every state of an entity with the time that it held, worked out from what was told and not from looking at the newest
   row now and then: so a state that lasted a minute is there, and one that came late stands where it belongs.
   A record without a value says that its entity was deleted: a row of its own, so that a later build still knows it.
   A later build works out anew only the entities that something landed of, from their known rows and what is new. #}
{% macro states_of(valid, raw, key, fields, event_time) %}
{%- set since = landed_since() %}
{%- set provenance = ["corrected", "arrived_at", "landed_at", "origin", "correlation_id", "contract_version"] -%}
{%- set place = ["source_topic", "source_partition", "source_offset"] -%}
{%- set kept = fields + ["is_deleted"] + provenance + place -%}
with
told as (
    select {{ fields | join(", ") }}, false as is_deleted, {{ (provenance + place) | join(", ") }}
    from {{ valid }}
    {%- if since %}
    where landed_at >= {{ since }}
    {%- endif %}

    union all

    select
        {%- for field in fields %}
        {{ "key" if field == key else "arrived_at" if field == event_time else "null" }},
        {%- endfor %}
        true,
        cast(array[] as array(varchar)),
        {{ provenance[1:] | join(", ") }},
        topic,
        "partition",
        "offset"
    from {{ raw }}
    where value is null and key is not null
    {%- if since %} and landed_at >= {{ since }}{% endif %}
),
{% if since %}
everything as (
    select {{ kept | join(", ") }} from told
    union all
    select {{ columns_of("known", kept) }}
    from {{ this }} as known
    where known.{{ key }} in (select {{ key }} from told)
),
{% else %}
everything as (
    select * from told
),
{% endif %}
placed as (
    select
        everything.*,
        row_number() over (
            partition by {{ key }}, {{ event_time }} order by {{ columns_of("everything", arrival_columns()) | replace(",", " desc,") }} desc
        ) as place
    from everything
),

final as (
    select
        {{ kept | join(", ") }},
        {{ event_time }} as valid_from,
        lead({{ event_time }}) over (partition by {{ key }} order by {{ event_time }}) as valid_to
    from placed
    where place = 1
)

select final.*, final.valid_to is null as is_current
from final
{%- if since %}
left join {{ this }} as known
    on known.{{ key }} = final.{{ key }} and known.{{ event_time }} = final.{{ event_time }}
where
    known.{{ key }} is null
    or known.valid_to is distinct from final.valid_to
    or row({{ columns_of("known", place) }}) <> row({{ columns_of("final", place) }})
{%- endif %}
{% endmacro %}
