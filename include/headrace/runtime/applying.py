"""`stream apply`: from contract files to a stream that runs, in the order in which each step finds what it needs.

Files first (dbt models, which a person may edit), then the running platform: registry, topics, the published
definitions that jobs and services take up by themselves, and a first build.
"""

from __future__ import annotations

import difflib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from headrace.contracts.model import Contract, load_contracts
from headrace.lake import dbt, models, scaffold
from headrace.runtime import foretelling, platform, taking_up
from headrace.semantics import live_specs, manifest, minute_model
from headrace.settings import Settings
from headrace.streams import admin, published, registry

State = Literal["made", "same", "kept", "waits"]
Tell = Callable[["Step"], None]


@dataclass(frozen=True)
class Step:
    what: str
    state: State
    """made: changed just now; same: it was so already; kept: a person's, left alone; waits: what it needs is not there."""
    detail: str = ""


class Edited(RuntimeError):
    """Files that are made from the contract say something of their own; nothing was changed."""

    def __init__(self, differences: dict[Path, str]) -> None:
        names = ", ".join(path.name for path in differences)
        told = "\n".join(differences.values())
        super().__init__(
            f"Made from the contract, and edited since: {names}. Nothing was changed. What would be lost:\n{told}\n"
            "Next: keep the change elsewhere (a model that reads this one), then ./headrace stream apply --force"
        )
        self.differences = differences


def apply(settings: Settings, names: Iterable[str], *, force: bool, wait: bool, tell: Tell) -> list[Step]:
    contracts = load_contracts(settings.contracts)
    asked = [contracts[name] for name in names]
    chosen = asked or changed(settings, contracts)
    if asked:
        # Another one that is just being written waits for its own turn.
        known = {*_modelled(settings), *names}
        contracts = {name: contract for name, contract in contracts.items() if name in known}
    steps: list[Step] = []

    def note(step: Step) -> None:
        steps.append(step)
        tell(step)

    for step in _files(settings, contracts, _beginnings(settings, chosen, again=bool(asked)), force=force):
        note(step)
    if not platform.serves(settings, "kafka"):
        note(Step("platform", "waits", "it is not running: ./headrace up does the rest"))
        return steps
    for step in _platform(settings, contracts, chosen):
        note(step)
    if wait:
        for name, state, detail in taking_up.follow(settings, [contract.name for contract in chosen]):
            note(Step(name, state, detail))
    return steps


def changed(settings: Settings, contracts: dict[str, Contract]) -> list[Contract]:
    """Those that run differently, or have no models yet."""
    running, modelled = published.read(settings), _modelled(settings)
    return [contract for name, contract in contracts.items() if name not in modelled or running.get(name) != contract]


def _modelled(settings: Settings) -> set[str]:
    """The streams that dbt models were made for."""
    found = (dbt.project(settings) / "models" / "raw").glob("valid_*.sql")
    return {path.stem.removeprefix("valid_") for path in found}


def _files(settings: Settings, contracts: dict[str, Contract], first: dict[Path, str], *, force: bool) -> list[Step]:
    folder = dbt.project(settings) / "models"
    wanted = models.files(contracts, folder)
    _refuse_edited(wanted, _known(settings, contracts, folder), force=force)
    steps = [_first(path, content, force=force) for path, content in first.items()]
    steps += [_made(path, content) for path, content in wanted.items()]
    minutes = minute_model.files(folder, contracts)
    _refuse_edited(minutes, _minutes_as_published(settings, contracts, folder), force=force)
    steps += [_made(path, content) for path, content in minutes.items()]
    return [step for step in steps if step.state != "same"] or [Step("dbt models", "same")]


def _beginnings(settings: Settings, chosen: list[Contract], *, again: bool) -> dict[Path, str]:
    """First models; none for a stream that is read by others already, and those that are there only when asked for."""
    folder = dbt.project(settings) / "models"
    first: dict[Path, str] = {}
    for contract in chosen:
        found = scaffold.files(contract, folder, scaffold.words_taken(folder, contract.name))
        there = all(path.is_file() for path in found)
        if (there and again) or not (there or scaffold.used(contract, folder)):
            first |= found
    return first


def _known(settings: Settings, contracts: dict[str, Contract], folder: Path) -> list[dict[Path, str]]:
    """What the files said when the streams with models were last applied: here, or on the machine of who committed."""
    modelled, sets = _modelled(settings), [published.read(settings), contracts]
    return [models.files({name: c for name, c in known.items() if name in modelled}, folder) for known in sets]


def _minutes_as_published(settings: Settings, contracts: dict[str, Contract], folder: Path) -> list[dict[Path, str]]:
    if not manifest.path(settings).is_file():
        return []
    # Metrics may have been published of a stream that is not yet.
    return [minute_model.files(folder, contracts | published.read(settings), manifest.written(settings))]


def _refuse_edited(wanted: dict[Path, str], known: list[dict[Path, str]], *, force: bool) -> None:
    """A file that says neither what it should nor what it should have said before is somebody's work."""
    differences = {
        path: "".join(_difference(path, content))
        for path, content in wanted.items()
        if path.is_file() and path.read_text() not in (content, *(before.get(path) for before in known))
    }
    if differences and not force:
        raise Edited(differences)


def _difference(path: Path, content: str) -> Iterable[str]:
    mine, made = path.read_text().splitlines(keepends=True), content.splitlines(keepends=True)
    return difflib.unified_diff(mine, made, f"{path.name} as it is", f"{path.name} as the contract makes it", n=1)


def _first(path: Path, content: str, *, force: bool) -> Step:
    if path.is_file() and path.read_text() != content and not force:
        return Step(path.name, "kept", "yours; --force writes it as new")
    return _made(path, content)


def _made(path: Path, content: str) -> Step:
    if path.is_file() and path.read_text() == content:
        return Step(path.name, "same")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return Step(path.name, "made", str(path.parent.name))


def _platform(settings: Settings, contracts: dict[str, Contract], chosen: list[Contract]) -> Iterable[Step]:
    # Refused before anything is made for it.
    if broken := published.breaks(settings, contracts):
        raise published.BreaksReaders(broken)
    if platform.serves(settings, "registry"):
        with registry.registry_client(settings) as client:
            for contract in chosen:
                subject = registry.ensure_subject(client, contract)
                yield Step(f"subject {subject.name}", "made", f"version {subject.version}")
    else:
        yield Step("registry", "waits", "it is not running: the next ./headrace up registers the contract")
    report = admin.ensure_topics(settings, contracts)
    for name in report.created:
        yield Step(f"topic {name}", "made")
    yield from (Step(f"topic {drift.topic}", "kept", str(drift)) for drift in report.drift)
    declared = live_specs.declared(settings)
    for told in foretelling.applied(settings, contracts, declared):
        yield Step(f"{told.job}, {', '.join(told.streams)}", "same" if told.keeps else "made", told.sentence)
    specs = live_specs.publish(settings, declared)
    live = [spec.name for spec in specs if spec.stream in {contract.name for contract in chosen}]
    yield Step("metrics", "made", f"live windows: {', '.join(live) or 'none'}")
    newly = published.publish(settings, contracts)
    if newly:
        # Services look that often: when this is told, the stream's events are accepted.
        time.sleep(published.LOOK_SECONDS)
    yield Step("contracts", "made" if newly else "same", "published to all parts")
