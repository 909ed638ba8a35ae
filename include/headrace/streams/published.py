"""The contracts that the running platform acts on: published whole, by `up` and by `stream apply`, never half written.

A person edits include/contracts at leisure; what runs reads this one file, so that a contract that is being typed
disturbs nothing, and every part takes a new one up at the same moment.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from headrace.contracts.model import Contract, Field, load_contracts
from headrace.contracts.outliers import Outlier
from headrace.contracts.schema import changes, json_schema
from headrace.contracts.sessions import Sessions
from headrace.log import get_logger
from headrace.settings import Settings
from headrace.streams.generation import fingerprint
from headrace.streams.spec import LiveSpec, SpecError, by_stream, load_live_specs

log = get_logger(__name__)
LOOK_SECONDS = 1.0
Counted = tuple[Contract, tuple[LiveSpec, ...]]
"""A stream and its live windows."""


@dataclass(frozen=True)
class Publication:
    print: str
    """Made by who publishes: those who compare it need not make it the same way."""
    contracts: dict[str, Contract]

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1, default=str) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Publication:
        try:
            raw = json.loads(text)
            return cls(raw["print"], {name: _contract(known) for name, known in raw["contracts"].items()})
        except (KeyError, TypeError, ValueError) as error:
            raise Unreadable(
                f"The published contracts cannot be read ({error!r}): `./headrace up` writes them anew."
            ) from error


def _contract(raw: dict[str, Any]) -> Contract:
    """JSON has neither tuples nor decimals."""
    typed = {"fields": tuple(_field(one) for one in raw["fields"]), "identity": tuple(raw["identity"])}
    return Contract(**{**raw, **typed, "sessions": raw.get("sessions") and Sessions(**raw["sessions"])})


def _field(raw: dict[str, Any]) -> Field:
    named = raw["corrected_by"]
    typed = {"values": tuple(raw["values"]), "corrected_by": None if named is None else tuple(named)}
    return Field(**{**raw, **typed, "outlier": raw["outlier"] and _outlier(raw["outlier"])})


def _outlier(raw: dict[str, Any]) -> Outlier:
    bounds = {side: tuple((kind, Decimal(bound)) for kind, bound in raw[side]) for side in ("minimum", "maximum")}
    return Outlier(raw["by"], **bounds)


class Unreadable(ValueError):
    """What was published is not what this code publishes."""


class BreaksReaders(ValueError):
    """A contract changed so that what was written under it could not be read any more."""

    def __init__(self, found: Mapping[str, list[str]]) -> None:
        told = "; ".join(f"{name}: {', '.join(reasons)}" for name, reasons in found.items())
        super().__init__(
            f"Not backward compatible with what runs: {told}. "
            "Add optional properties or widen instead, or give the changed stream a new name."
        )


def path(settings: Settings) -> Path:
    return settings.etc / "contracts.json"


def live_specs_path(settings: Settings) -> Path:
    return settings.etc / "live_specs.json"


def read(settings: Settings) -> dict[str, Contract]:
    """As published; before the first publication, as they are in the repository."""
    return _publication(settings).contracts


def contracts_print(settings: Settings) -> str:
    """Changes when the lake job has to begin anew."""
    return _publication(settings).print


def _publication(settings: Settings) -> Publication:
    try:
        return Publication.from_json(path(settings).read_text())
    except FileNotFoundError:
        return _of(load_contracts(settings.contracts))


def _of(contracts: dict[str, Contract]) -> Publication:
    return Publication(fingerprint({name: shape(contract) for name, contract in contracts.items()}), contracts)


def breaks(settings: Settings, contracts: Mapping[str, Contract]) -> dict[str, list[str]]:
    """What readers of the published contracts would miss in these, by stream."""
    if not path(settings).is_file():
        return {}
    known = read(settings)
    found = {
        name: [*_moved(known[name], contract), *changes(json_schema(known[name]), json_schema(contract))]
        for name, contract in contracts.items()
        if name in known
    }
    return {name: reasons for name, reasons in found.items() if reasons}


def _moved(old: Contract, new: Contract) -> list[str]:
    """What no schema says: another topic or another identity is another stream."""
    roles = ("kind", "topic", "key", "identity", "event_time")
    pairs = ((role, getattr(old, role), getattr(new, role)) for role in roles)
    return [f"{role} changed from {was} to {now}" for role, was, now in pairs if was != now]


def publish(settings: Settings, contracts: Mapping[str, Contract] | None = None) -> bool:
    """Writes what is in the repository for all parts to take up; whether anything changed."""
    wanted = dict(contracts or load_contracts(settings.contracts))
    if found := breaks(settings, wanted):
        raise BreaksReaders(found)
    file, content = path(settings), _of(wanted).to_json()
    if file.is_file() and file.read_text() == content:
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_suffix(".tmp")
    temporary.write_text(content)
    temporary.replace(file)
    log.info("contracts published", streams=sorted(wanted))
    return True


def shape(contract: Contract) -> Contract:
    """The contract without its words: what, when it changes, changes what happens to an event."""
    fields = tuple(replace(field, description="", classification="") for field in contract.fields)
    return replace(contract, description="", owner="", fields=fields)


def live_streams(settings: Settings) -> list[Counted]:
    """What the live job counts, one query each: the published streams that have live windows."""
    return counted(read(settings), load_live_specs(live_specs_path(settings)))


def counted(contracts: Mapping[str, Contract], specs: Iterable[LiveSpec]) -> list[Counted]:
    # By name: dbt may tell models in another order after a new one, and no counting should begin anew for that.
    declared = by_stream(sorted(specs, key=lambda spec: spec.name))
    return [(contracts[name], group) for name, group in declared.items() if name in contracts]


def live_print(settings: Settings) -> str:
    """Changes when the live job has to begin anew."""
    return fingerprint(
        {
            contract.name: [shape(contract), *(spec.to_json() for spec in specs)]
            for contract, specs in live_streams(settings)
        }
    )


class Watch:
    """Whether what a process began with is no longer what is published."""

    def __init__(self, settings: Settings, print_of: Callable[[Settings], str]) -> None:
        self._settings, self._print_of = settings, print_of
        self.known = print_of(settings)

    def changed(self) -> bool:
        try:
            return self._print_of(self._settings) != self.known
        except (OSError, ValueError, SpecError) as error:
            log.warning("what is published cannot be read; going on with what is known", error=str(error))
            return False


class Newest:
    """The published contracts for a service that asks at every request and looks at the file once a second."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._looked, self._stamp = 0.0, -1

    def refreshed(self) -> dict[str, Contract] | None:
        """The contracts, the first time and when they changed; otherwise None."""
        now = time.monotonic()
        if self._stamp >= 0 and now - self._looked < LOOK_SECONDS:
            return None
        self._looked = now
        file = path(self._settings)
        stamp = file.stat().st_mtime_ns if file.is_file() else 0
        if stamp == self._stamp:
            return None
        try:
            found = read(self._settings)
        except (OSError, ValueError) as error:
            if self._stamp < 0:
                raise
            log.warning("the published contracts cannot be read; going on with those known", error=str(error))
            return None
        self._stamp = stamp
        return found
