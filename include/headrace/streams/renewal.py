"""How a job says that its end is meant: it has to take up something new, and its supervisor starts it again at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headrace.settings import Settings

_CLOCK_SLACK = 60.0
"""The moment a process began is told relative to the boot, and that moves when the clock is set."""


def _note(settings: Settings, job: str) -> Path:
    return settings.run / "jobs" / f"{job}.renewal.json"


def announce(settings: Settings, job: str, handle: Mapping[str, Any]) -> None:
    """Written by the job itself, as its last act."""
    note = _note(settings, job)
    note.parent.mkdir(parents=True, exist_ok=True)
    temporary = note.with_suffix(".tmp")
    temporary.write_text(json.dumps(dict(handle)))
    temporary.replace(note)


def announced(settings: Settings, job: str, handle: Mapping[str, Any]) -> bool:
    """Whether this very process said so."""
    try:
        said = json.loads(_note(settings, job).read_text())
        return bool(said["pid"] == handle["pid"] and abs(said["created"] - handle["created"]) < _CLOCK_SLACK)
    except (FileNotFoundError, json.JSONDecodeError, KeyError, TypeError):
        return False
