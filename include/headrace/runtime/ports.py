"""Which port each part listens on: kept, preferred, or free and promised to nobody else.

Until a part listens its port seems free. So every `up` that shares this cache writes down what it chose, under one lock,
and what a platform that starts or runs has chosen is left to it, even while a part of it restarts.
"""

from __future__ import annotations

import json
import os
import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil

from headrace.runtime.bootstrap import exclusive
from headrace.runtime.handle import Handle, marked
from headrace.runtime.model import Part
from headrace.runtime.preflight import NotReady
from headrace.settings import Ports, Settings

_OTHERS = range(20000, 32000)
"""Where others are looked for: below the ports that systems give to whoever calls somebody."""
_TRIES = 1000


def choose(settings: Settings, parts: list[Part], running: set[str]) -> dict[str, int]:
    """A port for each: kept where its part runs, the preferred one where free, another one unless a person fixed it."""
    chosen = settings.ports.model_dump()
    owner = {port: part.name for part in parts for port in part.ports}
    with _promises(settings.cache) as promised:
        home = str(settings.home)
        others = {port for other, promise in promised.items() if other != home for port in promise["ports"]}
        for name, port in chosen.items():
            if (
                owner.get(name) is None
                or owner[name] in running
                or (port not in others and is_free(settings.bind, port))
            ):
                continue
            if f"HEADRACE_PORTS__{name.upper()}" in os.environ:
                raise NotReady(
                    f"Port {port}, fixed for {name}, is taken{_holder(port)}.\n"
                    f"Next: free it, or drop HEADRACE_PORTS__{name.upper()} and let `up` choose."
                )
            chosen[name] = _any_free(settings.bind, others | set(chosen.values()))
        mine = set(promised.get(home, {}).get("ports", ())) if running else set()
        mine |= {chosen[name] for name in owner}
        promised[home] = {"ports": sorted(mine), "by": asdict(Handle.of(psutil.Process()))}
    return chosen


@contextmanager
def _promises(cache: Path) -> Iterator[dict[str, Any]]:
    """What each platform was given, without those that have ended."""
    path = cache / "ports.json"
    with exclusive(cache / "locks" / "ports", "choosing ports"):
        promised = _read(path)
        yield promised
        path.write_text(json.dumps(promised, indent=1))


def _read(path: Path) -> dict[str, Any]:
    try:
        known = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return {
        home: one for home, one in known.items() if Handle(**one["by"]).alive() or marked("supervisord", Path(home))
    }


def is_free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _any_free(host: str, taken: set[int]) -> int:
    for port in random.sample(_OTHERS, _TRIES):
        if port not in taken and is_free(host, port):
            return port
    raise NotReady(f"Of {_TRIES} ports that were tried none is free.\nNext: see what listens on them: ss -ltnp")


def _holder(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,) and connection.pid:
                return f" by process {connection.pid} ({psutil.Process(connection.pid).name()})"
    except psutil.Error:
        pass  # Only a nicety of the message; not everyone may see other people's sockets.
    return ""


def remember(settings: Settings, chosen: dict[str, int]) -> bool:
    """Keeps ports that differ from the defaults; true when something changed."""
    path = settings.home / "ports.json"
    differing = {k: v for k, v in chosen.items() if v != Ports.model_fields[k].default}
    before = json.loads(path.read_text()) if path.is_file() else {}
    if before == differing:
        return False
    path.write_text(json.dumps(differing, indent=1))
    return True
