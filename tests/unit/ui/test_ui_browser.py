"""Where the browser for the browser tests comes from, and what is said when there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from headrace.runtime import browser
from headrace.settings import Settings


def program(path: Path, script: str = "exit 0") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder as the whole PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(browser.platform, "system", lambda: "Linux")
    monkeypatch.setattr(browser.platform, "machine", lambda: "x86_64")
    return folder


def test_the_chosen_browser_comes_first(path: Path, tmp_path: Path) -> None:
    program(path / "chromium")
    chosen = program(tmp_path / "mine")
    assert browser.find(Settings(browser=chosen, cache=tmp_path)).executable == chosen


def test_a_wrong_choice_is_told_not_passed_over(path: Path, tmp_path: Path) -> None:
    program(path / "chromium")
    with pytest.raises(browser.NoBrowser, match="HEADRACE_BROWSER"):
        browser.find(Settings(browser=tmp_path / "nothing", cache=tmp_path))


def test_the_machines_own_browser_is_next(path: Path, tmp_path: Path) -> None:
    own = program(path / "chromium-browser")
    found = browser.find(Settings(cache=tmp_path))
    assert found.executable == own and "--disable-background-networking" in found.arguments


def test_an_unpacked_one_is_used_without_npm(path: Path, tmp_path: Path) -> None:
    unpacked = program(tmp_path / "browser" / browser.VERSION / "chromium")
    found = browser.find(Settings(cache=tmp_path))
    assert found.executable == unpacked and found.environment["LD_LIBRARY_PATH"] == str(unpacked.parent / "lib")


def test_without_npm_it_says_what_to_install(path: Path, tmp_path: Path) -> None:
    with pytest.raises(browser.NoBrowser, match="install Chromium"):
        browser.find(Settings(cache=tmp_path))


def test_no_download_where_none_is_wanted(path: Path, tmp_path: Path) -> None:
    program(path / "npm", "touch called")
    with pytest.raises(browser.NoBrowser, match="No Chromium"):
        browser.find(Settings(cache=tmp_path), fetch=False)


def test_another_checksum_is_refused_and_leaves_nothing(path: Path, tmp_path: Path) -> None:
    program(path / "node")
    program(path / "npm", "echo other > package.tgz\necho package.tgz")
    with pytest.raises(browser.NoBrowser, match="checksum"):
        browser.find(Settings(cache=tmp_path))
    assert list((tmp_path / "browser").iterdir()) == []


def test_a_failed_download_gives_its_reason(path: Path, tmp_path: Path) -> None:
    program(path / "node")
    program(path / "npm", "echo 'network is down' >&2\nexit 1")
    with pytest.raises(browser.NoBrowser, match="network is down"):
        browser.find(Settings(cache=tmp_path))
