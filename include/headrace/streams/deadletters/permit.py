"""Who may do what with dead letters: the one policy decides, and a refusal is recorded like everything else."""

from __future__ import annotations

from headrace.policy import Identity, allowed, column_masks, row_limits
from headrace.policy.audit import Audit, Entry, write_or_log

READ, SETTLE = "read_letters", "settle_letters"


class NotAllowed(PermissionError):
    """The policy says no; the message says to whom to turn."""


def permit(person: Identity, action: str, doing: str, subject: str, audit: Audit) -> None:
    decision = allowed(person, action)
    if not decision.allowed:
        write_or_log(audit, Entry(person.user, doing, subject, False, {"reason": decision.reason}))
        raise NotAllowed(decision.reason)


def sees_persons(person: Identity) -> bool:
    """The original bytes may name a person: only those see them from whom no column is masked and no row is kept."""
    return not column_masks(person) and not row_limits(person)
