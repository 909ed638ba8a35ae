"""Writes the dbt models that follow from contracts alone, so that a new stream needs no SQL: one file is enough.

The files are committed, for people to read and review; `python -m headrace.lake.models` writes them, and a test fails
when a contract says something else than they do.
"""

from __future__ import annotations

import sys
from pathlib import Path

from headrace.contracts.model import Contract, load_contracts
from headrace.lake import gate_views, session_model
from headrace.lake.files import write_generated
from headrace.lake.template import NOTE, template
from headrace.settings import REPO, get_settings
from headrace.streams.gate_model import trino_model

_VALID = """-- {{ note }}
{{ '{{' }} config(materialized="view") {{ '}}' }}

with
judged as (
{{ gate }}
),

final as (
    select
{% for field in fields %}
        {{ field }},
{% endfor %}
        corrected,
        arrived_at,
        landed_at,
        origin,
        correlation_id,
        contract_version,
        topic as source_topic,
        "partition" as source_partition,
        "offset" as source_offset
    from judged
    where refusal is null
)

select * from final
"""

_PROCESSED = """-- {{ note }}
{{ '{{' }}
    config(
        incremental_strategy="news",
        unique_key={{ keys }},
        meta={"replaced_when": news_come({{ place }}, {{ order_by }}), "sliced_by": {{ keys }}},
        properties={"format_version": "2"{{ partitioning }}},
    )
{{ '}}' }}

{{ '{{' }} {{ macro }}(ref("valid_{{ name }}"), {{ keys }}, {{ fields }}, "{{ event_time }}") {{ '}}' }}
"""

_HISTORY = """-- {{ note }}
{{ '{{' }}
    config(
        unique_key=["{{ c.key }}", "{{ c.event_time }}"],
        meta={"sliced_by": ["{{ c.key }}"]},
        properties={"format_version": "2"},
    )
{{ '}}' }}

{{ '{{' }} states_of(ref("valid_{{ c.name }}"), source("raw", "{{ c.name }}"), "{{ c.key }}", {{ fields }}, "{{ c.event_time }}") {{ '}}' }}
"""

_NEWEST = """-- {{ note }}
{{ '{{' }} config(materialized="view") {{ '}}' }}

select
{% for field in fields %}
    {{ field }},
{% endfor %}
    corrected,
    arrived_at,
    landed_at,
    origin,
    correlation_id,
    contract_version,
    source_topic,
    source_partition,
    source_offset
from {{ '{{' }} ref("{{ c.name }}_history") {{ '}}' }}
where is_current and not is_deleted
"""

_RAW_YAML = """# {{ note }}
version: 2

sources:
  - name: raw
    database: lake
    schema: raw
    description: Records as they came, in bytes, with where they came from. Written by the lake job only.
    tables:
{% for c in contracts %}
      - name: {{ c.name }}
        description: >-
          One row per record of topic {{ c.topic }}, or line of a file of this stream.
        meta: {owner: {{ c.owner }}, topic: {{ c.topic }}}
{% endfor %}

models:
{% for c in contracts %}
  - name: valid_{{ c.name }}
    description: One row per record of raw.{{ c.name }} that passes the gate, with typed fields; repeats are still in it.
{% endfor %}
"""

