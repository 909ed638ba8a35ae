"""A range built anew for a person: asked of the policy and recorded; and ordered of Airflow from a terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from headrace.lake import rebuild as lake
from headrace.lake.rebuild import CannotRebuild, Range
from headrace.policy import Identity
from headrace.policy.audit import Entry, PostgresAudit
from headrace.policy.permit import NotAllowed, permit
from headrace.policy.users import ADMIN, identity_of
from headrace.settings import Settings

ACTION = "rebuild"
REFUSED = (CannotRebuild, NotAllowed)
"""What a repeat would not change."""
_DAG = "/api/v2/dags/backfill"


class BackfillFailed(RuntimeError):
    """Airflow could not be asked, or the run failed; the message says where to look."""


def rebuild(settings: Settings, user: str | None, start: str, end: str) -> list[dict[str, Any]]:
    """What was changed, table by table."""
    person = (identity_of(settings, user) if user else None) or Identity(user or "nobody", ())
    audit, subject = PostgresAudit(settings), f"{start} to {end}"
    permit(person, ACTION, ACTION, subject, audit)
    wanted = Range.of(start, end)
    audit.write(Entry(person.user, ACTION, subject, True, {"state": "begins"}))
    changed = lake.run(settings, wanted)
    audit.write(Entry(person.user, ACTION, subject, True, {"state": "done", "changed": changed}))
    return changed


def order(settings: Settings, start: str, end: str) -> str:
    """Triggers the DAG as the administrator, whose machine this is; the run's id."""
    lake.refuse_what_is_not_kept(settings, Range.of(start, end))
    with _airflow(settings) as client:
        body = {"logical_date": None, "conf": {"start": start, "end": end}}
        return str(_said(client.post(f"{_DAG}/dagRuns", json=body))["dag_run_id"])


def follow(settings: Settings, run: str, seconds: float) -> dict[str, Any]:
    """Waits for the run: its state, and what each table had wrong."""
    until = time.monotonic() + seconds
    with _airflow(settings) as client:
        while (state := _said(client.get(f"{_DAG}/dagRuns/{run}"))["state"]) not in ("success", "failed"):
            if time.monotonic() > until:
                break
            time.sleep(1)
        if state == "failed":
            raise BackfillFailed(f"The run failed: its log is at {settings.airflow_url}/dags/backfill/runs/{run}.")
        path = f"{_DAG}/dagRuns/{run}/taskInstances/rebuild/xcomEntries/return_value?deserialize=true"
        changed = _said(client.get(path))["value"] if state == "success" else None
    return {"run": run, "state": state, "changed": changed}


@contextmanager
def _airflow(settings: Settings) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=settings.airflow_url, trust_env=False, timeout=30) as client:
        try:
            who = {"username": ADMIN, "password": settings.secret("admin_password")}
            token = _said(client.post("/auth/token", json=who))["access_token"]
            client.headers["Authorization"] = f"Bearer {token}"
            yield client
        except httpx.TransportError as error:
            raise BackfillFailed(f"Airflow does not answer ({error}). Next: ./headrace up") from error


def _said(answer: httpx.Response) -> dict[str, Any]:
    if answer.is_error:
        raise BackfillFailed(f"Airflow refused ({answer.status_code}): {answer.text[:500]}")
    return dict(answer.json())
