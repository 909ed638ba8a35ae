"""Where benchmarks leave what they measured, so that a figure can be looked at again."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from headrace.settings import Settings


def raw_file(settings: Settings, benchmark: str) -> Path:
    path = settings.run / "bench" / f"{benchmark}-{datetime.now(UTC):%Y%m%dT%H%M%S}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
