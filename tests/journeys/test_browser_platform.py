"""The app in a real browser on the running platform: a true answer with its evidence, and figures that move."""

from __future__ import annotations

import re
import time

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from headrace.settings import Settings
from tests.browser import Open
from tests.browser_steps import ask, big_number, fits_its_width, open_live, sign_in, turns

MONEY = re.compile(r"\$[\d,]+(\.\d\d)?")
ANSWER_MS = 60_000
WINDOW_MS = 90_000
FIRST_ANSWER_SECONDS = 300


@pytest.fixture(scope="module")
def settings(chromium: Browser, platform: Settings) -> Settings:
    """The browser first: without one there is no reason to start a platform."""
    return platform


@pytest.fixture(scope="module")
def address(settings: Settings) -> str:
    url = f"http://127.0.0.1:{settings.ports.app}"
    health = httpx.get(f"{url}/_stcore/health", timeout=10, trust_env=False)
    assert health.text == "ok", "`./headrace logs app` tells why"
    return url


@pytest.fixture
def inside(open_page: Open, address: str, settings: Settings) -> Page:
    page = open_page(address)
    sign_in(page, "admin", settings.secret("admin_password"))
    return page


def ask_until_answered(page: Page, question: str) -> None:
    """A platform that has just been started declines until its first history is built."""
    end = time.monotonic() + FIRST_ANSWER_SECONDS
    while True:
        before = turns(page).count()
        ask(page, question)
        expect(turns(page)).to_have_count(before + 1, timeout=ANSWER_MS)
        declined = turns(page).last.get_by_role("alert").count()
        if not declined or time.monotonic() > end:
            return
        page.wait_for_timeout(5000)


def test_a_question_is_answered_with_figure_and_evidence(inside: Page) -> None:
    ask_until_answered(inside, "What were sales today?")
    answer = turns(inside).last
    expect(answer.get_by_test_id("stMetricValue").first).to_have_text(MONEY)
    answer.get_by_text("Evidence", exact=True).click()
    evidence = answer.get_by_test_id("stExpanderDetails")
    for part in ("What was understood", "How fresh", "Confidence", "correlation id"):
        expect(evidence).to_contain_text(part)


def test_a_split_comes_as_table_and_chart(inside: Page) -> None:
    ask_until_answered(inside, "Sales by region in the last 7 days")
    expect(turns(inside).last.get_by_test_id("stDataFrame").first).to_be_visible()
    expect(turns(inside).last.get_by_test_id("stVegaLiteChart").first).to_be_visible()


def test_live_figures_move_by_themselves(inside: Page) -> None:
    open_live(inside)
    transactions = big_number(inside, "Transactions")
    expect(transactions).to_have_text(re.compile(r"[\d,]+"), timeout=WINDOW_MS)
    before = transactions.inner_text()
    expect(transactions).not_to_have_text(before, timeout=WINDOW_MS)


def test_a_phone_can_do_it_too(open_page: Open, address: str, settings: Settings) -> None:
    page = open_page(address, phone=True)
    sign_in(page, "admin", settings.secret("admin_password"))
    ask_until_answered(page, "What were sales today?")
    expect(page.get_by_test_id("stMetricValue").first).to_have_text(MONEY)
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
