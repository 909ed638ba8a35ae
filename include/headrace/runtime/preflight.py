"""What must hold before anything starts; each failure says what to do next."""

from __future__ import annotations

import shutil
from pathlib import Path

import psutil

from headrace.settings import Settings

DISK_GB = 6
MEMORY_GB = 6


class NotReady(RuntimeError):
    """The machine cannot run the platform as it is; the message names the next step."""


def check_machine(settings: Settings) -> list[str]:
    """Raises when it cannot work, returns warnings when it may work badly."""
    warnings = []
    _check_home(settings.home)
    free = shutil.disk_usage(settings.home).free / 1e9
    if free < DISK_GB:
        raise NotReady(
            f"{free:.1f} GB are free where {settings.home} is, {DISK_GB} GB are needed.\n"
            "Next: free some space, or keep the state elsewhere: HEADRACE_HOME=/path ./headrace up"
        )
    memory = psutil.virtual_memory().available / 1e9
    if memory < MEMORY_GB / 3:
        raise NotReady(
            f"Only {memory:.1f} GB of memory are free.\nNext: close other programs; {MEMORY_GB} GB are comfortable."
        )
    if memory < MEMORY_GB:
        warnings.append(f"{memory:.1f} GB of memory are free, {MEMORY_GB} GB are comfortable: expect a slow start.")
    return warnings


def _check_home(home: Path) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True)
        (home / ".writable").touch()
        (home / ".writable").unlink()
    except OSError as error:
        raise NotReady(
            f"The state folder {home} cannot be written ({error.strerror}).\nNext: HEADRACE_HOME=/a/folder/of/yours ./headrace up"
        ) from error
