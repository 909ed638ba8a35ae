"""Processor seconds of a state folder's processes, with those of children that have ended."""

from __future__ import annotations

from collections import Counter

import psutil

from headrace.runtime.handle import MARK
from headrace.settings import Settings


def spent(settings: Settings) -> Counter[str]:
    """By part. A process that ended counts in the one that waited for it, so look when no task runs."""
    found: Counter[str] = Counter()
    for process in psutil.process_iter():
        try:
            environment, times = process.environ(), process.cpu_times()
        except psutil.Error:
            continue
        if environment.get("HEADRACE_HOME") == str(settings.home) and MARK in environment:
            found[environment[MARK]] += times.user + times.system + times.children_user + times.children_system
    return found


def since(before: Counter[str], now: Counter[str]) -> dict[str, float]:
    """What each part took between two looks, the busiest first."""
    took = {part: round(now[part] - before[part], 1) for part in now}
    return dict(sorted(took.items(), key=lambda item: -item[1]))
