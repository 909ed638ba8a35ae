"""`up` and `down` on a real supervisor: repeated, interrupted, raced, killed, in a path with spaces."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.conftest import REPO, headrace

PARTS = "postgres,valkey"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = (
        tmp_path_factory.mktemp("a home")
        / "with spaces and a name that is long enough to break a socket's path "
        / "state"
    )
    yield home
    if (home / "run").exists():
        headrace("down", home=home)


def _processes(home: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            environment = process.environ()
        except psutil.Error:
            continue
        if environment.get("HEADRACE_HOME") == str(home) and "HEADRACE_PART" in environment:
            found.append(process)
    return found


def _status(home: Path) -> dict[str, dict]:
    result = headrace("status", "--json", home=home, check=False)
    return {part["name"]: part for part in json.loads(result.stdout)["parts"]}


def _await_healthy(home: Path, *names: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not all(_status(home)[name]["healthy"] for name in names):
        assert time.monotonic() < deadline, _status(home)
        time.sleep(0.5)


def test_up_starts_and_a_second_up_says_that_all_runs(home: Path) -> None:
    headrace("up", "--only", PARTS, home=home)
    first = _status(home)
    assert first["postgres"]["healthy"]
    assert first["valkey"]["healthy"]
    again = headrace("up", "--only", PARTS, home=home)
    assert "running already" in again.stderr
    assert _status(home)["postgres"]["pid"] == first["postgres"]["pid"]


def test_secrets_are_private_and_in_no_log(home: Path) -> None:
    secrets = {path.name: path.read_text() for path in (home / "secrets").iterdir()}
    assert all((home / "secrets" / name).stat().st_mode & 0o077 == 0 for name in secrets)
    logs = "".join(path.read_text(errors="replace") for path in (home / "logs").glob("*.log"))
    assert logs
    assert [name for name, value in secrets.items() if value in logs] == []


def test_parts_listen_on_loopback_only(home: Path) -> None:
    listening = [
        connection.laddr.ip
        for process in _processes(home)
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert listening
    assert set(listening) <= {"127.0.0.1", "::1"}


@pytest.mark.parametrize("part", ["postgres", "valkey"])
def test_a_killed_part_comes_back_by_itself(home: Path, part: str) -> None:
    before = _status(home)[part]["pid"]
    os.kill(before, signal.SIGKILL)
    _await_healthy(home, part)
    assert _status(home)[part]["pid"] != before


def test_two_ups_at_once_end_in_one_platform_and_one_message(home: Path) -> None:
    environment = os.environ | {"HEADRACE_HOME": str(home)}
    command = [str(REPO / "headrace"), "up", "--only", PARTS]
    headrace("down", home=home)
    both = [subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    outcomes = [(process.communicate(timeout=120)[1], process.returncode) for process in both]
    assert 0 in {status for _, status in outcomes}
    for message, status in outcomes:
        assert status == 0 or "Another ./headrace" in message, message
    _await_healthy(home, "postgres", "valkey")


def test_an_interrupted_up_goes_on_with_the_next(home: Path) -> None:
    headrace("down", home=home)
    environment = os.environ | {"HEADRACE_HOME": str(home)}
    process = subprocess.Popen(
        [str(REPO / "headrace"), "up", "--only", PARTS], env=environment, stderr=subprocess.PIPE, text=True
    )
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    headrace("up", "--only", PARTS, home=home)
    _await_healthy(home, "postgres", "valkey")


def test_a_machine_that_was_switched_off_is_repaired_by_up(home: Path) -> None:
    """Every process dies at once, pid files and sockets stay behind."""
    for process in _processes(home):
        process.kill()
    headrace("up", "--only", PARTS, home=home)
    _await_healthy(home, "postgres", "valkey")


def test_parts_without_a_supervisor_are_cleared_by_up(home: Path) -> None:
    for process in _processes(home):
        if process.environ()["HEADRACE_PART"] == "supervisord":
            process.kill()
    headrace("up", "--only", PARTS, home=home)
    _await_healthy(home, "postgres", "valkey")


def test_a_port_in_use_is_replaced_and_remembered(home: Path) -> None:
    port = _status(home)["valkey"]["port"]
    headrace("down", home=home)
    with socket.create_server(("127.0.0.1", port)):
        headrace("up", "--only", "valkey", home=home)
        assert _status(home)["valkey"]["port"] != port
        _await_healthy(home, "valkey")


def test_a_part_that_cannot_start_is_one_message_with_its_log(home: Path) -> None:
    headrace("down", home=home)
    config = home / "data" / "valkey" / "appendonlydir"
    manifest = next(config.glob("*.manifest"))
    good = manifest.read_text()
    manifest.write_text("this is no manifest\n")
    result = headrace("up", "--only", "valkey", home=home, check=False)
    manifest.write_text(good)
    assert result.returncode == 1
    assert "Valkey ends again and again" in result.stderr
    assert "./headrace logs valkey" in result.stderr
    assert "Traceback" not in result.stderr


def test_down_leaves_no_process_behind(home: Path) -> None:
    headrace("up", "--only", PARTS, home=home)
    assert _processes(home)
    headrace("down", home=home)
    assert _processes(home) == []
