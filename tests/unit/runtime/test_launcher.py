"""The launcher finds a Python, and says clearly what to do where there is none."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

REPO = Path(__file__).resolve().parents[3]


def _launch(path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if k != "HEADRACE_PYTHON"} | {"PATH": str(path)} | environment
    return subprocess.run(
        ["/bin/sh", str(REPO / "headrace"), *arguments], env=env, capture_output=True, text=True, check=False
    )


def _fake_python(folder: Path, name: str, version: str) -> None:
    script = folder / name
    script.write_text(f'#!/bin/sh\n[ "$1" = -c ] && echo {version} || echo "ran $*"\n')
    script.chmod(0o755)


def _tools(folder: Path) -> Path:
    (folder / "dirname").symlink_to("/usr/bin/dirname")
    return folder


def test_a_wrong_python_is_named_with_the_next_step(tmp_path: Path) -> None:
    _fake_python(_tools(tmp_path), "python3", "3.9")
    result = _launch(tmp_path, "up")
    assert result.returncode == 1
    assert "found python3=3.9" in result.stderr
    assert "HEADRACE_PYTHON=" in result.stderr


def test_no_python_at_all_is_said(tmp_path: Path) -> None:
    result = _launch(_tools(tmp_path), "up")
    assert result.returncode == 1
    assert "found none" in result.stderr


def test_the_newest_fitting_python_is_taken(tmp_path: Path) -> None:
    _fake_python(_tools(tmp_path), "python3", "3.9")
    _fake_python(tmp_path, "python3.12", "3.12")
    result = _launch(tmp_path, "status", "--json")
    assert result.returncode == 0
    assert result.stdout.strip().endswith("bootstrap.py status --json")


def test_a_name_that_does_not_run_is_passed_over(tmp_path: Path) -> None:
    broken = _tools(tmp_path) / "python3.13"
    broken.write_text("#!/bin/sh\nexit 127\n")
    broken.chmod(0o755)
    _fake_python(tmp_path, "python3.11", "3.11")
    assert _launch(tmp_path, "up").returncode == 0


def test_a_cache_that_cannot_be_written_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "cache").touch()
    env = os.environ | {"HEADRACE_CACHE": str(tmp_path / "cache")}
    result = subprocess.run([str(REPO / "headrace"), "status"], env=env, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "HEADRACE_CACHE=/path" in result.stderr
    assert "Traceback" not in result.stderr
