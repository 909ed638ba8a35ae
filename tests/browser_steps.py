"""What a person does in the app, in the words that the person sees."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect


def sign_in(page: Page, user: str, password: str) -> None:
    page.get_by_label("User").fill(user)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(question_box(page)).to_be_visible()


def question_box(page: Page) -> Locator:
    return page.get_by_test_id("stChatInputTextArea")


def ask(page: Page, question: str) -> None:
    question_box(page).fill(question)
    question_box(page).press("Enter")


def turns(page: Page) -> Locator:
    """The finished answers of the conversation."""
    return page.locator("[class*='st-key-answer_']")


def open_live(page: Page) -> None:
    folded = page.get_by_test_id("stExpandSidebarButton")
    if folded.is_visible():
        folded.click()
    page.get_by_role("link", name="Live").click()
    expect(page.get_by_role("heading", name="Live")).to_be_visible()


def big_number(page: Page, label: str) -> Locator:
    metric = page.get_by_test_id("stMetric").filter(has=page.get_by_text(label, exact=True))
    return metric.get_by_test_id("stMetricValue")


def tab_to(page: Page, target: Locator, key: str = "Tab", most: int = 25) -> None:
    """Only by the keyboard, as somebody without a mouse."""
    for _ in range(most):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{target} is not within {most} steps of {key}")


def fits_its_width(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))
