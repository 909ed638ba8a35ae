"""What the gate did and could not know, to be counted: views over the processed tables, made from the contracts."""

from __future__ import annotations

from pathlib import Path

from headrace.contracts.model import Contract
from headrace.lake.template import JINJA, NOTE

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
    left join {{ '{{' }} ref("{{ entity.name }}") {{ '}}' }} as entity on entity.{{ entity.key }} = events.{{ field }}
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
      this list by themselves when the entity arrives.
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
{% endif %}
"""


def files(contracts: dict[str, Contract], models: Path) -> dict[Path, str]:
    """Each view, and their description."""
    values = {"note": NOTE, "contracts": list(contracts.values()), "references": _references(contracts)}
    templates = {"corrections.sql": _CORRECTIONS, "_gate_views.yml": _YAML}
    if values["references"]:
        templates["unresolved.sql"] = _UNRESOLVED
    return {models / "processed" / name: JINJA.from_string(text).render(values) for name, text in templates.items()}


def _references(contracts: dict[str, Contract]) -> list[tuple[Contract, str, Contract]]:
    return [
        (contract, field, contracts[entity])
        for contract in contracts.values()
        for field, entity in contract.references.items()
        if entity in contracts
    ]
