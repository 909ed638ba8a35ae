"""The app runs in this process against a small HTTP server that plays the API; every test gets its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from headrace.settings import get_settings

HERE = Path(__file__).resolve().parent
REPO = HERE.parents[2]
for folder in (str(HERE), str(REPO)):
    if folder not in sys.path:
        sys.path.append(folder)

from steps import RUN_SECONDS, sign_in  # noqa: E402
from stub_api import Stub, serving  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def _installed_components() -> Iterator[None]:
    """What is installed does not change while tests run, and every new AppTest reads it all again: most of a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Stub]:
    with serving() as server:
        monkeypatch.setenv("HEADRACE_HOME", str(tmp_path))
        monkeypatch.setenv("HEADRACE_PORTS__API", str(server.port))
        get_settings.cache_clear()
        yield server
    get_settings.cache_clear()


@pytest.fixture
def app(stub: Stub) -> AppTest:
    return AppTest.from_file(str(REPO / "app" / "ui" / "main.py"), default_timeout=RUN_SECONDS).run()


@pytest.fixture
def signed_in(app: AppTest) -> AppTest:
    return sign_in(app)
