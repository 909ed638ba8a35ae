"""Which counting a live row belongs to: a new one whenever the counting starts from nothing.

The number is the second of its beginning, so that it grows even when every file of the former one was lost. It is bound
to what the query's state is made of: when that changes, the state could not be read, so it is thrown away and counted
again from the topic.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

from headrace.log import get_logger

log = get_logger(__name__)


def fingerprint(parts: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def current(checkpoint: Path, print_: str, *, now: float | None = None) -> int:
    """The generation of a checkpoint; a fresh one where the checkpoint is missing or made for something else."""
    note = checkpoint.with_name(f"{checkpoint.name}.generation.json")
    known = _read(note)
    if known and known.get("fingerprint") == print_ and (checkpoint / "metadata").exists():
        return int(known["generation"])
    previous = int(known["generation"]) if known else 0
    generation = max(int(now if now is not None else time.time()), previous + 1)
    log.info("counting begins anew", checkpoint=checkpoint.name, generation=generation, previous=previous or None)
    # First the state, then the number: in between there is neither, and the next start comes here again.
    shutil.rmtree(checkpoint, ignore_errors=True)
    _write(note, {"generation": generation, "fingerprint": print_})
    return generation


def _read(note: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(note.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return found if isinstance(found, dict) and "generation" in found else None


def _write(note: Path, content: dict[str, Any]) -> None:
    note.parent.mkdir(parents=True, exist_ok=True)
    temporary = note.with_suffix(".tmp")
    with temporary.open("w") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(note)
