"""Sentences that the figures carry, and no more: the figure itself, the leader and its share, the change."""

from __future__ import annotations

from decimal import Decimal

from headrace.assistant.plan import Plan
from headrace.assistant.table import Row
from headrace.assistant.vocabulary import Metric, Vocabulary
from headrace.assistant.wording import figure, moment, name, percent


def headline(plan: Plan, rows: list[Row], vocabulary: Vocabulary) -> str:
    """The answer in one sentence."""
    period = plan.time.label
    if not plan.group_by and not plan.grain:
        said = [
            f"{vocabulary.metrics[m].label}: {figure(rows[0].values[m], vocabulary.metrics[m])}" for m in plan.metrics
        ]
        return f"{'; '.join(said)} ({period})."
    labels = " and ".join(vocabulary.metrics[m].label for m in plan.metrics)
    if not rows:
        return f"There is nothing to count for {labels} in this period ({period})."
    metric = vocabulary.metrics[plan.metrics[0]]
    axes = " and ".join(
        [*([plan.grain] if plan.grain else []), *(vocabulary.dimensions[n].label for n in plan.group_by)]
    )
    first = f"{labels} by {axes} ({period})"
    if plan.order and rows[0].values[metric.name] is not None:
        word = "Highest" if plan.order.descending else "Lowest"
        return f"{first}. {word}: {_title(plan, rows[0])} with {figure(rows[0].values[metric.name], metric)}."
    return f"{first}: {len(rows)} row{'s' * (len(rows) != 1)}."


def insights(plan: Plan, rows: list[Row], before: list[Row] | None, vocabulary: Vocabulary) -> list[str]:
    """`rows` are all rows, not only those shown: a share of a cut list would be too large."""
    metric = vocabulary.metrics[plan.metrics[0]]
    found: list[str] = []
    if before is not None:
        found += _changes(plan, rows, before, vocabulary)
    if plan.group_by and not plan.grain:
        found += _leader(plan, rows, metric)
    if plan.grain and not plan.group_by:
        found += _peak(plan, rows, metric)
    return found


def _title(plan: Plan, row: Row) -> str:
    when = [moment(row.bucket, plan.grain)] if plan.grain and row.bucket else []
    return ", ".join([*when, *(name(key) for key in row.keys)])


def _leader(plan: Plan, rows: list[Row], metric: Metric) -> list[str]:
    known = [(r, v) for r in rows if (v := r.values[metric.name]) is not None]
    if len(known) < 2:
        return []
    top, value = max(known, key=lambda pair: pair[1])
    whole = sum((v for _, v in known), Decimal(0))
    adds_up = metric.agg in ("sum", "count") and all(v >= 0 for _, v in known) and whole > 0
    share = f", {percent(value, whole)} of the total" if adds_up else ""
    word = "the most" if metric.agg in ("sum", "count") or not (metric.inputs or metric.money) else "the highest"
    return [f"{_title(plan, top)} has {word} {metric.label.lower()}: {figure(value, metric)}{share}."]


def _peak(plan: Plan, rows: list[Row], metric: Metric) -> list[str]:
    known = [(r, v) for r in rows if (v := r.values[metric.name]) is not None]
    if len(known) < 3:
        return []
    top, value = max(known, key=lambda pair: pair[1])
    return [f"The highest {plan.grain} is {_title(plan, top)} with {figure(value, metric)}."]


def _changes(plan: Plan, rows: list[Row], before: list[Row], vocabulary: Vocabulary) -> list[str]:
    """Totals are compared; for split figures each row that both periods have, the largest change first."""
    label = plan.compare.label if plan.compare else "before"
    if plan.grain:
        return []
    if not plan.group_by:
        metrics = [vocabulary.metrics[m] for m in plan.metrics]
        return [_change(m.label, rows[0].values[m.name], before[0].values[m.name], label, m) for m in metrics]
    metric = vocabulary.metrics[plan.metrics[0]]
    old = {r.keys: r.values[metric.name] for r in before}
    pairs = [(r, r.values[metric.name], old.get(r.keys)) for r in rows]
    both = [(r, a, b) for r, a, b in pairs if a is not None and b is not None]
    both.sort(key=lambda p: -abs(p[1] - p[2]))
    return [_change(f"{metric.label}, {_title(plan, r)}", a, b, label, metric) for r, a, b in both[:3]]


def _change(what: str, now: Decimal | None, then: Decimal | None, label: str, metric: Metric) -> str:
    if now is None or then is None:
        return f"{what}: {figure(now, metric)}; {label}: {figure(then, metric)}."
    difference = now - then
    if difference == 0:
        return f"{what}: unchanged against {label} ({figure(then, metric)})."
    word = "up" if difference > 0 else "down"
    by = f" ({percent(abs(difference), abs(then))})" if then else ""
    return f"{what}: {word} {figure(abs(difference), metric)}{by} against {label} ({figure(then, metric)})."
