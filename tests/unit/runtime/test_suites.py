"""`./headrace test`: unit tests side by side, the rest after them, and one total that hides no failure."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from headrace.cli import suites
from headrace.cli.suites import Outcome, Run
from headrace.settings import REPO

FIRST, SECOND = Run(["first"]), Run(["second"])


def test_tests_are_spread_over_no_more_than_cores_and_memory_carry(monkeypatch: pytest.MonkeyPatch) -> None:
    free = psutil.virtual_memory()._replace(available=14e9)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free)
    monkeypatch.setattr("os.cpu_count", lambda: 16)
    unit, parts, journeys = suites.runs(None)
    assert [unit] == suites.runs("unit")
    assert [parts] == suites.runs("parts")
    assert (unit.processes, parts.processes, journeys) == (4, 2, Run(["tests/journeys"]))
    assert "-n 4 --dist loadfile" in " ".join(unit.command([]))
    assert "-n" not in journeys.command([])
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    assert all("-n" not in run.command([]) for run in suites.runs(None))


@pytest.mark.parametrize(
    ("statuses", "together"), [([0, 0], 0), ([1, 0], 1), ([0, 1], 1), ([5, 0], 0), ([0, 5], 0), ([5, 5], 5), ([2], 2)]
)
def test_one_status_for_all_runs(statuses: list[int], together: int) -> None:
    assert suites.status(statuses) == together


def test_the_total_names_what_failed_and_what_was_not_run() -> None:
    failed = Outcome(FIRST, 1, {"failed": 1, "passed": 3, "deselected": 9}, ["first/test_a.py::test_b"])
    told = suites.total([failed, Outcome(SECOND, 0, {"passed": 4, "skipped": 2})], 61).splitlines()
    assert told[1:] == ["FAILED first/test_a.py::test_b", "===== 1 failed, 7 passed, 2 skipped in 61.00s ====="]
    assert "status 2 for first: the rest was not run" in suites.total([Outcome(FIRST, 2)], 1)


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTHONPATH", str(REPO / "include"))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    for folder in (*FIRST.folders, *SECOND.folders):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"test_{folder}.py").write_text("def test_it() -> None:\n    pass\n")
    return tmp_path


def test_a_failure_of_the_first_run_is_in_the_total_and_its_file_is_all_that_runs_again(
    repo: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    test = repo / "first" / "test_first.py"
    test.write_text("def test_it() -> None:\n    pass\n\n\ndef test_wrong() -> None:\n    raise AssertionError\n")
    assert suites.with_failures(repo, [FIRST, SECOND]) == [FIRST, SECOND], "nothing is known yet"
    assert suites.perform(repo, [FIRST, SECOND], []) == 1
    said = capfd.readouterr().out.splitlines()
    assert said[-2] == "FAILED first/test_first.py::test_wrong"
    assert said[-1].startswith("===== 1 failed, 2 passed in ")
    (repo / "first" / "test_other.py").write_text("def test_it() -> None:\n    pass\n")
    again = suites.with_failures(repo, [FIRST, SECOND])
    assert again == [replace(FIRST, folders=["first/test_first.py"])]
    assert suites.perform(repo, again, []) == 1
    assert "= 1 failed, 1 passed in " in capfd.readouterr().out


def test_after_a_file_that_cannot_be_read_the_rest_is_not_run(repo: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (repo / "first" / "test_first.py").write_text("import nothing_of_this_name\n")
    assert suites.perform(repo, [FIRST, SECOND], []) == 2
    assert "second" not in capfd.readouterr().out


def test_a_failure_that_was_elsewhere_runs_nothing_here(tmp_path: Path) -> None:
    known = tmp_path / ".pytest_cache" / "v" / "cache" / "lastfailed"
    known.parent.mkdir(parents=True)
    known.write_text(json.dumps({"second/test_x.py::test_y": True, "second/test_gone.py::test_y": True}))
    (tmp_path / "second").mkdir()
    (tmp_path / "second" / "test_x.py").touch()
    assert suites.with_failures(tmp_path, [FIRST, SECOND]) == [replace(SECOND, folders=["second/test_x.py"])]
    known.write_text("{}")
    assert suites.with_failures(tmp_path, [FIRST, SECOND]) == [FIRST, SECOND]
