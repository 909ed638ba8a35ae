"""A page of Airflow that shows every stream and lets those who may start, stop and restart it.

It is mounted in the api-server, which asks nobody to sign in for such pages, so each route asks itself.
"""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any

from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_view
from fastapi import Depends, FastAPI, Form, HTTPException, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from headrace.policy import Identity
from headrace.policy.audit import AuditUnavailable, PostgresAudit
from headrace.policy.permit import NotAllowed
from headrace.policy.users import UsersFileError, identity_of
from headrace.runtime import job_orders, jobs
from headrace.settings import get_settings
from headrace.streams.heartbeat import Beat
from headrace_airflow import forgery, page_html

_TAIL = 500
_REFUSED = {NotAllowed: 403, jobs.JobBusy: 409, AuditUnavailable: 503, TimeoutError: 503}
JobName = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_-]*$")]

app = FastAPI(
    title="Headrace streams",
    dependencies=[Depends(requires_access_view(AccessView.JOBS))],
    docs_url=None,
    redoc_url=None,
    openapi_url=None,
)


@lru_cache(maxsize=1)
def _audit() -> PostgresAudit:
    return PostgresAudit(get_settings())


def _person(user: GetUserDep) -> Identity:
    """Who is signed in to Airflow, with the roles that Headrace's own files give; without one there, with none."""
    name = user.get_name()
    try:
        return identity_of(get_settings(), name) or Identity(name, ())
    except UsersFileError:
        return Identity(name, ())


Person = Annotated[Identity, Depends(_person)]


def read() -> list[dict[str, Any]]:
    """One entry a job, from the same judgement that the supervision uses."""
    return [_entry(jobs.keeper(name)) for name in jobs.registry(get_settings())]


def _entry(keeper: jobs.Keeper) -> dict[str, Any]:
    seen, history = keeper.status(), keeper.history
    beat = seen.beat
    return {
        "job": seen.job,
        "state": seen.state,
        "said": seen.reason,
        "pid": seen.handle.pid if seen.handle else None,
        "lag": beat.lag if beat else None,
        "batch": beat.batch_id if beat else None,
        "watermark": _watermark(beat) if beat else None,
        "heartbeat_at": beat.heartbeat_at if beat else None,
        "started_at": datetime.fromtimestamp(seen.handle.created, UTC) if seen.handle else None,
        "restarts": max(history.starts - 1, 0),
        "reason": history.reason,
    }


def _watermark(beat: Beat) -> datetime | None:
    """Of the lake job through when everything has landed; of the live job before when its state is done with."""
    told = beat.detail.get("watermark")
    return beat.landed_through or (datetime.fromisoformat(told) if told else None)


def _root(request: Request) -> str:
    """The path that the page is mounted at."""
    return str(request.scope["root_path"])


def _overview(request: Request, person: Identity, note: str = "", status: int = 200) -> HTMLResponse:
    token = forgery.token(_secret(), person.user) if job_orders.may(person) else None
    text = page_html.overview(_root(request), read(), token, note, wrong=status >= 400)
    return HTMLResponse(text, status, headers=page_html.HEADERS)


def _secret() -> str:
    return get_settings().secret("airflow_secret_key")


@app.get("/", response_class=HTMLResponse)
def overview(request: Request, person: Person, done: str = "", job: str = "") -> HTMLResponse:
    known = job in jobs.registry(get_settings())
    return _overview(request, person, page_html.done(done, job) if known else "")


@app.get("/status")
def status() -> list[dict[str, Any]]:
    return read()


@app.get("/{job}/log", response_class=HTMLResponse)
def log(request: Request, job: JobName) -> HTMLResponse:
    """The end of the job's log."""
    try:
        with jobs.keeper(job).log_file.open(encoding="utf-8", errors="replace") as lines:
            text = "".join(deque(lines, maxlen=_TAIL))
    except jobs.UnknownJob as error:
        raise HTTPException(404, str(error)) from None
    except FileNotFoundError:
        raise HTTPException(404, f"Job {job!r} has written no log yet.") from None
    return HTMLResponse(page_html.log(_root(request), job, text), headers=page_html.HEADERS)


@app.post("/{job}/{order}", response_model=None)
def press(
    request: Request, person: Person, job: JobName, order: job_orders.Order, token: Annotated[str, Form()] = ""
) -> HTMLResponse | RedirectResponse:
    """Carries out a button; the page that follows says what came of it."""
    if "authorization" not in request.headers and not forgery.genuine(_secret(), person.user, token):
        return _overview(request, person, "Nothing was done: this page had expired. Press the button again.", 403)
    try:
        job_orders.carry_out(get_settings(), person, order, job, _audit())
    except jobs.UnknownJob as error:
        raise HTTPException(404, str(error)) from None
    except tuple(_REFUSED) as error:
        code = next(code for kind, code in _REFUSED.items() if isinstance(error, kind))
        return _overview(request, person, f"Nothing was done: {error}", code)
    return RedirectResponse(f"{_root(request)}/?done={order}&job={job}", 303)
