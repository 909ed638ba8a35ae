"""Asks the one policy before something is done; a refusal is recorded like everything else."""

from __future__ import annotations

from headrace.policy.audit import Audit, Entry, write_or_log
from headrace.policy.decide import allowed
from headrace.policy.identity import Identity


class NotAllowed(PermissionError):
    """The policy says no; the message says to whom to turn."""


def permit(person: Identity, action: str, doing: str, subject: str, audit: Audit) -> None:
    decision = allowed(person, action)
    if not decision.allowed:
        write_or_log(audit, Entry(person.user, doing, subject, False, {"reason": decision.reason}))
        raise NotAllowed(decision.reason)
