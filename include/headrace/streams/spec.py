"""What a live window adds up: published by the semantic layer, read by the live job, the projector and the reader.

Only additive parts are here; averages and ratios are made from them where they are read.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

Aggregation = Literal["sum", "count", "min", "max"]


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
class LiveSpec:
    name: str
    stream: str
    window_seconds: int
    keys: tuple[str, ...]
    accumulators: tuple[Accumulator, ...]

    def to_json(self) -> dict[str, Any]:
        return json.loads(json.dumps(asdict(self)))  # type: ignore[no-any-return]

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> LiveSpec:
        try:
            return cls(
                name=raw["name"],
                stream=raw["stream"],
                window_seconds=int(raw["window_seconds"]),
                keys=tuple(raw["keys"]),
                accumulators=tuple(Accumulator(**item) for item in raw["accumulators"]),
            )
        except (KeyError, TypeError) as error:
            raise SpecError(f"A live specification lacks {error}: publish it again with the semantic layer.") from error


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
