"""Which live windows answer a question: the ones with the fewest rows among those whose keys cover it."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod

from headrace.assistant.vocabulary import Metric, Vocabulary
from headrace.streams.spec import LiveSpec

_MANY = 1000
"""Taken for a key whose values nobody lists, such as an id."""


def smallest(component: Metric, keys: Iterable[str], vocabulary: Vocabulary) -> LiveSpec | None:
    """Every specification of a stream counts every event once, so any that has the keys gives the same figure."""
    measure = component.live
    if measure is None:
        return None
    needed = measure.needs | set(keys)
    fit = [s for s in vocabulary.windows if s.stream == measure.stream and needed <= set(s.keys)]
    return min(fit, key=lambda spec: _rows(spec, vocabulary), default=None)


def _rows(spec: LiveSpec, vocabulary: Vocabulary) -> int:
    """At most so many a window; of equals, the first that was declared is taken."""
    known = (vocabulary.dimensions.get(key) for key in spec.keys)
    return prod((len(d.values) if d and d.values else _MANY) for d in known)
