"""GET /live/windows: windows of any length, tumbling or sliding, made of the live minutes, for programs and dashboards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, Field

from app.api.parts import Parts
from app.api.problems import Refused
from headrace.assistant.livepart import Windows
from headrace.assistant.periods import ceil_minute
from headrace.assistant.permit import row_filters, vocabulary_of
from headrace.live.either import of_either
from headrace.live.fold import Folded, sliding
from headrace.live.held import whole_from
from headrace.policy import Identity
from headrace.streams.spec import LiveSpec

_MOST_ROWS = 10_000


class Asked(BaseModel):
    """Which windows: `slide` is how far apart they begin; as long as `seconds`, they do not overlap."""

    spec: str = Field(description="A list of keys that windows are kept by, such as transactions_by_user.")
    seconds: int = Field(300, ge=60, le=7200, multiple_of=60)
    slide: int = Field(60, ge=60, le=7200, multiple_of=60)
    minutes: int = Field(15, ge=1, le=180, description="Windows that begin within so many minutes up to now.")
    late: bool = Field(False, description="Windows of the events that came late, which are counted apart.")


Wanted = Annotated[Asked, Query()]


class LiveWindows(BaseModel):
    as_of: datetime
    spec: str
    seconds: int
    slide: int
    source: str
    complete_from: datetime
    """No row is of a window that begins earlier: some of its minutes are not held any more, as history has them."""
    rows: list[dict[str, Any]]
    """Sums are exact, so they are text; `averages` are the sums by n."""


def windows(parts: Parts, person: Identity, asked: Asked) -> LiveWindows:
    spec = _permitted(parts, person, asked.spec)
    now = datetime.now(UTC)
    end = ceil_minute(now)
    begin = end - timedelta(minutes=asked.minutes)

    def read(store: Windows) -> tuple[datetime, list[Folded]]:
        whole = max(begin, whole_from(parts.settings, spec, store.since(spec.name), now))
        return whole, sliding(store, spec, whole, end, seconds=asked.seconds, slide=asked.slide, late=asked.late)

    (whole, found), source = of_either(parts.windows, parts.second, read)
    limits = {f.dimension: f.values for f in row_filters(person)}
    kept = [row for row in found if all(row.keys[name] in values for name, values in limits.items())]
    if len(kept) > _MOST_ROWS:
        raise Refused(413, f"That would be more than {_MOST_ROWS:,} rows.", "Ask for fewer minutes or a longer slide.")
    rows = [_row(row, spec) for row in kept]
    return LiveWindows(
        as_of=now, spec=spec.name, seconds=asked.seconds, slide=asked.slide, rows=rows, source=source,
        complete_from=whole,
    )  # fmt: skip


def _permitted(parts: Parts, person: Identity, name: str) -> LiveSpec:
    """Windows whose every key this person may see as it is, and that know the keys their rows are limited by."""
    whole = parts.vocabulary()
    spec = next((s for s in whole.windows if s.name == name), None)
    if spec is None:
        known = ", ".join(s.name for s in whole.windows)
        raise Refused(404, f"No live windows are called {name!r}.", f"There are: {known}.")
    mine = vocabulary_of(person, whole).dimensions
    seen = all(key in dict(spec.exprs) or (key in mine and mine[key].live_key) for key in spec.keys)
    if not seen or not {f.dimension for f in row_filters(person)} <= set(spec.keys):
        raise Refused(403, f"You may not see {name} row by row.", "Ask for the figure by POST /query instead.")
    return spec


def _row(row: Folded, spec: LiveSpec) -> dict[str, Any]:
    sums = {a.name: row.values[a.name] for a in spec.accumulators if a.agg == "sum"}
    return {
        "window_start": row.window_start,
        "keys": row.keys,
        "n": row.n,
        "values": {name: value if isinstance(value, int) else str(value) for name, value in row.values.items()},
        "averages": {name.removeprefix("sum_"): float(round(value / row.n, 6)) for name, value in sums.items()},
    }
