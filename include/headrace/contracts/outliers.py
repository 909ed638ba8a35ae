"""Bounds of what is plausible, stated by a contract: within the range, and yet more likely a mistake than a fact.

The custom property `outlier` of a number: `{maximum: 500}`, by the value of another field
`{by: currency, maximum: {USD: 500, JPY: 70000}}`, or a multiple of what is usual `{by: …, typical: {…}, times: 100}`.
A value that has no bound is not judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any

_KEYS = {"by", "minimum", "maximum", "typical", "times"}
Bounds = tuple[tuple[str, Decimal], ...]
"""A bound for each value of the field `by`; one bound under no name where there is no such field."""


@dataclass(frozen=True)
class Outlier:
    by: str | None
    minimum: Bounds
    maximum: Bounds

    def fault(self, value: Decimal | int, kind: str | None) -> str | None:
        """What the gate says of such a value, or None."""
        name = kind if self.by else ""
        least, most = self._minima.get(name), self._maxima.get(name)
        if least is not None and value < least:
            return f"is {Decimal(value):f}{self._beside(kind)}; less than {least:f} is not plausible"
        if most is not None and value > most:
            return f"is {Decimal(value):f}{self._beside(kind)}; more than {most:f} is not plausible"
        return None

    def _beside(self, kind: str | None) -> str:
        return f" with {self.by} {kind}" if self.by else ""

    @cached_property
    def _minima(self) -> dict[str | None, Decimal]:
        return dict(self.minimum)

    @cached_property
    def _maxima(self) -> dict[str | None, Decimal]:
        return dict(self.maximum)


def outlier_of(raw: Any) -> Outlier | None:
    """ValueError where the property says something else than this module knows."""
    if raw is None:
        return None
    if not isinstance(raw, Mapping):
        raise ValueError(f"outlier is {raw!r}, which is no mapping")
    if unknown := set(raw) - _KEYS:
        raise ValueError(f"outlier knows {', '.join(sorted(_KEYS))}, not {sorted(unknown)[0]!r}")
    if ("typical" in raw) != ("times" in raw) or {"typical", "maximum"} <= set(raw):
        raise ValueError("outlier takes maximum, or typical together with times")
    times = _number(raw.get("times", 1))
    maximum = _bounds(raw.get("maximum", raw.get("typical")), raw.get("by"))
    return Outlier(
        by=raw.get("by"),
        minimum=_bounds(raw.get("minimum"), raw.get("by")),
        maximum=tuple((kind, bound * times) for kind, bound in maximum),
    )


def _bounds(raw: Any, by: str | None) -> Bounds:
    if isinstance(raw, Mapping) != (by is not None) and raw is not None:
        raise ValueError("outlier has one bound, or by and a bound for each of its values")
    listed = raw if isinstance(raw, Mapping) else {} if raw is None else {"": raw}
    return tuple((str(kind), _number(bound)) for kind, bound in listed.items())


def _number(given: Any) -> Decimal:
    try:
        found = Decimal(str(given))
    except InvalidOperation:
        found = Decimal("nan")
    if not found.is_finite():
        raise ValueError(f"outlier has a bound of {given!r}, which is no number")
    return found
