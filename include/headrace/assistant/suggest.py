"""Questions that can be asked, made from the catalogue itself, so that none of them is ever declined."""

from __future__ import annotations

from headrace.assistant.vocabulary import Metric, Vocabulary


def suggest(vocabulary: Vocabulary) -> tuple[str, ...]:
    """Figures that are kept live come first: they have something to say from the first minute."""
    ranked = sorted(vocabulary.metrics.values(), key=_rank)
    if not ranked:
        return ()
    first, second = ranked[0], next((m for m in ranked[1:] if not m.money), ranked[-1])
    live = [d for d in vocabulary.dimensions.values() if d.live_key and vocabulary.qualified(d.name, [first.name])]
    axes = sorted(live, key=lambda d: d.name != "region")
    made = [
        f"{first.label.lower()} today, including the last minute",
        f"{second.label.lower()} by day in the last 7 days",
        f"{first.label.lower()} today compared with yesterday",
    ]
    return (*made, *(f"top 5 {axis.label.lower()}s by {first.label.lower()} this month" for axis in axes[:1]))


def _rank(metric: Metric) -> tuple[bool, bool, bool, str]:
    return metric.live is None, not metric.money, metric.name != "sales", metric.label
