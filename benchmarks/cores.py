"""How much of a core each part takes over a period, by the mark that every process of a part carries, and the load itself."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass, field

import psutil

from headrace.runtime.handle import MARK
from headrace.settings import Settings

_SHARE_WITH_NAME = 0.005
_LOAD = "the load itself"


def _spent(settings: Settings) -> dict[int, tuple[str, float]]:
    """Seconds by process, with the name of its part."""
    found, ours = {}, psutil.Process()
    loading = {ours.pid, *(child.pid for child in ours.children(recursive=True))}
    for process in psutil.process_iter():
        try:
            environment, times = process.environ(), process.cpu_times()
        except psutil.Error:
            continue
        if process.pid in loading:
            found[process.pid] = _LOAD, times.user + times.system
        elif environment.get("HEADRACE_HOME") == str(settings.home) and MARK in environment:
            found[process.pid] = environment[MARK], times.user + times.system
    return found


@dataclass
class Cores:
    """From its making until `by_part` is asked."""

    settings: Settings
    began: float = field(default_factory=time.monotonic)
    before: dict[int, tuple[str, float]] = field(init=False)

    def __post_init__(self) -> None:
        self.before = _spent(self.settings)

    def by_part(self) -> dict[str, float]:
        """The busiest first; those that took next to nothing are left out."""
        seconds, spent = time.monotonic() - self.began, defaultdict[str, float](float)
        for pid, (part, now) in _spent(self.settings).items():
            spent[part] += (now - self.before.get(pid, (part, 0.0))[1]) / seconds
        busy = sorted(spent.items(), key=lambda item: -item[1])
        return {part: round(share, 3) for part, share in busy if share >= _SHARE_WITH_NAME}
