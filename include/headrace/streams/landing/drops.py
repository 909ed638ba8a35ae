"""Hands dropped files over to the job once nobody seems to write them, and again when they have grown since.

Who drops a file may write it where it lies, slowly, or be cut in the middle of a line; Spark looks at a path once. So the
job reads links of our own, each a name of its own for so many bytes of a file. A look too early loses nothing: what comes
later is handed over again, and lands line by line where it is new.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from headrace.log import get_logger
from headrace.settings import Settings
from headrace.streams.landing.files import waiting_files

log = get_logger(__name__)
_QUIET_SECONDS = {True: 4.0, False: 30.0}
"""How long a file has to stay as it is, by whether it ends with the end of a line: half a line needs a better reason."""


def folder(settings: Settings) -> Path:
    """Beside the folder that people drop into, since a link stays on its disk."""
    return settings.landing.with_name("landing-taken")


@dataclass(frozen=True)
class Taken:
    """One link: so many bytes of a file, and when it was made, for the order of two."""

    stream: str
    name: str
    size: int
    made: int

    @classmethod
    def of(cls, path: str) -> Taken:
        place = Path(path)
        numbers, name = place.name.split(".", 1)
        size, made = numbers.split("-")
        return cls(place.parent.name, name, int(size), int(made))


class Drops:
    """What lies in the folders of known streams; `clock` only goes forward, whatever the machine's does."""

    def __init__(self, settings: Settings, streams: Iterable[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._streams, self._clock = settings, set(streams), clock
        self._seen: dict[Path, tuple[tuple[int, int], float]] = {}
        self._taken: dict[Path, tuple[int, int]] = {}

    def begin(self) -> None:
        """Links of a job that ended are made anew: what of them had landed is known to raw."""
        shutil.rmtree(folder(self._settings), ignore_errors=True)
        for stream in self._streams:
            (folder(self._settings) / stream).mkdir(parents=True, exist_ok=True)

    def look(self) -> None:
        """One look at all of them; a disk that refuses is tried again at the next."""
        for path in waiting_files(self._settings):
            if path.parent.name in self._streams:
                try:
                    self._look_at(path)
                except OSError as error:
                    log.error(
                        "a dropped file cannot be taken; the next look tries again", file=str(path), why=str(error)
                    )

    def _look_at(self, path: Path) -> None:
        found = path.stat()
        state, now = (found.st_size, found.st_mtime_ns), self._clock()
        if self._taken.get(path) == state:
            return
        known, since = self._seen.get(path, (None, now))
        if known != state:
            self._seen[path] = state, now
        elif now - since >= _QUIET_SECONDS[_ends_a_line(path)]:
            self._take(path, found.st_size)
            self._taken[path] = state
            del self._seen[path]

    def _take(self, path: Path, size: int) -> None:
        link = folder(self._settings) / path.parent.name / f"{size}-{time.time_ns()}.{path.name}"
        try:
            os.link(path, link)
        except OSError:
            # Another person's file, or a disk without links.
            hidden = link.with_name(f".{link.name}")
            shutil.copyfile(path, hidden)
            hidden.replace(link)


def _ends_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) == 0:
            return True
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