_PROCESSED_YAML = """# {{ note }}
version: 2

models:
{% for c in contracts %}
  - name: {{ c.name }}
    description: One row per {{ grain(c) }}.
    meta: {owner: {{ c.owner }}}
    columns:
{% for f in c.fields %}
      - name: {{ column(c, f.name) }}
{% if f.description %}
        description: {{ f.description | tojson }}
{% endif %}
        meta: {classification: {{ f.classification }}{{ ", person: true" if f.person }}}
{% endfor %}
      - name: corrected
        description: What the gate corrected, each as `field:kind`; empty where the event was right as it came.
        meta: {classification: internal}
    data_tests:
      - one_row_per:
          arguments: {keys: {{ keys(c) }}}
{% if c.history %}
  - name: {{ c.name }}_history
    description: >-
      One row per state of a {{ c.key.removesuffix("_id") }} ({{ c.key }}, {{ c.event_time }}), with the time that it held; that it was deleted is
      a state too, without properties.
    meta: {owner: {{ c.owner }}}
    columns:
{% for f in c.fields %}
      - name: {{ column(c, f.name) }}
        meta: {classification: {{ f.classification }}{{ ", person: true" if f.person }}}
{% endfor %}
      - name: is_deleted
        description: "From here on there is no such {{ c.key.removesuffix("_id") }}."
        meta: {classification: internal}
      - name: valid_from
        description: "When the state began, in UTC."
        meta: {classification: internal}
      - name: valid_to
        description: "When the next state began, which is no part of it; null for the present state."
        meta: {classification: internal}
      - name: is_current
        meta: {classification: internal}
    data_tests:
      - one_present_state:
          arguments: {key: {{ c.key }}}
{% endif %}
{% endfor %}
"""


def keys(contract: Contract) -> list[str]:
    """What a row of processed stands for: an event, or an entity whatever its version."""
    if contract.kind == "events":
        return list(contract.identity)
    return [name for name in contract.identity if name != contract.event_time]


def column(contract: Contract, field: str) -> str:
    """A bare `name` says nothing after a join, and a mask could not tell whose it is."""
    return f"{contract.key.removesuffix('_id')}_name" if field == "name" else field


def grain(contract: Contract) -> str:
    named = " and ".join(keys(contract))
    return f"event ({named}), as it first arrived" if contract.kind == "events" else f"{named}, in its newest state"


def valid_model(contract: Contract) -> str:
    source = f'{{{{ source("raw", "{contract.name}") }}}}'
    gate = "\n".join(f"    {line}" for line in trino_model(contract, source).splitlines())
    fields = [f"{f.name} as {column(contract, f.name)}" if f.name == "name" else f.name for f in contract.fields]
    return template(_VALID).render(note=NOTE, gate=gate, fields=fields)


def processed_model(contract: Contract) -> str:
    if contract.history:
        fields = [column(contract, f.name) for f in contract.fields]
        return template(_NEWEST).render(note=NOTE, c=contract, fields=fields)
    events = contract.kind == "events"
    return template(_PROCESSED).render(
        note=NOTE,
        name=contract.name,
        keys=_list(keys(contract)),
        fields=_list([column(contract, f.name) for f in contract.fields]),
        event_time=contract.event_time,
        macro="one_row_per_event" if events else "newest_row_per",
        place='"before"' if events else '"after"',
        order_by="arrival_columns()" if events else f'["{contract.event_time}"] + arrival_columns()',
        partitioning=f', "partitioning": "ARRAY[\'day({contract.event_time})\']"' if events else "",
    )


def history_model(contract: Contract) -> str:
    fields = _list([column(contract, f.name) for f in contract.fields])
    return template(_HISTORY).render(note=NOTE, c=contract, fields=fields)


def files(contracts: dict[str, Contract], models: Path) -> dict[Path, str]:
    """Every generated file with its content."""
    streams = list(contracts.values())
    values = {"note": NOTE, "contracts": streams, "grain": grain, "keys": keys, "column": column}
    found = {models / "raw" / f"valid_{c.name}.sql": valid_model(c) for c in streams}
    found |= {models / "processed" / f"{c.name}.sql": processed_model(c) for c in streams}
    found |= {models / "processed" / f"{c.name}_history.sql": history_model(c) for c in streams if c.history}
    found[models / "raw" / "_raw.yml"] = template(_RAW_YAML).render(values)
    found[models / "processed" / "_processed.yml"] = template(_PROCESSED_YAML).render(values)
    return found | gate_views.files(contracts, models) | session_model.files(contracts, models)


def _list(names: list[str]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"


def main() -> int:
    wanted = files(load_contracts(get_settings().contracts), REPO / "dbt" / "models")
    return write_generated(wanted, check="--check" in sys.argv)


if __name__ == "__main__":
    sys.exit(main())
