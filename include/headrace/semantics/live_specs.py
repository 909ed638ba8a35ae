"""Publishes the metrics where every part can read them: the semantic manifest, and what live windows add up.

Works before any server runs, since it needs only dbt's parser; does nothing when no definition changed.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from headrace.contracts.model import load_contracts
from headrace.lake import dbt
from headrace.lake.files import write_private
from headrace.semantics import manifest as manifests
from headrace.semantics.measures import specs
from headrace.settings import Settings
from headrace.streams.published import live_specs_path
from headrace.streams.spec import LiveSpec, load_live_specs, save_live_specs


@dataclass(frozen=True)
class Declared:
    """The definitions as they are in the repository."""

    stamp: str
    specs: tuple[LiveSpec, ...]
    manifest: dict[str, Any] | None
    """None where they are published already."""


def publish(settings: Settings, found: Declared | None = None) -> tuple[LiveSpec, ...]:
    """Parses the dbt project if it changed, and writes semantic_manifest.json and live_specs.json into `etc`."""
    # Several parts publish when they start; dbt's target folder takes one parser at a time.
    with _alone(settings):
        found = found or _declared(settings)
        if found.manifest is not None:
            write_private(manifests.path(settings), json.dumps(found.manifest))
            save_live_specs(live_specs_path(settings), found.specs)
            write_private(_stamp(settings), found.stamp)
        return found.specs


def declared(settings: Settings) -> Declared:
    """What `publish` would publish: for those who have to say first what it will do."""
    with _alone(settings):
        return _declared(settings)


def _alone(settings: Settings) -> FileLock:
    settings.etc.mkdir(parents=True, exist_ok=True)
    return FileLock(settings.etc / "semantics.lock", timeout=300)


def _declared(settings: Settings) -> Declared:
    stamp, wanted = _stamp(settings), _fingerprint(settings)
    done = stamp.is_file() and stamp.read_text() == wanted and manifests.path(settings).is_file()
    if done and live_specs_path(settings).is_file() and (dbt.target(settings) / "manifest.json").is_file():
        return Declared(wanted, load_live_specs(live_specs_path(settings)), None)
    raw = parsed(settings)
    return Declared(wanted, specs(manifests.as_written(raw), load_contracts(settings.contracts)), raw)


def _stamp(settings: Settings) -> Path:
    return settings.etc / "semantics.stamp"


def parsed(settings: Settings) -> dict[str, Any]:
    """The semantic manifest of the project as it is now."""
    dbt.run(settings, ["parse", "--quiet"], timeout=180)
    raw: dict[str, Any] = json.loads((dbt.target(settings) / "semantic_manifest.json").read_text())
    return raw


def _fingerprint(settings: Settings) -> str:
    digest = hashlib.sha256()
    folder = dbt.project(settings)
    sources = (
        p
        for pattern in ("*.yml", "*.yaml", "*.sql")
        for p in (*folder.rglob(pattern), *settings.contracts.rglob(pattern))
    )
    for file in sorted(sources):
        digest.update(str(file.name).encode() + file.read_bytes())
    return digest.hexdigest()
