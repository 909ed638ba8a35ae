"""What can be asked about, in the assistant's own words: metrics, their components, dimensions and known values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from headrace.assistant.periods import Grain
from headrace.semantics.percentile import Percentile
from headrace.streams.spec import LiveMeasure, LiveSpec

Agg = Literal["sum", "count", "min", "max"]


@dataclass(frozen=True)
class Metric:
    name: str
    label: str
    description: str = ""
    synonyms: tuple[str, ...] = ()
    kind: str = "simple"
    unit: str = ""
    money: bool = False
    owner: str = ""
    agg: Agg | None = None
    """How two parts of a period are put together; none for what cannot be (a distinct count)."""
    live: LiveMeasure | None = None
    inputs: tuple[tuple[str, str], ...] = ()
    """For ratios and derived metrics: the name in the expression, and the metric it stands for."""
    expr: str = ""
    dimensions: tuple[str, ...] = ()
    """Qualified names of what it can be split by; empty where nobody said."""
    percentile: Percentile | None = None
    finest: Grain = "minute"
    """The shortest stretch that it can be told of."""
    by: Grain | None = None
    """What it goes by where the question does not say."""
    tables: tuple[str, ...] = ()
    """Where its history is read from, as schema.table."""

    @property
    def joins(self) -> bool:
        """Whether its parts of a period can be put together exactly: not those of a distinct count."""
        return self.agg is not None or self.percentile is not None

    @property
    def phrases(self) -> tuple[str, ...]:
        return (self.name.replace("_", " "), self.label.lower(), *(s.lower() for s in self.synonyms))


@dataclass(frozen=True)
class Dimension:
    name: str
    label: str
    qualified: str
    synonyms: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    value_synonyms: Mapping[str, tuple[str, ...]] | None = None
    live_key: str | None = None
    """What live windows call it; none where they do not know it."""
    live_from: str | None = None
    """The key that it is looked up by, where it is not a key itself."""

    @property
    def phrases(self) -> tuple[str, ...]:
        return (self.name.replace("_", " "), self.label.lower(), *(s.lower() for s in self.synonyms))


@dataclass(frozen=True)
class Vocabulary:
    metrics: Mapping[str, Metric]
    dimensions: Mapping[str, Dimension]
    windows: tuple[LiveSpec, ...] = ()
    """What the live store holds."""

    def components(self, names: Iterable[str]) -> tuple[Metric, ...]:
        """The simple metrics that these are made of, each once: what is read and joined."""
        found: dict[str, Metric] = {}
        for name in names:
            metric = self.metrics[name]
            if metric.inputs:
                found.update({m.name: m for m in self.components(inner for _, inner in metric.inputs)})
            else:
                found[name] = metric
        return tuple(found.values())

    def qualified(self, name: str, metrics: Iterable[str]) -> str | None:
        """The dimension as these metrics know it together: each fact has its own `region`. None when one lacks it."""
        if name not in self.dimensions:
            return None
        wanted = self.dimensions[name].qualified
        reachable = [m.dimensions for m in self.components(metrics) if m.dimensions]
        bare = wanted.split("__")[-1]
        for candidate in (wanted, *(q for q in (reachable[0] if reachable else ()) if q.endswith(f"__{bare}"))):
            if all(candidate in names for names in reachable):
                return candidate
        return None

    def only(self, metrics: Iterable[str], dimensions: Iterable[str]) -> Vocabulary:
        """What is left for a person who may see no more than these."""
        kept, axes = set(metrics), set(dimensions)
        return Vocabulary(
            {n: m for n, m in self.metrics.items() if n in kept},
            {n: d for n, d in self.dimensions.items() if n in axes},
            self.windows,
        )
