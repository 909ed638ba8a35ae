"""How long to wait before a job that keeps dying is started again, remembered across whoever starts it."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

WINDOW_SECONDS = 600.0
FREE_STARTS = 3
"""Failures in the window that are repaired at once: a kill or two must not cost a wait."""
LIVED_WELL_SECONDS = 120.0
"""A job that lived this long is not in a loop, whatever was before."""
FIRST_SECONDS = 5.0
LONGEST_SECONDS = 120.0
LOOP = 8
"""From this many failures in the window a person should look."""


@dataclass
class History:
    """What happened to a job, in a file beside its handle."""

    starts: int = 0
    failures: list[float] = field(default_factory=list)
    reason: str = ""
    """Why the job was last started again."""
    counted: str = ""
    """The process whose failure was counted last."""
    stopping: bool = False
    """Set while the end of the job is wanted, so that it does not count as a failure."""
    held_by: str = ""
    """Who wants the job to stay stopped, until somebody starts it."""

    @classmethod
    def read(cls, path: Path) -> History:
        try:
            return cls(**json.loads(path.read_text()))
        except (FileNotFoundError, json.JSONDecodeError, TypeError):
            return cls()

    def write(self, path: Path) -> None:
        temporary = path.with_name(f".{path.name}")
        temporary.write_text(json.dumps(asdict(self)))
        temporary.replace(path)

    def failed(self, reason: str, began: float, now: float | None = None) -> None:
        """Notes the failure of a process that began at a moment; a long life clears the failures before it."""
        moment = time.time() if now is None else now
        before = [] if moment - began > LIVED_WELL_SECONDS else self.failures
        self.failures = [f for f in before if moment - f < WINDOW_SECONDS] + [moment]
        self.reason = reason

    def recent(self, now: float | None = None) -> int:
        moment = time.time() if now is None else now
        return sum(moment - f < WINDOW_SECONDS for f in self.failures)

    def wait(self, now: float | None = None) -> float:
        """Seconds from now until the next start is due."""
        moment = time.time() if now is None else now
        over = self.recent(moment) - FREE_STARTS
        if over <= 0:
            return 0.0
        due = max(self.failures) + min(FIRST_SECONDS * 2 ** (over - 1), LONGEST_SECONDS)
        return float(max(0.0, due - moment))

    def looping(self, now: float | None = None) -> bool:
        return self.recent(now) >= LOOP
