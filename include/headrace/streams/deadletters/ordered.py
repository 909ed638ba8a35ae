"""A replay that a person orders elsewhere, in Airflow: it acts for that person, and its repeats share one limit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from headrace.policy.audit import PostgresAudit
from headrace.policy.permit import NotAllowed
from headrace.policy.users import identity_of
from headrace.settings import Settings
from headrace.streams.deadletters import settling
from headrace.streams.deadletters.selection import Selection, SelectionError

REFUSED = (NotAllowed, SelectionError)
"""What a repeat would not change."""


def replay(settings: Settings, user: str | None, order: Mapping[str, Any], run: str) -> dict[str, Any]:
    """What came of it; `run` names the order, so that the limit holds for all of its attempts together."""
    person = identity_of(settings, user) if user else None
    if person is None:
        raise NotAllowed(
            f"{user or 'Nobody'} is not a user of Headrace: trigger it signed in as one who may settle letters."
        )
    selection = Selection.of(None, order["stream"], order["reason"], order["since"], order["until"])
    outcome = settling.replay(
        settings,
        person,
        selection,
        PostgresAudit(settings),
        correlation_id=f"airflow:{run}",
        limit=int(order["limit"]),
        rate=float(order["rate"]),
    )
    return asdict(outcome)
