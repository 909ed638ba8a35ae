"""What is wrong with a machine is said before anything starts, with the next step."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from headrace.runtime import preflight
from headrace.runtime.parts import PARTS
from headrace.runtime.preflight import NotReady
from headrace.settings import Ports, Settings


def _settings(home: Path, **ports: int) -> Settings:
    return Settings(home=home, ports=Ports(**ports))


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_taken_port_is_replaced_by_a_free_one(tmp_path: Path, taken: int) -> None:
    chosen = preflight.choose_ports(_settings(tmp_path, kafka=taken), list(PARTS), running=set())
    assert chosen["kafka"] != taken
    assert preflight.port_is_free("127.0.0.1", chosen["kafka"])


def test_a_taken_port_that_a_person_fixed_is_refused(
    tmp_path: Path, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_PORTS__KAFKA", str(taken))
    with pytest.raises(NotReady, match=rf"Port {taken}, fixed for kafka, is taken.*\n?.*HEADRACE_PORTS__KAFKA"):
        preflight.choose_ports(_settings(tmp_path, kafka=taken), list(PARTS), running=set())


def test_the_port_of_a_running_part_is_kept(tmp_path: Path, taken: int) -> None:
    assert preflight.choose_ports(_settings(tmp_path, kafka=taken), list(PARTS), running={"kafka"})["kafka"] == taken


def test_only_ports_that_differ_are_remembered(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    assert (
        not preflight.write_ports(settings, settings.ports.model_dump())
        or (tmp_path / "ports.json").read_text() == "{}"
    )
    assert preflight.write_ports(settings, settings.ports.model_dump() | {"kafka": 19092})
    assert '"kafka": 19092' in (tmp_path / "ports.json").read_text()


def test_too_little_disk_is_refused_with_the_next_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**12, 10**12, 10**9))
    with pytest.raises(NotReady, match=r"1\.0 GB are free.*(?s:.)*HEADRACE_HOME"):
        preflight.check_machine(_settings(tmp_path))


def test_too_little_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = psutil.virtual_memory()
    monkeypatch.setattr(psutil, "virtual_memory", lambda: real._replace(available=10**9))
    with pytest.raises(NotReady, match="close other programs"):
        preflight.check_machine(_settings(tmp_path))


def test_a_state_folder_that_cannot_be_made_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotReady, match="HEADRACE_HOME=/a/folder/of/yours"):
        preflight.check_machine(_settings(tmp_path / "file" / "home"))
