"""supervisord keeps the parts running; this module writes its configuration and speaks to it."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import os
import shlex
import socket
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from headrace.runtime.model import Part
from headrace.runtime.render import write_private
from headrace.settings import Settings

_SOCKET_LIMIT = 90
"""Unix socket paths end near 104 bytes, and supervisord adds to the name while it binds."""


class SupervisorDown(RuntimeError):
    """supervisord does not answer."""


def socket_path(settings: Settings) -> Path:
    path = settings.run / "supervisor.sock"
    if len(os.fsencode(path)) <= _SOCKET_LIMIT:
        return path
    digest = hashlib.sha256(os.fsencode(settings.home)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"headrace-{os.getuid()}-{digest}.sock"


def _program(part: Part, settings: Settings) -> str:
    command = shlex.join([sys.executable, "-m", "headrace.cli", "run", part.name])
    log = settings.logs / f"{part.name}.log"
    return "\n".join(
        [
            f"[program:{part.name}]",
            f"command={command}",
            f"directory={settings.repo}",
            "autostart=false",
            "autorestart=true",
            "startsecs=2",
            "startretries=8",
            f"stopsignal={part.stop_signal}",
            f"stopwaitsecs={part.stop_seconds}",
            "stopasgroup=true",
            "killasgroup=true",
            "redirect_stderr=true",
            f"stdout_logfile={log}",
            "stdout_logfile_maxbytes=10MB",
            "stdout_logfile_backups=2",
        ]
    )


def _configuration(settings: Settings, parts: tuple[Part, ...]) -> str:
    password = settings.secret("supervisor_password")
    address = socket_path(settings)
    head = [
        "[unix_http_server]",
        f"file={address}",
        "chmod=0700",
        "username=headrace",
        f"password={password}",
        "[supervisord]",
        f"logfile={settings.logs / 'supervisord.log'}",
        f"pidfile={settings.run / 'supervisord.pid'}",
        f"childlogdir={settings.logs}",
        "loglevel=warn",
        *(["user=root"] if os.geteuid() == 0 else []),
        "[rpcinterface:supervisor]",
        "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
    ]
    # A percent sign would be read as an interpolation.
    return "\n".join([*head, *(_program(part, settings) for part in parts)]).replace("%", "%%") + "\n"


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=90)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(90)
        self.sock.connect(str(self._path))


class _Transport(xmlrpc.client.Transport):
    def __init__(self, path: Path, password: str) -> None:
        credentials = base64.b64encode(f"headrace:{password}".encode()).decode()
        super().__init__(headers=[("Authorization", f"Basic {credentials}")])
        self._path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        return _Connection(self._path)


class Supervisor:
    """A typed face of supervisord's interface."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        transport = _Transport(socket_path(settings), settings.secret("supervisor_password"))
        self._rpc = xmlrpc.client.ServerProxy("http://localhost", transport=transport)

    def _call(self, method: str, *arguments: Any) -> Any:
        try:
            return getattr(self._rpc.supervisor, method)(*arguments)
        except (OSError, http.client.HTTPException, xmlrpc.client.ProtocolError) as error:
            raise SupervisorDown("supervisord does not answer") from error

    def is_up(self) -> bool:
        try:
            return bool(self._call("getState"))
        except SupervisorDown:
            return False

    def states(self) -> dict[str, dict[str, Any]]:
        """supervisord's view of each part: statename, pid, start, spawnerr …"""
        return {info["name"]: info for info in self._call("getAllProcessInfo")}

    def start(self, name: str) -> None:
        with _ignoring("ALREADY_STARTED"):
            self._call("startProcess", name, False)

    def stop(self, name: str) -> None:
        with _ignoring("NOT_RUNNING"):
            self._call("stopProcess", name, True)

    def shutdown(self) -> None:
        self._call("shutdown")

    def launch(self, parts: tuple[Part, ...]) -> None:
        """Starts supervisord itself, or lets a running one read a changed list of parts."""
        config = self._settings.run / "supervisord.conf"
        for folder in (self._settings.run, self._settings.logs):
            folder.mkdir(parents=True, exist_ok=True)
        text = _configuration(self._settings, parts)
        if self.is_up():
            if config.exists() and config.read_text() == text:
                return
            write_private(config, text)
            self._reread()
            return
        write_private(config, text)
        socket_path(self._settings).unlink(missing_ok=True)
        started = subprocess.run(
            [sys.executable, "-m", "supervisor.supervisord", "-c", str(config)],
            capture_output=True, text=True, timeout=30, check=False, cwd="/", start_new_session=True,
            env=os.environ | {"HEADRACE_HOME": str(self._settings.home), "HEADRACE_PART": "supervisord"},
        )  # fmt: skip
        deadline = time.monotonic() + 15
        while not self.is_up():
            if time.monotonic() > deadline:
                raise SupervisorDown(f"supervisord did not start: {(started.stderr or started.stdout).strip()[-600:]}")
            time.sleep(0.1)

    def _reread(self) -> None:
        added, changed, removed = self._call("reloadConfig")[0]
        for name in [*changed, *removed]:
            self._call("stopProcessGroup", name)
            self._call("removeProcessGroup", name)
        for name in [*added, *changed]:
            self._call("addProcessGroup", name)


@contextlib.contextmanager
def _ignoring(fault: str) -> Iterator[None]:
    try:
        yield
    except xmlrpc.client.Fault as error:
        if fault not in error.faultString:
            raise


def own_processes(settings: Settings) -> list[psutil.Process]:
    """Every process of this installation, found by the HEADRACE_HOME it was started with, whoever its parent is now."""
    marker = str(settings.home)
    mine = []
    me = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.pid not in me and process.environ().get("HEADRACE_HOME") == marker and _is_part(process):
                mine.append(process)
    return mine


def _is_part(process: psutil.Process) -> bool:
    """Not a person's shell, test run or command that merely has the variable set."""
    return process.environ().get("HEADRACE_PART") is not None


def end_processes(processes: list[psutil.Process], grace: float = 15) -> None:
    """Asks them to end, then makes them."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(processes, timeout=grace)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=5)
