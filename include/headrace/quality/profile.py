"""What a stretch of a topic or table looks like, in numbers: nobody says beforehand which of them matter.

A share is (so many, of so many); a level is (middle of the logarithm, of so many). A topic is profiled from its records
as they came, so that what the gate will refuse is seen as well.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from headrace.contracts.model import Contract

Share = tuple[int, int]
Level = tuple[float, int]
_QUANTILES = {"low": 0.1, "middle": 0.5, "high": 0.9}
_SHORTEST_DELAY = 1.0
"""Seconds; of less nobody minds twice as much."""
_MOST_FIELDS = 200
"""A producer that sends keys of its own making must not fill the table of profiles."""
_KINDS = {type(None): "null", bool: "boolean", int: "number", float: "number", str: "text"}


class Record(NamedTuple):
    value: bytes | None
    arrived_at: float
    """Epoch seconds."""


@dataclass(frozen=True)
class Profile:
    subject: str
    start: int
    """Epoch seconds."""
    seconds: int
    count: int
    shares: dict[str, Share] = field(default_factory=dict)
    """`null:FIELD`, `type:FIELD:KIND`, `value:FIELD=VALUE`, `late`, `repeated`, `unreadable`, `missing`."""
    levels: dict[str, Level] = field(default_factory=dict)
    """`level:FIELD:low`, `:middle`, `:high`, `delay`, `age`."""


def of_topic(contract: Contract, records: Iterable[Record], start: int, seconds: int, lateness_minutes: int) -> Profile:
    """`records` are all that arrived in these seconds, or as many as one cares to read."""
    counting = _Counting(contract, lateness_minutes)
    for record in records:
        counting.add(record)
    return counting.profile(start, seconds)


class _Counting:
    def __init__(self, contract: Contract, lateness_minutes: int) -> None:
        self._contract, self._late_after = contract, lateness_minutes * 60
        self._count = self._unreadable = self._deletions = self._late = self._repeated = self._timed = 0
        self._types: Counter[tuple[str, str]] = Counter()
        self._values: Counter[tuple[str, str]] = Counter()
        self._listed = {f.name: frozenset(f.values) for f in contract.fields if f.values}
        self._numeric = [f.name for f in contract.fields if f.type.startswith(("decimal", "double", "bigint"))]
        self._numbers: dict[str, list[float]] = {name: [] for name in self._numeric}
        self._delays: list[float] = []
        self._known: set[tuple[Any, ...]] = set()

    def add(self, record: Record) -> None:
        self._count += 1
        if record.value is None and self._contract.history:
            self._deletions += 1
            return
        document = _document(record.value)
        if document is None:
            self._unreadable += 1
            return
        for name, value in document.items():
            typed = name, _KINDS.get(type(value), "nested")
            if len(self._types) < _MOST_FIELDS or typed in self._types:
                self._types[typed] += 1
        for name, listed in self._listed.items():
            value = document.get(name)
            if isinstance(value, str):
                self._values[name, value if value in listed else "another"] += 1
        for name in self._numeric:
            value = document.get(name)
            if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
                self._numbers[name].append(math.log(value))
        self._time(document, record.arrived_at)
        self._identify(document)

    def _time(self, document: dict[str, Any], arrived_at: float) -> None:
        moment = _moment(document.get(self._contract.event_time))
        if moment is not None:
            self._timed += 1
            self._late += arrived_at - moment > self._late_after
            self._delays.append(math.log(max(arrived_at - moment, _SHORTEST_DELAY)))

    def _identify(self, document: dict[str, Any]) -> None:
        identity = tuple(str(document.get(name)) for name in self._contract.identity)
        self._repeated += identity in self._known
        self._known.add(identity)

    def profile(self, start: int, seconds: int) -> Profile:
        readable = self._count - self._unreadable - self._deletions
        shares: dict[str, Share] = {
            "unreadable": (self._unreadable, self._count),
            "repeated": (self._repeated, readable),
            "late": (self._late, self._timed),
        }
        for contract_field in self._contract.fields:
            name = contract_field.name
            there = sum(n for (known, kind), n in self._types.items() if known == name and kind != "null")
            shares[f"null:{name}"] = readable - there, readable
        for (name, kind), number in self._types.items():
            if kind != "null":
                shares[f"type:{name}:{kind}"] = number, readable
        for name in self._listed:
            total = sum(n for (known, _), n in self._values.items() if known == name)
            shares |= {f"value:{name}={v}": (n, total) for (known, v), n in self._values.items() if known == name}
        levels = {f"level:{name}:{at}": level for name in self._numeric for at, level in quantiles(self._numbers[name])}
        levels |= {f"delay:{at}": level for at, level in quantiles(self._delays)}
        return Profile(self._contract.topic, start, seconds, self._count, shares, levels)


def merged(profiles: Sequence[Profile]) -> Profile:
    """Several stretches as one, so that what is seldom is seen too; a level is the mean of theirs, by their size."""
    if len(profiles) == 1:
        return profiles[0]
    shares = {
        name: (sum(p.shares.get(name, (0, 0))[0] for p in profiles), sum(total_of(p, name) for p in profiles))
        for name in {name for p in profiles for name in p.shares}
    }
    levels: dict[str, Level] = {}
    for name in {name for p in profiles for name in p.levels}:
        known = [p.levels[name] for p in profiles if name in p.levels]
        number = sum(n for _, n in known)
        levels[name] = sum(value * n for value, n in known) / number, number
    first, seconds = profiles[0], sum(p.seconds for p in profiles)
    return Profile(first.subject, first.start, seconds, sum(p.count for p in profiles), shares, levels)


def total_of(profile: Profile, name: str) -> int:
    """Of how many a share is one: those that a like share is counted of, where nobody has this kind."""
    if name in profile.shares:
        return profile.shares[name][1]
    family = name.partition("=")[0] if "=" in name else name.partition(":")[0]
    return next((n for known, (_, n) in profile.shares.items() if known.startswith(family)), profile.count)


def quantiles(values: list[float]) -> Iterable[tuple[str, Level]]:
    if len(values) < 8:
        return
    ordered = sorted(values)
    for name, share in _QUANTILES.items():
        yield name, (round(ordered[int((len(ordered) - 1) * share)], 4), len(ordered))


def _document(value: bytes | None) -> dict[str, Any] | None:
    try:
        document = msgspec.json.decode(value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return document if isinstance(document, dict) else None


def _moment(value: Any) -> float | None:
    """As most producers write it; another form is none here, and shows as a share of its own."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
