"""The historical part as statements for the lake: one for what adds up, one for each set of buckets behind percentiles."""

from __future__ import annotations

from dataclasses import dataclass, replace

from headrace.assistant.evidence import HistoryRequest
from headrace.assistant.figures import Part
from headrace.assistant.sketches import Histogram, middle
from headrace.assistant.vocabulary import Dimension, Metric, Vocabulary
from headrace.semantics.percentile import Percentile


@dataclass(frozen=True)
class PastRead:
    request: HistoryRequest
    percentiles: tuple[tuple[str, Percentile], ...] = ()
    """Metrics that are made of the counts by bucket, which is the last column of keys."""

    def folded(self, part: Part) -> Part:
        if not self.percentiles:
            return part
        made: Part = {}
        for (moment, keys), cells in part.items():
            row = made.setdefault((moment, keys[:-1]), {})
            for name, percentile in self.percentiles:
                kept = row.setdefault(name, Histogram(percentile.share))
                count = cells[percentile.counter]
                if isinstance(kept, Histogram) and count is not None:
                    kept.add(middle(percentile.base, keys[-1]), int(str(count)))
        return made


def reads(components: tuple[Metric, ...], asked: HistoryRequest, vocabulary: Vocabulary) -> list[PastRead]:
    """What to read for these components; `asked` says of which stretch, split and limited how."""
    plain = tuple(c for c in components if c.percentile is None)
    found = [PastRead(replace(asked, metrics=plain))] if plain else []
    by_buckets: dict[tuple[str, str], list[tuple[str, Percentile]]] = {}
    for c in components:
        if c.percentile:
            by_buckets.setdefault((c.percentile.counter, c.percentile.bucket), []).append((c.name, c.percentile))
    for (counter, bucket), percentiles in by_buckets.items():
        axes = (*asked.group_by, Dimension(bucket, bucket, bucket))
        request = replace(asked, metrics=(vocabulary.metrics[counter],), group_by=axes)
        found.append(PastRead(request, tuple(percentiles)))
    return found
