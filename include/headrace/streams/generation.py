"""Which counting a live row belongs to: a new one whenever the counting starts from nothing.

The number is the second of its beginning, so that it grows even when every file of the former one was lost. It is bound
to what the query's state is made of: when that changes, the state could not be read, so it is thrown away and counted
again from the topic. Whoever wants to know beforehand asks `decide`, as the job itself does.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from headrace.log import get_logger

log = get_logger(__name__)
_NOTE = ".generation.json"


@dataclass(frozen=True)
class Decision:
    state: Literal["keeps", "first", "lost", "changed"]
    """keeps: it goes on; first: nothing was counted before; lost: its checkpoint is gone; changed: it could not be read."""
    known: int | None = None
    """The generation so far."""
    changed: tuple[str, ...] = ()
    """Which parts of what it is made of are others now, where that is known."""


def fingerprint(parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def decide(checkpoint: Path, made_of: Mapping[str, Any]) -> Decision:
    """Whether a query of these parts goes on with the checkpoint's state; reads only."""
    known = _read(_note(checkpoint))
    if known is None:
        return Decision("first")
    number = int(known["generation"])
    if known.get("fingerprint") != fingerprint(made_of):
        before = known.get("parts", {})
        return Decision(
            "changed", number, tuple(name for name, one in _prints(made_of).items() if before.get(name, one) != one)
        )
    return Decision("keeps" if (checkpoint / "metadata").exists() else "lost", number)


def counted(folder: Path) -> list[str]:
    """The names of the checkpoints in a folder that were counted into."""
    return sorted(path.name.removesuffix(_NOTE) for path in folder.glob(f"*{_NOTE}"))


def current(checkpoint: Path, made_of: Mapping[str, Any], *, now: float | None = None) -> int:
    """The generation of a checkpoint; a fresh one where the checkpoint is missing or made for something else."""
    decision = decide(checkpoint, made_of)
    note = {"fingerprint": fingerprint(made_of), "parts": _prints(made_of)}
    if decision.known is not None and decision.state == "keeps":
        _write(_note(checkpoint), {"generation": decision.known, **note})
        return decision.known
    previous = decision.known or 0
    generation = max(int(now if now is not None else time.time()), previous + 1)
    log.info(
        "counting begins anew", checkpoint=checkpoint.name, generation=generation, previous=previous or None,
        because=decision.state, changed=decision.changed,
    )  # fmt: skip
    # First the state, then the number: in between there is neither, and the next start comes here again.
    shutil.rmtree(checkpoint, ignore_errors=True)
    _write(_note(checkpoint), {"generation": generation, **note})
    return generation


def _prints(made_of: Mapping[str, Any]) -> dict[str, str]:
    return {name: fingerprint(part) for name, part in made_of.items()}


def _note(checkpoint: Path) -> Path:
    return checkpoint.with_name(f"{checkpoint.name}{_NOTE}")


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
