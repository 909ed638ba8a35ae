"""A page of Airflow that shows every stream: state, lag, how far it has landed, and why it was last restarted.

It is mounted in the api-server, which asks nobody to sign in for such pages, so each route asks itself.
"""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from html import escape
from typing import Annotated, Any

from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
from airflow.api_fastapi.core_api.security import requires_access_view
from fastapi import Depends, FastAPI, HTTPException, Path
from fastapi.responses import HTMLResponse, PlainTextResponse

_TAIL = 500
_COLOURS = {"running": "#1a7f37", "starting": "#9a6700", "unknown": "#9a6700"}
_HEAD = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Streams</title>
<meta http-equiv="refresh" content="5"><style>
:root{color-scheme:light dark} body{font:14px system-ui,sans-serif;margin:1.5rem}
table{border-collapse:collapse;width:100%} th,td{text-align:left;padding:.5rem .8rem;border-bottom:1px solid #8884}
th{font-weight:600} p{color:#888}</style><h1>Streams</h1>"""
_COLUMNS = (
    "Job",
    "State",
    "Process",
    "Lag",
    "Landed through",
    "Last heartbeat",
    "Last start",
    "Restarts",
    "Reason",
    "Log",
)

app = FastAPI(
    title="Headrace streams",
    dependencies=[Depends(requires_access_view(AccessView.JOBS))],
    docs_url=None,
    redoc_url=None,
    openapi_url=None,
)


def read() -> list[dict[str, Any]]:
    """One entry a job, from the same judgement that the supervision uses."""
    from headrace.runtime import jobs
    from headrace.settings import get_settings

    return [_entry(jobs.keeper(name)) for name in jobs.registry(get_settings())]


def _entry(keeper: Any) -> dict[str, Any]:
    seen, history = keeper.status(), keeper.history
    beat = seen.beat
    return {
        "job": seen.job,
        "state": seen.state,
        "said": seen.reason,
        "pid": seen.handle.pid if seen.handle else None,
        "lag": beat.lag if beat else None,
        "landed_through": beat.landed_through if beat else None,
        "heartbeat_at": beat.heartbeat_at if beat else None,
        "started_at": datetime.fromtimestamp(seen.handle.created, UTC) if seen.handle else None,
        "restarts": max(history.starts - 1, 0),
        "reason": history.reason,
    }


@app.get("/", response_class=HTMLResponse)
def overview() -> str:
    rows = "".join(_row(entry) for entry in read())
    head = "".join(f"<th>{name}</th>" for name in _COLUMNS)
    now = datetime.now(UTC).strftime("%H:%M:%S")
    return f"{_HEAD}<table><tr>{head}</tr>{rows}</table><p>As of {now} UTC; renewed every 5 seconds.</p>"


def _row(entry: dict[str, Any]) -> str:
    colour = _COLOURS.get(entry["state"], "#cf222e")
    state = f'<b style="color:{colour}">{escape(entry["state"])}</b><br><small>{escape(entry["said"])}</small>'
    link = f'<a href="{escape(entry["job"])}/log" target="_blank">log</a>'
    moments = [_moment(entry[name]) for name in ("landed_through", "heartbeat_at", "started_at")]
    cells = [escape(entry["job"]), state, _number(entry["pid"]), _number(entry["lag"]), *moments]
    cells += [str(entry["restarts"]), escape(entry["reason"] or "–"), link]
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _number(value: int | None) -> str:
    return "–" if value is None else str(value)


def _moment(value: datetime | None) -> str:
    return "–" if value is None else value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


@app.get("/status")
def status() -> list[dict[str, Any]]:
    return read()


@app.get("/{job}/log", response_class=PlainTextResponse)
def log(job: Annotated[str, Path(pattern=r"^[a-z][a-z0-9_-]*$")]) -> str:
    """The end of the job's log."""
    from headrace.runtime import jobs

    try:
        path = jobs.keeper(job).log_file
        with path.open(encoding="utf-8", errors="replace") as lines:
            return "".join(deque(lines, maxlen=_TAIL))
    except jobs.UnknownJob as error:
        raise HTTPException(404, str(error)) from None
    except FileNotFoundError:
        raise HTTPException(404, f"Job {job!r} has written no log yet.") from None
