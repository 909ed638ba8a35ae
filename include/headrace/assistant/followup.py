""" "and last week?", "by region instead", "as a bar chart": what a short question takes over from the one before."""

from __future__ import annotations

from headrace.assistant.defaults import previous_of, trend_grain
from headrace.assistant.draft import Draft
from headrace.assistant.plan import Filter, Order, Plan, TimeRange
from headrace.assistant.stopwords import FOLLOWING


def inherits(question: str, draft: Draft) -> bool:
    """A question without a figure of its own, or one that opens like a continuation, continues the one before."""
    if draft.metrics:
        return question.lower().strip().startswith(FOLLOWING) and not draft.unknown
    cues = draft.cues
    says = (
        draft.periods,
        draft.group_by,
        draft.filters,
        draft.rank,
        cues.chart,
        cues.grain,
        cues.trend,
        cues.compare_previous,
    )
    return (any(says) or cues.compare_at is not None) and not draft.unknown


def merge(previous: Plan, draft: Draft) -> Plan:
    """The plan before with what the new question says put in its place."""
    metrics = _metrics(previous, draft)
    group_by = _group_by(previous, draft)
    time, compare = _times(previous, draft)
    grain = draft.cues.grain or (trend_grain(time) if draft.cues.trend else None)
    if grain is None and not (draft.group_by and not draft.adding):
        grain = previous.grain
    order, limit = _rank(previous, draft, metrics, keyed=bool(group_by or grain))
    return Plan(
        metrics=metrics,
        group_by=group_by,
        filters=_filters(previous, draft),
        time=time,
        compare=compare,
        grain=grain,
        order=order,
        limit=limit,
        source=draft.cues.source if draft.cues.source != "both" else previous.source,
        chart=draft.cues.chart,
    )


def _metrics(previous: Plan, draft: Draft) -> tuple[str, ...]:
    if not draft.metrics:
        return previous.metrics
    return tuple(dict.fromkeys((*previous.metrics, *draft.metrics))) if draft.adding else tuple(draft.metrics)


def _group_by(previous: Plan, draft: Draft) -> tuple[str, ...]:
    if not draft.group_by:
        return () if draft.cues.grain and not draft.adding and previous.limit == 1 else previous.group_by
    return tuple(dict.fromkeys((*previous.group_by, *draft.group_by))) if draft.adding else tuple(draft.group_by)


def _times(previous: Plan, draft: Draft) -> tuple[TimeRange, TimeRange | None]:
    at = draft.cues.compare_at
    named = [p.time for p in draft.periods]
    if at is not None or draft.cues.compare_previous:
        return previous.time, named[0] if named else previous_of(previous.time)
    return (named[0], named[1] if len(named) > 1 and named[1] != named[0] else None) if named else (previous.time, None)


def _filters(previous: Plan, draft: Draft) -> tuple[Filter, ...]:
    if draft.adding:
        old = {(f.dimension, f.negated): f for f in previous.filters}
        for new in draft.filters:
            known = old.get((new.dimension, new.negated))
            values = tuple(dict.fromkeys((*(known.values if known else ()), *new.values)))
            old[new.dimension, new.negated] = new.model_copy(update={"values": values})
        return tuple(old.values())
    replaced = {f.dimension for f in draft.filters}
    return (*(f for f in previous.filters if f.dimension not in replaced), *draft.filters)


def _rank(previous: Plan, draft: Draft, metrics: tuple[str, ...], *, keyed: bool) -> tuple[Order | None, int | None]:
    if draft.rank and keyed:
        return Order(by=metrics[0], descending=draft.rank.descending), draft.rank.limit or previous.limit or 10
    if previous.order and previous.order.by not in metrics:
        return Order(by=metrics[0], descending=previous.order.descending), previous.limit
    return previous.order, previous.limit
