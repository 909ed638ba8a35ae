"""GET /sessions/{id}: one session that may still change, as far as this person may see it."""

from __future__ import annotations

from app.api.models import OpenSession
from app.api.parts import Parts
from app.api.problems import Refused
from headrace.policy import Identity, Resource, allowed, column_masks, row_limits

_PERSON = "user_id"


def one(parts: Parts, person: Identity, session_id: str) -> OpenSession:
    """Whose it is, is told to those who see it elsewhere, unmasked. A session is of no region: a row limit leaves none."""
    if row_limits(person):
        raise Refused(
            403, f"{person.user} sees some rows only, and a session belongs to none of them.", "Ask an administrator."
        )
    found = parts.session(session_id)
    if found is None:
        raise Refused(404, "No session of this id is open.", "Closed sessions are in curated.fct_sessions.")
    named = allowed(person, "live", Resource("dimension", _PERSON)).allowed and _PERSON not in column_masks(person)
    return OpenSession.model_validate(found if named else found | {_PERSON: None})
