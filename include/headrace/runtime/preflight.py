"""What must hold before anything starts; each failure says what to do next."""

from __future__ import annotations

import json
import os
import shutil
import socket
from pathlib import Path

import psutil

from headrace.runtime.model import Part
from headrace.settings import Ports, Settings

DISK_GB = 6
MEMORY_GB = 6


class NotReady(RuntimeError):
    """The machine cannot run the platform as it is; the message names the next step."""


def check_machine(settings: Settings) -> list[str]:
    """Raises when it cannot work, returns warnings when it may work badly."""
    warnings = []
    _check_home(settings.home)
    free = shutil.disk_usage(settings.home).free / 1e9
    if free < DISK_GB:
        raise NotReady(
            f"{free:.1f} GB are free where {settings.home} is, {DISK_GB} GB are needed.\n"
            "Next: free some space, or keep the state elsewhere: HEADRACE_HOME=/path ./headrace up"
        )
    memory = psutil.virtual_memory().available / 1e9
    if memory < MEMORY_GB / 3:
        raise NotReady(
            f"Only {memory:.1f} GB of memory are free.\nNext: close other programs; {MEMORY_GB} GB are comfortable."
        )
    if memory < MEMORY_GB:
        warnings.append(f"{memory:.1f} GB of memory are free, {MEMORY_GB} GB are comfortable: expect a slow start.")
    return warnings


def _check_home(home: Path) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True)
        (home / ".writable").touch()
        (home / ".writable").unlink()
    except OSError as error:
        raise NotReady(
            f"The state folder {home} cannot be written ({error.strerror}).\nNext: HEADRACE_HOME=/a/folder/of/yours ./headrace up"
        ) from error


def port_is_free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _any_free_port(host: str, taken: set[int]) -> int:
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.bind((host, 0))
            port = int(probe.getsockname()[1])
        if port not in taken:
            return port


def _holder(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,) and connection.pid:
                return f" by process {connection.pid} ({psutil.Process(connection.pid).name()})"
    except psutil.Error:
        pass  # Only a nicety of the message; not everyone may see other people's sockets.
    return ""


def choose_ports(settings: Settings, parts: list[Part], running: set[str]) -> dict[str, int]:
    """A port for each: kept where its part runs, the preferred one where free, another one unless a person fixed it."""
    chosen = settings.ports.model_dump()
    owner = {port: part.name for part in parts for port in part.ports}
    for name, port in chosen.items():
        if owner.get(name) is None or owner[name] in running or port_is_free(settings.bind, port):
            continue
        if f"HEADRACE_PORTS__{name.upper()}" in os.environ:
            raise NotReady(
                f"Port {port}, fixed for {name}, is taken{_holder(port)}.\n"
                f"Next: free it, or drop HEADRACE_PORTS__{name.upper()} and let `up` choose."
            )
        chosen[name] = _any_free_port(settings.bind, set(chosen.values()))
    return chosen


def write_ports(settings: Settings, chosen: dict[str, int]) -> bool:
    """Remembers ports that differ from the defaults; true when something changed."""
    path = settings.home / "ports.json"
    differing = {k: v for k, v in chosen.items() if v != Ports.model_fields[k].default}
    before = json.loads(path.read_text()) if path.is_file() else {}
    if before == differing:
        return False
    path.write_text(json.dumps(differing, indent=1))
    return True
