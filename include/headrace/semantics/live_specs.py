"""Publishes the metrics where every part can read them: the semantic manifest, and what live windows add up.

Works before any server runs, since it needs only dbt's parser; does nothing when no definition changed.
"""

from __future__ import annotations

import hashlib
import json
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


def publish(settings: Settings) -> tuple[LiveSpec, ...]:
    """Parses the dbt project if it changed, and writes semantic_manifest.json and live_specs.json into `etc`."""
    settings.etc.mkdir(parents=True, exist_ok=True)
    # Several parts publish when they start; dbt's target folder takes one parser at a time.
    with FileLock(settings.etc / "semantics.lock", timeout=300):
        return _publish(settings)


def _publish(settings: Settings) -> tuple[LiveSpec, ...]:
    stamp = settings.etc / "semantics.stamp"
    wanted = _fingerprint(settings)
    done = stamp.is_file() and stamp.read_text() == wanted and manifests.path(settings).is_file()
    if done and live_specs_path(settings).is_file() and (dbt.target(settings) / "manifest.json").is_file():
        return load_live_specs(live_specs_path(settings))
    raw = parsed(settings)
    published = specs(manifests.as_written(raw), load_contracts(settings.contracts))
    write_private(manifests.path(settings), json.dumps(raw))
    save_live_specs(live_specs_path(settings), published)
    write_private(stamp, wanted)
    return published


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
