"""How dbt is called, and what people see of its documentation before and after it exists."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from headrace.lake import dbt, docs_server
from headrace.settings import Ports, Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, ports=Ports(docs=0))


def test_nothing_that_dbt_makes_lands_in_the_repository(settings: Settings) -> None:
    variables = dbt.environment(settings)
    for name in ("DBT_TARGET_PATH", "DBT_LOG_PATH"):
        assert Path(variables[name]).is_relative_to(settings.home)
    assert variables["HEADRACE_LATENESS_MINUTES"] == str(settings.lateness_minutes)
    assert variables["REQUESTS_CA_BUNDLE"] == variables["HEADRACE_DBT_AUTHORITY"]


def test_dbt_sees_its_own_environment_only(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    def run(command: list[str], **how: Any) -> subprocess.CompletedProcess[str]:
        seen.update(how["env"])
        return subprocess.CompletedProcess(command, 0, "done", None)

    monkeypatch.setenv("DBT_PROFILES_DIR", "/elsewhere")
    monkeypatch.setattr(dbt.subprocess, "run", run)
    assert dbt.run(settings, ["parse"]) == "done"
    assert seen["DBT_PROFILES_DIR"] == str(settings.repo / "dbt")
    assert seen["DBT_EXCLUDE_RESOURCE_TYPES"] == "unit_test"
    dbt.unit_tests(settings)
    assert seen


def test_a_failure_says_what_dbt_said_last(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = subprocess.CompletedProcess([], 1, "many lines\nCompilation Error: a is not b", None)
    monkeypatch.setattr(dbt.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(dbt.DbtFailed, match="a is not b"):
        dbt.run(settings, ["build"])


def test_a_build_that_is_too_large_for_trino_says_how_it_gets_more_memory(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = subprocess.CompletedProcess([], 1, "TrinoQueryError(name=EXCEEDED_LOCAL_MEMORY_LIMIT, …)", None)
    monkeypatch.setattr(dbt.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(dbt.DbtFailed, match=r"Next: ./headrace down, then HEADRACE_TRINO_HEAP_MB=6144 ./headrace up"):
        dbt.run(settings, ["build"])


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    with docs_server.server(settings) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()


def test_docs_say_that_they_are_coming_and_then_are_there(settings: Settings, url: str) -> None:
    assert httpx.get(f"{url}/health").status_code == 200
    soon = httpx.get(f"{url}/")
    assert soon.status_code == 200
    assert "being built" in soon.text
    (docs_server.folder(settings) / "index.html").write_text("the docs")
    assert httpx.get(f"{url}/").text == "the docs"


def test_docs_serve_their_folder_only(settings: Settings, url: str) -> None:
    (settings.home / "secret").write_text("s")
    (docs_server.folder(settings) / "sub").mkdir()
    for path in ("/../secret", "/%2e%2e/secret", "/sub/", "/nothing"):
        assert httpx.get(url + path).status_code == 404
