"""GET /metrics/{name}/latest: a metric over the last minutes, from its key, else from the windows, else from curated."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pydantic import BaseModel, Field
from redis.exceptions import RedisError

from app.api.parts import Parts
from app.api.problems import Refused
from app.api.security import require
from headrace.assistant.figures import evaluate
from headrace.assistant.periods import ceil_minute
from headrace.assistant.permit import row_filters, vocabulary_of
from headrace.assistant.plan import Plan, Source, TimeRange
from headrace.assistant.route import NotKnown
from headrace.assistant.vocabulary import Vocabulary
from headrace.assistant.wording import number
from headrace.live.either import SECOND, LiveNotFilled
from headrace.log import get_logger
from headrace.policy import Identity, Resource

_LOG = get_logger(__name__)


class LatestMetric(BaseModel):
    metric: str
    minutes: int
    unit: str
    source: str = Field(
        description="live: the kept value; windows (or clickhouse), curated, or both, where it was folded now."
    )
    start: datetime
    end: datetime
    as_of: datetime
    value: int | float | None = None
    by: str | None = None
    values: dict[str, int | float | None] | None = None
    notes: list[str] = Field(default_factory=list)


def latest(parts: Parts, person: Identity, name: str, minutes: int, by: str | None) -> LatestMetric:
    words = _permitted(parts, person, name, by)
    # What is kept is everybody's figure: who sees some rows only gets their own, folded now.
    if not row_filters(person) and (held := _held(parts, name, minutes, by)):
        return held
    now = datetime.now(UTC)
    end = ceil_minute(now)
    try:
        return _folded(
            parts, person, name, by, TimeRange(start=end - timedelta(minutes=minutes), end=end, label="now"), words
        )
    except (LiveNotFilled, RedisError, NotKnown) as error:
        _LOG.info("latest_from_curated", metric=name, because=str(error))
        covered = parts.coverage()
        if covered is None:
            raise Refused(
                503, "This figure is not live now, and history is still being built.", "Try again in some minutes.",
                {"Retry-After": "60"},
            ) from error  # fmt: skip
        past = TimeRange(start=covered - timedelta(minutes=minutes), end=covered, label="curated")
        return _folded(parts, person, name, by, past, words, source="historical")


def _permitted(parts: Parts, person: Identity, name: str, by: str | None) -> Vocabulary:
    whole = parts.vocabulary()
    if name not in whole.metrics:
        raise Refused(404, f"No metric is called {name!r}.", "GET /catalogue/metrics names them.")
    words = vocabulary_of(person, whole)
    asked = [Resource("metric", one.name) for one in whole.components([name])] + [Resource("metric", name)]
    for resource in asked + ([Resource("dimension", by)] if by else []):
        require(parts, person, "ask", resource)
    if by and words.qualified(by, [name]) is None:
        raise Refused(404, f"{name} cannot be split by {by!r}.", "GET /catalogue/metrics names the dimensions.")
    return words


def _held(parts: Parts, name: str, minutes: int, by: str | None) -> LatestMetric | None:
    try:
        held = parts.kept_metric(name, minutes, by)
    except RedisError as error:
        _LOG.warning("live_store_passed_over", reason=str(error))
        return None
    return LatestMetric(source="live", **held) if held else None


def _folded(
    parts: Parts, person: Identity, name: str, by: str | None, time: TimeRange, words: Vocabulary, *, source: Source = "both"
) -> LatestMetric:  # fmt: skip
    plan = Plan(metrics=(name,), group_by=(by,) if by else (), time=time, source=source)
    result, _ = parts.runner.run(person, plan, words, row_filters(person))
    windows = SECOND if any(one.source.startswith(SECOND) for one in result.freshness) else "windows"
    metric, from_ = words.metrics[name], {"live": windows, "historical": "curated", "both": f"curated and {windows}"}
    figures = {keys: number(evaluate(name, cells, words), metric) for (_, keys), cells in result.part.items()}
    read = [one.as_of for one in result.freshness if one.as_of]
    made = LatestMetric(
        metric=name, minutes=int((time.end - time.start).total_seconds() // 60), unit=metric.unit,
        source=from_[result.source], start=time.start, end=time.end, as_of=max(read, default=time.end), notes=result.notes,
    )  # fmt: skip
    if by:
        return made.model_copy(update={"by": by, "values": {keys[0] or "": value for keys, value in figures.items()}})
    return made.model_copy(update={"value": figures.get((), number(evaluate(name, {}, words), metric))})
