"""The curated model of sessions, written from the contracts: whose sessions, which pause, counted by what."""

from __future__ import annotations

from pathlib import Path

from headrace.contracts.model import Contract
from headrace.lake.template import NOTE, template

_MODEL = """-- {{ note }}
{{ '{{' }}
    config(
        materialized="incremental",
        incremental_strategy="news",
        unique_key="session_id",
        on_schema_change="append_new_columns",
        properties={"format_version": "2", "partitioning": "ARRAY['day(started_at)']"},
        meta={"gone_when": "news.events = 0", "sliced_by": ["user_id"]},
    )
{{ '}}' }}
{{ '{%' }} set since = landed_since() {{ '%}' }}

with
{% for c in streams %}
of_{{ c.name }} as (
{{ '{{' }} sessions_of("{{ c.name }}", "{{ c.identity[0] }}", "{{ c.sessions.by }}", "{{ c.event_time }}", {{ c.sessions.gap_seconds }}, {{ kind(c) }}, since) {{ '}}' }}
),

{% endfor %}
final as (
{% for c in streams %}
    select * from of_{{ c.name }}
{% if not loop.last %}

    union all

{% endif %}
{% endfor %}
)

select * from final
"""


def files(contracts: dict[str, Contract], models: Path) -> dict[Path, str]:
    """None where no contract asks for sessions."""
    streams = [contract for contract in contracts.values() if contract.sessions]
    if not streams:
        return {}
    made = template(_MODEL).render(note=NOTE, streams=streams, kind=_kind)
    return {models / "curated" / "fct_sessions.sql": made}


def _kind(contract: Contract) -> str:
    counted = contract.sessions.count if contract.sessions else None
    return f'"{counted}"' if counted else "none"
