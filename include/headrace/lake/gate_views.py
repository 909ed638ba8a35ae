"""What the gate did and could not know, to be counted: views over the processed tables, made from the contracts."""

from __future__ import annotations

from pathlib import Path

from headrace.contracts.model import Contract
from headrace.lake.template import NOTE, template

_CORRECTIONS = """-- {{ note }}
{{ '{{' }} config(materialized="view", tags=["raw"]) {{ '}}' }}

with
marked as (
{% for c in contracts %}
    select '{{ c.name }}' as stream, cast(arrived_at as date) as arrival_day, corrected
    from {{ '{{' }} ref("{{ c.name }}") {{ '}}' }}
    where cardinality(corrected) > 0
{% if not loop.last %}
    union all
{% endif %}
{% endfor %}
),

final as (
    select marked.stream, marked.arrival_day, marks.correction, count(*) as events
    from marked
    cross join unnest(marked.corrected) as marks (correction)
    group by marked.stream, marked.arrival_day, marks.correction
)

select * from final
"""

_UNRESOLVED = """-- {{ note }}
{{ '{{' }} config(materialized="view", tags=["raw"]) {{ '}}' }}

with
named as (
{% for c, field, entity in references %}
    select
        '{{ c.name }}' as stream,
        '{{ field }}' as field,
        events.{{ field }} as named_key,
        cast(events.arrived_at as date) as arrival_day
    from {{ '{{' }} ref("{{ c.name }}") {{ '}}' }} as events
{% if entity.history %}
    left join {{ '{{' }} ref("{{ entity.name }}_history") {{ '}}' }} as entity on entity.is_current and entity.{{ entity.key }} = events.{{ field }}
{% else %}
    left join {{ '{{' }} ref("{{ entity.name }}") {{ '}}' }} as entity on entity.{{ entity.key }} = events.{{ field }}
{% endif %}
    where events.{{ field }} is not null and entity.{{ entity.key }} is null
{% if not loop.last %}
    union all
{% endif %}
{% endfor %}
),

final as (
    select stream, field, arrival_day, count(*) as events, count(distinct named_key) as unknown_keys
    from named
    group by stream, field, arrival_day
)

select * from final
"""

_BELATED = """-- {{ note }}
{{ '{{' }} config(materialized="view", tags=["raw"]) {{ '}}' }}

with
told as (
{% for entity in entities %}
    select '{{ entity.name }}' as entity, {{ entity.key }} as named_key, min(arrived_at) as first_at
    from {{ '{{' }} ref("valid_{{ entity.name }}") {{ '}}' }}
    group by {{ entity.key }}
{% if not loop.last %}
    union all
{% endif %}
{% endfor %}
),

named as (
{% for c, field, entity in references %}
    select
        '{{ c.name }}' as stream,
        '{{ field }}' as field,
        '{{ entity.name }}' as entity,
        {{ field }} as named_key,
        arrived_at
    from {{ '{{' }} ref("{{ c.name }}") {{ '}}' }}
    where {{ field }} is not null and origin = 'stream'
{% if not loop.last %}
    union all
{% endif %}
{% endfor %}
),

final as (
    select
        named.stream,
        named.field,
        cast(named.arrived_at as date) as arrival_day,
        count(*) as events,
        count(distinct named.named_key) as late_keys,
        max(date_diff('second', named.arrived_at, told.first_at)) as longest_wait_seconds
    from named
    inner join told on told.entity = named.entity and told.named_key = named.named_key
    where told.first_at > named.arrived_at
    group by named.stream, named.field, cast(named.arrived_at as date)
)

select * from final
"""

_YAML = """# {{ note }}
version: 2

models:
  - name: corrections
    description: One row per stream, day of arrival and correction, with how many events the gate corrected so.
    meta: {owner: platform}
    columns:
      - name: stream
        meta: {classification: internal}
      - name: arrival_day
        meta: {classification: internal}
      - name: correction
        description: The field and the kind of correction, as `amount:number as text`.
        meta: {classification: internal}
      - name: events
        meta: {classification: internal}
{% if references %}
  - name: unresolved
    description: >-
      One row per stream, field and day of arrival with events that name an entity which nobody has told of; they leave
      this list by themselves when the entity arrives. One that was deleted was told of.
    meta: {owner: platform}
    columns:
      - name: stream
        meta: {classification: internal}
      - name: field
        meta: {classification: internal}
      - name: arrival_day
        meta: {classification: internal}
      - name: events
        meta: {classification: internal}
      - name: unknown_keys
        description: How many different entities are named.
        meta: {classification: internal}
  - name: belated_entities
    description: >-
      One row per stream, field and day of arrival with events that had arrived before anybody told of the entity that they
      name; the entity has come since, so that they are joined with it like all others.
    meta: {owner: platform}
    columns:
      - name: stream
        meta: {classification: internal}
      - name: field
        meta: {classification: internal}
      - name: arrival_day
        meta: {classification: internal}
      - name: events
        meta: {classification: internal}
      - name: late_keys
        description: How many different entities came late.
        meta: {classification: internal}
      - name: longest_wait_seconds
        description: The longest that such an event had been there before its entity was.
        meta: {classification: internal}
{% endif %}
"""


def files(contracts: dict[str, Contract], models: Path) -> dict[Path, str]:
    """Each view, and their description."""
    references = _references(contracts)
    entities = {entity.name: entity for _, _, entity in references}
    values = {
        "note": NOTE,
        "contracts": list(contracts.values()),
        "references": references,
        "entities": list(entities.values()),
    }
    templates = {"corrections.sql": _CORRECTIONS, "_gate_views.yml": _YAML}
    if references:
        templates |= {"unresolved.sql": _UNRESOLVED, "belated_entities.sql": _BELATED}
    return {models / "processed" / name: template(text).render(values) for name, text in templates.items()}


def _references(contracts: dict[str, Contract]) -> list[tuple[Contract, str, Contract]]:
    return [
        (contract, field, contracts[entity])
        for contract in contracts.values()
        for field, entity in contract.references.items()
        if entity in contracts
    ]
