"""Start, stop and restart of a streaming job for a person: the policy is asked, the order is recorded, then carried out."""

from __future__ import annotations

from typing import Literal

from headrace.policy import Identity, allowed
from headrace.policy.audit import Audit, Entry
from headrace.policy.permit import permit
from headrace.runtime import jobs
from headrace.settings import Settings

ACTION = "run_streams"
Order = Literal["start", "stop", "restart"]


def may(person: Identity | None) -> bool:
    return person is not None and allowed(person, ACTION).allowed


def carry_out(settings: Settings, person: Identity, order: Order, job: str, audit: Audit) -> None:
    """Returns when it is done; raises NotAllowed, UnknownJob, JobBusy, or AuditUnavailable before anything is done."""
    keeper = jobs.keeper(job, settings)
    permit(person, ACTION, f"{order}_stream", job, audit)
    audit.write(Entry(person.user, f"{order}_stream", job, True, {"was": keeper.status().state}))
    if order == "stop":
        keeper.stop(by=person.user)
        return
    if order == "restart":
        keeper.stop()
    keeper.start(by=person.user)
