"""`stream check`: everything that is wrong with contract files, and what a change of them would break."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from headrace.contracts.examine import examine
from headrace.contracts.model import Contract, load_contract
from headrace.contracts.places import Mistake
from headrace.lake import dbt, scaffold
from headrace.runtime import platform
from headrace.settings import Settings
from headrace.streams import published, registry


class UnknownStream(LookupError):
    """No contract has that name."""


@dataclass
class Checked:
    name: str
    file: Path
    mistakes: list[Mistake] = field(default_factory=list)
    breaks: list[str] = field(default_factory=list)
    """What readers of events that were written under the former contract would miss."""
    models: list[str] = field(default_factory=list)
    """What dbt models say otherwise."""

    @property
    def right(self) -> bool:
        return not (self.mistakes or self.breaks or self.models)


@dataclass(frozen=True)
class Report:
    streams: list[Checked]
    registry_asked: bool


def files(settings: Settings, names: Iterable[str]) -> list[Path]:
    """The contract files of these names, or all."""
    known = {path.stem: path for path in sorted(settings.contracts.glob("*.yaml"))}
    asked = list(names) or list(known)
    for name in asked:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"Begin it with `./headrace stream new {name}`."
            raise UnknownStream(f"There is no contract {name}.yaml in {settings.contracts}. {hint}")
    return [known[name] for name in asked]


def check(settings: Settings, names: Iterable[str] = ()) -> Report:
    found = {path.stem: Checked(path.stem, path, examine(path).mistakes) for path in files(settings, names)}
    right = {name: load_contract(one.file) for name, one in found.items() if not one.mistakes}
    _same_topic(settings, found, right)
    asked = platform.serves(settings, "registry")
    registered = registry.promises_broken(settings, right.values()) if asked else {}
    for name, reasons in [*published.breaks(settings, right).items(), *registered.items()]:
        found[name].breaks += [reason for reason in reasons if reason not in found[name].breaks]
    folder = dbt.project(settings) / "models"
    for name, contract in right.items():
        found[name].models += scaffold.drift({name: contract}, folder)
    return Report(list(found.values()), asked)


def _same_topic(settings: Settings, found: dict[str, Checked], right: dict[str, Contract]) -> None:
    """A contract beside these may have the topic already."""
    topics: dict[str, str] = {}
    for path in sorted(settings.contracts.glob("*.yaml")):
        contract = right.get(path.stem) or (None if examine(path).mistakes else load_contract(path))
        if contract is None:
            continue
        other = topics.setdefault(contract.topic, contract.name)
        if other != contract.name and contract.name in found:
            what = f"The topic {contract.topic} is that of {other} already"
            found[contract.name].mistakes.append(Mistake(path.name, 1, 1, what, "Change source, database or operation"))
