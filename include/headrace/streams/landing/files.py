"""Which dropped files are in raw, for those who wait for them: the first build waits for the whole history."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from headrace.settings import Settings

PREFIX = "file:"


def topic_of(stream: str, name: str) -> str:
    """The provenance of a line: this as its topic, its line number as the offset."""
    return f"{PREFIX}{stream}/{name}"


def _note(settings: Settings) -> Path:
    return settings.run / "landed_files.json"


def landed_files(settings: Settings) -> dict[str, dict[str, int | None]]:
    """Files in raw by stream and name, each with how many of its bytes; None where an earlier release noted names only."""
    path = _note(settings)
    said = json.loads(path.read_text())["files"] if path.is_file() else {}
    return {stream: files if isinstance(files, dict) else dict.fromkeys(files) for stream, files in said.items()}


def waiting_files(settings: Settings) -> list[Path]:
    """Files in the landing folder that are not yet in raw, as a whole."""
    landed = landed_files(settings)
    found = (path for path in sorted(settings.landing.glob("*/*.jsonl")) if not path.name.startswith((".", "_")))
    return [path for path in found if _waits(path, landed.get(path.parent.name, {}))]


def _waits(path: Path, landed: Mapping[str, int | None]) -> bool:
    if path.name not in landed:
        return True
    try:
        return landed[path.name] not in (None, path.stat().st_size)
    except FileNotFoundError:
        return False


def note_landed(settings: Settings, stream: str, sizes: Mapping[str, int]) -> None:
    files = landed_files(settings)
    files[stream] = dict(sorted({**files.get(stream, {}), **sizes}.items()))
    path = _note(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps({"files": files, "as_of": datetime.now(UTC).isoformat()}))
    temporary.replace(path)
