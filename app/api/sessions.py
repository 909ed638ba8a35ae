"""Sessions of the live store, as far as this person may see them: one by its id, or those of a person in the last hour."""

from __future__ import annotations

from app.api.models import Activity, LiveSession
from app.api.parts import Parts
from app.api.problems import Refused
from app.api.security import require
from headrace.policy import Identity, Resource, allowed, column_masks, row_limits

_PERSONS = Resource("dimension", "user_id")


def one(parts: Parts, person: Identity, session_id: str) -> LiveSession:
    """Whose it is, is told to those who see it elsewhere, unmasked."""
    _require_every_row(person)
    found = parts.session(session_id)
    if found is None:
        raise Refused(404, "No session of this id is open.", "Closed sessions are in curated.fct_sessions.")
    named = allowed(person, "live", _PERSONS).allowed and not _masked(person)
    return LiveSession.model_validate(found if named else found | {"user_id": None})


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
