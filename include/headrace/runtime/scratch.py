"""Folders for what a process puts down for a moment: its own, so that the next start sweeps what a kill left there."""

from __future__ import annotations

import shutil
from pathlib import Path

from headrace.settings import Settings


def fresh(settings: Settings, name: str) -> Path:
    """An empty one for a process that is about to start."""
    folder = settings.home / "tmp" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def sweep(settings: Settings) -> None:
    """All of them, when nothing runs."""
    shutil.rmtree(settings.home / "tmp", ignore_errors=True)
