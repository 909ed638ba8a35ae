"""Writes configuration: whole or not at all, and readable by its owner only, because most of it holds a secret."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def write_private(path: Path, content: str) -> bool:
    """Replaces the file in one step; True when it said something else before."""
    if path.is_file() and path.read_text() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(content)
    temporary.replace(path)
    return True


def write_generated(wanted: dict[Path, str], *, check: bool = False) -> int:
    """Brings committed generated files up to date, or with `check` only says which are not; the exit status."""
    stale = [path for path, content in wanted.items() if not path.is_file() or path.read_text() != content]
    for path in stale:
        if check:
            sys.stderr.write(f"{path} is not what its source says\n")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path])
    return 1 if check and stale else 0
