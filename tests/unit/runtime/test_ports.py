"""Ports: kept, preferred or free, and never one that another platform was given and does not listen on yet."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest

from headrace.runtime import ports
from headrace.runtime.handle import Handle
from headrace.runtime.parts import PARTS
from headrace.runtime.preflight import NotReady
from headrace.settings import Ports, Settings


def _settings(folder: Path, home: str = "home", **given: int) -> Settings:
    return Settings(home=folder / home, cache=folder / "cache", ports=Ports(**given))


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_taken_port_is_replaced_by_a_free_one(tmp_path: Path, taken: int) -> None:
    chosen = ports.choose(_settings(tmp_path, kafka=taken), list(PARTS), running=set())
    assert chosen["kafka"] != taken
    assert ports.is_free("127.0.0.1", chosen["kafka"])


def test_a_taken_port_that_a_person_fixed_is_refused(
    tmp_path: Path, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_PORTS__KAFKA", str(taken))
    with pytest.raises(NotReady, match=rf"Port {taken}, fixed for kafka, is taken.*\n?.*HEADRACE_PORTS__KAFKA"):
        ports.choose(_settings(tmp_path, kafka=taken), list(PARTS), running=set())


def test_the_port_of_a_running_part_is_kept(tmp_path: Path, taken: int) -> None:
    assert ports.choose(_settings(tmp_path, kafka=taken), list(PARTS), running={"kafka"})["kafka"] == taken


def test_only_ports_that_differ_are_remembered(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    settings.home.mkdir()
    assert (
        not ports.remember(settings, settings.ports.model_dump()) or (settings.home / "ports.json").read_text() == "{}"
    )
    assert ports.remember(settings, settings.ports.model_dump() | {"kafka": 19092})
    assert '"kafka": 19092' in (settings.home / "ports.json").read_text()


def test_two_platforms_that_start_at_once_share_no_port(tmp_path: Path) -> None:
    one = ports.choose(_settings(tmp_path, "one"), list(PARTS), running=set())
    other = ports.choose(_settings(tmp_path, "other"), list(PARTS), running=set())
    theirs = {name for part in PARTS for name in part.ports}
    assert not {one[name] for name in theirs} & {other[name] for name in theirs}
    again = ports.choose(_settings(tmp_path, "one", **one), list(PARTS), running=set())
    assert again == one, "its own are its own"


def test_what_an_ended_platform_was_given_is_free_again(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    by = asdict(Handle.of(psutil.Process(gone.pid)))
    gone.communicate()
    settings = _settings(tmp_path)
    (tmp_path / "cache").mkdir()
    promised = tmp_path / "cache" / "ports.json"
    promised.write_text(json.dumps({str(tmp_path / "gone"): {"ports": [settings.ports.kafka], "by": by}}))
    ports.choose(settings, list(PARTS), running=set())
    assert list(json.loads(promised.read_text())) == [str(settings.home)]
