"""The app in a real browser on the running platform: a true answer with its evidence, and figures that move."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from headrace.settings import MissingSecret, Settings, get_settings
from playwright.sync_api import Page, expect

sys.path.append(str(Path(__file__).parent))

from steps_in_browser import ask, big_number, fits_its_width, open_live, sign_in

Open = Callable[..., Page]
MONEY = re.compile(r"\$[\d,]+(\.\d\d)?")
ANSWER_MS = 60_000
WINDOW_MS = 60_000


@pytest.fixture(scope="module")
def settings() -> Settings:
    """Where nothing was ever started there is nothing to test; where something was, it must work."""
    found = get_settings()
    try:
        found.secret("admin_password")
    except MissingSecret:
        pytest.skip("No platform in this HEADRACE_HOME: `./headrace up` first.")
    return found


@pytest.fixture(scope="module")
def address(settings: Settings) -> str:
    url = f"http://127.0.0.1:{settings.ports.app}"
    assert httpx.get(f"{url}/_stcore/health", timeout=10, trust_env=False).text == "ok", (
        "`./headrace logs app` tells why"
    )
    return url


@pytest.fixture
def inside(open_page: Open, address: str, settings: Settings) -> Page:
    page = open_page(address)
    sign_in(page, "admin", settings.secret("admin_password"))
    return page


def test_a_question_is_answered_with_figure_and_evidence(inside: Page) -> None:
    ask(inside, "What were sales today?")
    figure = inside.get_by_test_id("stMetricValue").first
    expect(figure).to_have_text(MONEY, timeout=ANSWER_MS)
    inside.get_by_text("Evidence").click()
    evidence = inside.get_by_test_id("stExpanderDetails")
    for part in ("What was understood", "How fresh", "Confidence", "correlation id"):
        expect(evidence).to_contain_text(part)


def test_a_split_comes_as_table_and_chart(inside: Page) -> None:
    ask(inside, "Sales by region in the last 7 days")
    expect(inside.get_by_test_id("stDataFrame").first).to_be_visible(timeout=ANSWER_MS)
    expect(inside.get_by_test_id("stVegaLiteChart").first).to_be_visible()


def test_live_figures_move_by_themselves(inside: Page) -> None:
    open_live(inside)
    transactions = big_number(inside, "Transactions")
    expect(transactions).to_have_text(re.compile(r"[\d,]+"))
    before = transactions.inner_text()
    expect(transactions).not_to_have_text(before, timeout=WINDOW_MS)


def test_a_phone_can_do_it_too(open_page: Open, address: str, settings: Settings) -> None:
    page = open_page(address, phone=True)
    sign_in(page, "admin", settings.secret("admin_password"))
    ask(page, "What were sales today?")
    expect(page.get_by_test_id("stMetricValue").first).to_have_text(MONEY, timeout=ANSWER_MS)
    assert fits_its_width(page)
    open_live(page)
    expect(big_number(page, "Sales")).to_be_visible()
    assert fits_its_width(page)


def test_a_wrong_password_is_refused(open_page: Open, address: str) -> None:
    page = open_page(address)
    page.get_by_label("User").fill("admin")
    page.get_by_label("Password", exact=True).fill("not the password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("User")).to_be_visible()
