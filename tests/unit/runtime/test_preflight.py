"""What is wrong with a machine is said before anything starts, with the next step."""

from __future__ import annotations

import shutil
from pathlib import Path

import psutil
import pytest

from headrace.runtime import preflight
from headrace.runtime.preflight import NotReady
from headrace.settings import Settings


def _settings(home: Path) -> Settings:
    return Settings(home=home)


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
