"""What live windows add up: published by the semantic layer, read by the live job, the projector and the reader.

Only additive parts are here; averages, distinct counts and percentiles are made from them where they are read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

Aggregation = Literal["sum", "count", "min", "max"]
CURRENCY = "currency"
"""The key that a rate is found by."""


class SpecError(ValueError):
    """The published specification cannot be read; the message says where it comes from."""


@dataclass(frozen=True)
class Accumulator:
    name: str
    agg: Aggregation
    expr: str
    """SQL over the contract's typed fields."""
    type: str
    factor: str | None = None
    """What the reader multiplies by, such as usd_rate."""


@dataclass(frozen=True)
class LiveMeasure:
    """How a metric is read from the live windows of a stream."""

    stream: str
    accumulator: str
    agg: Literal["sum", "count", "min", "max", "distinct", "percentile"]
    """distinct: how many values key `over` has; percentile: the `share`-th of the values whose buckets key `over` numbers."""
    factor: str | None = None
    only: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Keys limited to some of their values."""
    over: str | None = None
    share: float = 0.5
    base: float = 2
    """A bucket ends at the power of this that its number says."""

    @property
    def needs(self) -> frozenset[str]:
        """Keys that windows must have, whatever is asked."""
        found = {key for key, _ in self.only} | ({self.over} if self.over else set())
        return frozenset(found | ({CURRENCY} if self.factor else set()))


@dataclass(frozen=True)
class LiveSpec:
    """One way to split the windows of a stream. All specifications of a stream are counted by one query."""

    name: str
    stream: str
    window_seconds: int
    keys: tuple[str, ...]
    accumulators: tuple[Accumulator, ...]
    exprs: tuple[tuple[str, str], ...] = ()
    """SQL of the keys that are computed, by key: words that Spark and Trino both know. The others are fields."""
    fact: str = ""
    """The curated table of the same events, and its time."""
    time: str = ""
    table: str = ""
    """The curated table of the same windows, where one is kept."""
    person: bool = False
    """A key names a person: such windows are kept for a shorter time."""

    def expr(self, key: str) -> str:
        return dict(self.exprs).get(key, key)

    def to_json(self) -> dict[str, Any]:
        return json.loads(json.dumps(asdict(self)))  # type: ignore[no-any-return]

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> LiveSpec:
        try:
            made = {
                "keys": tuple(raw["keys"]),
                "accumulators": tuple(Accumulator(**item) for item in raw["accumulators"]),
                "exprs": tuple((key, sql) for key, sql in raw.get("exprs", ())),
            }
            return cls(**{**raw, **made})
        except (KeyError, TypeError) as error:
            raise SpecError(
                f"A live specification is not whole ({error}): publish it again with the semantic layer."
            ) from error


def by_stream(specs: Iterable[LiveSpec]) -> dict[str, tuple[LiveSpec, ...]]:
    """What one query counts together. Its windows have one length: longer ones are made of them by the reader."""
    found: dict[str, tuple[LiveSpec, ...]] = {}
    for spec in specs:
        found[spec.stream] = (*found.get(spec.stream, ()), spec)
    for stream, group in found.items():
        if len({spec.window_seconds for spec in group}) > 1:
            raise SpecError(
                f"The live windows of {stream} differ in length: declare the shortest, the reader folds it."
            )
    return found


def accumulators(specs: Iterable[LiveSpec]) -> tuple[Accumulator, ...]:
    """What any of them adds up, each once."""
    found: dict[str, Accumulator] = {}
    for item in (item for spec in specs for item in spec.accumulators):
        if found.setdefault(item.name, item) != item:
            raise SpecError(f"Two accumulators are called {item.name!r}: give one of them another name.")
    return tuple(found.values())


def load_live_specs(path: Path) -> tuple[LiveSpec, ...]:
    """The published specifications, or a SpecError that says how to publish them."""
    try:
        raw = json.loads(path.read_text())
    except FileNotFoundError:
        raise SpecError(f"{path} is missing: start the platform with `./headrace up`, it publishes it.") from None
    except json.JSONDecodeError as error:
        raise SpecError(f"{path} is not JSON ({error}): `./headrace up` writes it anew.") from error
    return tuple(LiveSpec.from_json(item) for item in raw)


def save_live_specs(path: Path, specs: tuple[LiveSpec, ...]) -> None:
    """Written whole or not at all, as jobs may read it at any moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps([spec.to_json() for spec in specs], indent=2) + "\n")
    temporary.replace(path)
