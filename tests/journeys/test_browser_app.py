"""The app in a real browser against a playing API: every state of it, without the platform's minutes of start."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser import Open
from tests.browser_steps import ask, big_number, fits_its_width, open_live, question_box, sign_in, tab_to

REPO = Path(__file__).resolve().parents[2]
sys.path.append(str(REPO / "tests" / "unit" / "ui"))

from stub_api import Stub, serving  # noqa: E402


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def stub() -> Iterator[Stub]:
    with serving() as server:
        yield server


@pytest.fixture(scope="module")
def address(stub: Stub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    environment = {
        **os.environ,
        "HEADRACE_HOME": str(tmp_path_factory.mktemp("home")),
        "HEADRACE_PORTS__API": str(stub.port),
        "HEADRACE_PORTS__APP": str(port),
        "PYTHONPATH": os.pathsep.join((str(REPO), str(REPO / "include"))),
    }
    app = subprocess.Popen([sys.executable, "-m", "app.ui"], env=environment)
    try:
        wait_until_healthy(f"http://127.0.0.1:{port}", app)
        yield f"http://127.0.0.1:{port}"
    finally:
        app.terminate()
        app.wait(20)


def wait_until_healthy(address: str, app: subprocess.Popen[bytes]) -> None:
    for _ in range(120):
        try:
            if httpx.get(f"{address}/_stcore/health", timeout=2, trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            assert app.poll() is None, "the app ended while it started"
        time.sleep(0.5)
    raise AssertionError("the app was not healthy within a minute")


def test_by_keyboard_alone(open_page: Open, address: str) -> None:
    page = open_page(address)
    tab_to(page, page.get_by_label("User"))
    page.keyboard.type("admin")
    tab_to(page, page.get_by_label("Password", exact=True))
    page.keyboard.type("secret")
    page.keyboard.press("Enter")
    expect(question_box(page)).to_be_visible()
    tab_to(page, question_box(page))
    page.keyboard.type("What were sales today?")
    page.keyboard.press("Enter")
    expect(big_number(page, "Sales")).to_have_text("$48,213.57")
    expect(question_box(page)).to_be_focused()
    evidence = page.get_by_test_id("stExpander").locator("summary")
    tab_to(page, evidence, key="Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("What was understood")).to_be_visible()


def test_a_phone_shows_everything_in_its_width(open_page: Open, address: str) -> None:
    page = open_page(address, phone=True)
    assert fits_its_width(page)
    sign_in(page, "admin", "secret")
    ask(page, "Sales by region in the last 7 days")
    expect(page.get_by_text("Europe leads with 41%.")).to_be_visible()
    expect(page.get_by_test_id("stVegaLiteChart")).to_be_visible()
    assert fits_its_width(page)
    open_live(page)
    expect(big_number(page, "Refunds")).to_be_in_viewport()
    assert fits_its_width(page)


def test_the_newest_question_is_brought_into_view(open_page: Open, address: str) -> None:
    page = open_page(address)
    sign_in(page, "admin", "secret")
    ask(page, "What were sales today?")
    page.get_by_text("Evidence").click()
    ask(page, "Sales by region in the last 7 days")
    expect(page.get_by_text("Sales by region, last 7 days")).to_be_in_viewport()


def test_choices_ask_and_declined_questions_say_why(open_page: Open, address: str) -> None:
    page = open_page(address)
    sign_in(page, "admin", "secret")
    ask(page, "sales")
    page.get_by_role("button", name="Sales today", exact=True).click()
    expect(big_number(page, "Sales")).to_be_visible()
    ask(page, "profit")
    expect(page.get_by_text("There is no metric for profit")).to_be_visible()


def test_a_wait_shows_how_long_it_lasts(open_page: Open, address: str) -> None:
    page = open_page(address)
    sign_in(page, "admin", "secret")
    ask(page, "slow sales")
    expect(page.get_by_text("Looking it up")).to_be_visible()
    expect(page.get_by_test_id("stSpinner")).to_contain_text("seconds)")
    expect(big_number(page, "Sales")).to_be_visible()


def test_live_figures_move_by_themselves_and_a_pause_holds_them(open_page: Open, address: str) -> None:
    page = open_page(address, dark=True)
    sign_in(page, "admin", "secret")
    open_live(page)
    before = big_number(page, "Sales").inner_text()
    expect(big_number(page, "Sales")).not_to_have_text(before)
    page.get_by_text("Pause", exact=True).click()
    expect(page.get_by_text("Paused")).to_be_visible()
    held = big_number(page, "Sales").inner_text()
    page.wait_for_timeout(5000)
    expect(big_number(page, "Sales")).to_have_text(held)
