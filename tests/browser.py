"""A real Chromium for the browser tests; where none is and none can be fetched they skip, and say why."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from headrace.runtime import browser
from headrace.settings import get_settings

PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
    "user_agent": "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/147.0.0.0 Mobile Safari/537.36",
}
DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 860}}
SECONDS = 30
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One for each file: while it lives this thread is inside of its event loop, where nothing else can run one."""
    try:
        found = browser.find(get_settings())
    except browser.NoBrowser as reason:
        pytest.skip(str(reason))
    # A busy machine may take long to draw what it then shows: only what never comes is wrong.
    expect.set_options(timeout=SECONDS * 1000)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=str(found.executable),
            args=list(found.arguments),
            env={**os.environ, **found.environment},
        )
        yield started
        started.close()


@pytest.fixture
def open_page(chromium: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens a page of its own; afterwards keeps a picture of it, and fails if it called any other machine."""
    pages: list[Page] = []
    others: set[str] = set()

    def note(url: str) -> None:
        host = urlparse(url).hostname
        if host not in (None, "127.0.0.1", "localhost"):
            others.add(url)

    def open_it(url: str, *, phone: bool = False, dark: bool = False) -> Page:
        scheme: Any = "dark" if dark else "light"
        context = chromium.new_context(color_scheme=scheme, **(PHONE if phone else DESK))
        page = context.new_page()
        page.set_default_timeout(SECONDS * 1000)
        page.on("request", lambda request: note(request.url))
        pages.append(page)
        page.goto(url)
        return page

    yield open_it
    for number, page in enumerate(pages):
        page.screenshot(path=tmp_path / f"page-{number}.png")
        page.context.close()
    assert not others, f"the app made the browser call {others}"
