"""When the lake may be built, and what may be claimed afterwards: the conditions and steps behind the build's DAGs.

A claim is taken before the build starts. At that moment the lake job has landed everything that arrived before
`landed_through`; an event that is not late arrives within `lateness_minutes` of its own time; so everything with an event
time before the difference is in raw, and the build that starts afterwards reads it.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from headrace.lake import coverage, dbt, results
from headrace.lake.trino import connect
from headrace.log import get_logger
from headrace.settings import Settings
from headrace.streams import heartbeat, published
from headrace.streams.landing.files import waiting_files

LAKE_JOB = "lake"
_SKEW = timedelta(minutes=1)
"""What the clocks of two machines may differ by."""
_LOG = get_logger(__name__)


def streams(settings: Settings) -> list[str]:
    """The streams that live and curated figures are joined for."""
    return [c.name for c in published.read(settings).values() if c.kind == "events"]


def watermark(settings: Settings) -> datetime | None:
    """Every event before this minute that is not late has landed; None while the lake job has said nothing.

    What it said counts for the streams that it knew: after a new one, it has to catch up and say it again.
    """
    beat = heartbeat.read(settings, LAKE_JOB)
    if beat is None or beat.landed_through is None:
        return None
    if beat.detail.get("contracts") != published.contracts_print(settings):
        return None
    if beat.landed_through > datetime.now(UTC) + _SKEW:
        return None  # The clock went back since; the job says anew what has landed.
    moment = beat.landed_through.astimezone(UTC) - timedelta(minutes=settings.lateness_minutes)
    return moment.replace(second=0, microsecond=0)


def covered_through(settings: Settings) -> datetime | None:
    """The moment up to which every stream is curated that was built before; None before the first build.

    A new stream has no such moment yet: the next build gives it one.
    """
    points = [coverage.through(settings, stream) for stream in streams(settings)]
    return min((point for point in points if point is not None), default=None)


def awaited_landing(settings: Settings, moment: str) -> str | None:
    """What has to happen before the build for a moment can start, or None."""
    if covered_through(settings) is None:
        return "the first build of the history (DAG first_build)"
    reached = watermark(settings)
    if reached is None:
        return "the lake job's first sign of what it has landed (DAG stream_lake)"
    wanted = datetime.fromisoformat(moment)
    if reached < wanted:
        return f"events before {wanted:%H:%M} to land; so far everything before {reached:%H:%M} has (DAG stream_lake)"
    return None


def awaited_rates(settings: Settings) -> str | None:
    """Exchange rates in raw, without which no amount can be told in the reporting currency; or all of a history without."""
    if awaited_history(settings) is None:
        return None
    with connect(settings, service="dbt") as connection:
        cursor = connection.cursor()
        cursor.execute("select 1 from lake.raw.exchange_rates limit 1")
        return None if cursor.fetchall() else "the first exchange rates to land in raw (DAG stream_lake)"


def awaited_history(settings: Settings) -> str | None:
    """What of the generated history is not in raw yet, or None."""
    if not _history(settings).get("complete"):
        return "the history to be written (part simulator)"
    if waiting := waiting_files(settings):
        return f"{len(waiting)} files to land in raw, next {waiting[0].parent.name}/{waiting[0].name} (DAG stream_lake)"
    return None


def first_claim(settings: Settings) -> datetime:
    """What the first build will cover: the history, or more if the stream has landed past it."""
    history = datetime.fromisoformat(_history(settings)["through"])
    return max(history, watermark(settings) or history)


def claim(settings: Settings, through: datetime) -> None:
    """A moment that is still to come was taken by a clock that has gone back since: then no more than has landed is claimed."""
    if through > datetime.now(UTC) + _SKEW:
        landed = watermark(settings)
        _LOG.error(
            "the clock went back during the build; less is claimed", wanted=through.isoformat(), claimed=str(landed)
        )
        if landed is None:
            raise RuntimeError(
                "The clock went back and the lake job has not said yet what has landed.\nNext: clear this task once DAG stream_lake runs."
            )
        through = landed
    for stream in streams(settings):
        coverage.advance(settings, stream, through)


def build_all(settings: Settings) -> dict[str, str]:
    """Builds and tests all but the views over raw, in one run; how each node ended, by dbt's unique id.

    That some failed is no error here: who asks about a node is told. DbtFailed where dbt itself did not come to its end.
    """
    made = dbt.target(settings) / "run_results.json"
    # Otherwise an earlier run's could be taken for those of a run that ended before its first model.
    made.unlink(missing_ok=True)
    try:
        # In the log of the task, model by model, for who wants to see how far it is.
        dbt.run(settings, ["build", "--exclude", "tag:raw"], quiet=False)
    except dbt.DbtFailed as error:
        if not made.is_file():
            raise
        _LOG.error("some_models_failed", said=str(error))
    return results.outcomes(made.parent)


def refresh_views(settings: Settings) -> bool:
    """Makes the views over raw anew after a contract changed: the tables above them read through the gate."""
    return _once_for(settings, "raw_views", "models/raw/*.sql", ["run", "--select", "tag:raw"])


def refresh_docs(settings: Settings) -> bool:
    """Makes the documentation anew after the project changed: it asks for every column of the lake, which no hour has to pay."""
    return _once_for(settings, "docs", "**/*.*", ["docs", "generate"])


def _once_for(settings: Settings, what: str, files: str, arguments: list[str]) -> bool:
    """Runs dbt, unless it has done this for the same files of the project; whether it ran."""
    project, digest = dbt.project(settings), hashlib.sha256()
    for path in sorted(path for path in project.glob(files) if path.is_file()):
        digest.update(str(path.relative_to(project)).encode() + path.read_bytes())
    stamp = settings.run / f"{what}.stamp"
    if stamp.is_file() and stamp.read_text() == digest.hexdigest():
        return False
    dbt.run(settings, arguments, timeout=600)
    stamp.write_text(digest.hexdigest())
    return True


def _history(settings: Settings) -> dict[str, Any]:
    try:
        return dict(json.loads((settings.run / "history.json").read_text()))
    except FileNotFoundError:
        return {}
