"""What usually goes wrong, looked for in one place, each finding with its next step."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass

from headrace.runtime import artifacts, bootstrap, preflight
from headrace.runtime import status as reading
from headrace.runtime.jobs import JOBS
from headrace.settings import Settings


@dataclass(frozen=True)
class Finding:
    fine: bool
    what: str
    next_step: str = ""


def examine(settings: Settings) -> list[Finding]:
    return [*_machine(settings), *_cache(settings), *_secrets(settings), *_parts(settings)]


def _machine(settings: Settings) -> Iterator[Finding]:
    try:
        warnings = preflight.check_machine(settings)
    except preflight.NotReady as error:
        what, _, step = str(error).partition("\nNext: ")
        yield Finding(False, what, step)
        return
    yield Finding(not warnings, warnings[0] if warnings else "Disk and memory suffice.", "close other programs")


def _cache(settings: Settings) -> Iterator[Finding]:
    missing = [name for name in ("main", "live", "java21", "java25") if not bootstrap.is_complete(name)]
    missing += [
        group
        for group in artifacts.locked().keys() - artifacts.FOR_TESTS - artifacts.BY_SETTING
        if not artifacts.is_fetched(settings, group)
    ]
    yield Finding(
        not missing,
        f"Not fetched yet: {', '.join(missing)}." if missing else "All locked parts are in the cache.",
        "./headrace up",
    )


def _secrets(settings: Settings) -> Iterator[Finding]:
    folder = settings.home / "secrets"
    if not folder.exists():
        yield Finding(False, "No secrets were generated yet.", "./headrace up")
        return
    open_ones = [p.name for p in folder.iterdir() if p.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)]
    what = (
        f"Secrets that others may read: {', '.join(open_ones)}."
        if open_ones
        else "Secrets are readable by their owner only."
    )
    yield Finding(not open_ones, what, f"chmod 600 {folder}/*")


def _parts(settings: Settings) -> Iterator[Finding]:
    for part in reading.read(settings):
        if part.healthy:
            continue
        again = f"./headrace restart {part.name}" if part.name in JOBS else "./headrace up"
        step = again if part.state == "stopped" else f"./headrace logs {part.name}"
        yield Finding(False, f"{part.name} is {part.state}, not healthy.", step)
