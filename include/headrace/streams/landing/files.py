"""Which dropped files are in raw, for those who wait for them: the first build waits for the whole history."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from headrace.settings import Settings

PREFIX = "file:"


def topic_of(stream: str, name: str) -> str:
    """The provenance of a line: this as its topic, its line number as the offset."""
    return f"{PREFIX}{stream}/{name}"


def _note(settings: Settings) -> Path:
    return settings.run / "landed_files.json"


def landed_files(settings: Settings) -> dict[str, list[str]]:
    """Names of the files in raw, by stream."""
    path = _note(settings)
    return json.loads(path.read_text())["files"] if path.is_file() else {}


def waiting_files(settings: Settings) -> list[Path]:
    """Files in the landing folder that are not yet in raw."""
    landed = {(stream, name) for stream, names in landed_files(settings).items() for name in names}
    found = sorted(settings.landing.glob("*/*.jsonl"))
    return [
        path for path in found if not path.name.startswith((".", "_")) and (path.parent.name, path.name) not in landed
    ]


def note_landed(settings: Settings, stream: str, names: Iterable[str]) -> None:
    files = landed_files(settings)
    files[stream] = sorted({*files.get(stream, ()), *names})
    path = _note(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps({"files": files, "as_of": datetime.now(UTC).isoformat()}))
    temporary.replace(path)
