"""Sessions, as far as this person may see them: one by its id, live or from the lake; those of a person in the last hour."""

from __future__ import annotations

from typing import Any

from app.api.models import Activity, LiveSession
from app.api.parts import Parts
from app.api.problems import Refused
from app.api.security import require
from headrace.keys.lake_sessions import CURATED
from headrace.policy import Identity, Resource, allowed, column_masks, row_limits
from headrace.policy.audit import Entry

_PERSONS = Resource("dimension", "user_id")


def one(parts: Parts, person: Identity, session_id: str) -> LiveSession:
    """Whose it is, is told to those who see it elsewhere, unmasked."""
    _require_every_row(person)
    action, found = "live", parts.session(session_id)
    if found is None:
        action, found = "ask", _of_lake(parts, person, session_id)
    named = allowed(person, action, _PERSONS).allowed and not _masked(person)
    return LiveSession.model_validate(found if named else found | {"user_id": None})


def _of_lake(parts: Parts, person: Identity, session_id: str) -> dict[str, Any]:
    """Handed over only after the read was recorded, as of every row of the lake."""
    require(parts, person, "ask", Resource("table", CURATED))
    found = parts.closed_session(session_id)
    detail = {"source": found["source"]} if found else {"found": False}
    parts.audit.write(Entry(person.user, "read", f"session {session_id}", found is not None, detail))
    if found is None:
        raise Refused(404, f"There is no session {session_id}.", "See the id once more.")
    return found


def of_user(parts: Parts, person: Identity, user_id: str) -> Activity:
    """Only for those who see persons: who sees a pseudonym could otherwise try names."""
    require(parts, person, "live", _PERSONS)
    if _masked(person):
        raise Refused(403, f"{person.user} sees persons under a pseudonym only.", "Ask an administrator.")
    _require_every_row(person)
    return Activity(user_id=user_id, sessions=[LiveSession.model_validate(one) for one in parts.activity(user_id)])


def _masked(person: Identity) -> bool:
    return "user_id" in column_masks(person)


def _require_every_row(person: Identity) -> None:
    """A session is of no region and no merchant, so a row limit leaves none."""
    if row_limits(person):
        raise Refused(
            403, f"{person.user} sees some rows only, and a session belongs to none of them.", "Ask an administrator."
        )
