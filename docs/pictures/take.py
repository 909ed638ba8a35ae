"""Takes the pictures of README from the running platform: `HEADRACE_HOME=… python docs/pictures/take.py`.

Pictures of a real run, taken anew whenever the app's looks change; never drawn, never from invented figures.
"""

from __future__ import annotations

import io
import os
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from headrace.runtime import browser
from headrace.settings import get_settings

FOLDER = Path(__file__).resolve().parent
SIZE = {"width": 1180, "height": 900}
QUESTION = "Sales by region in the last 7 days"
COLOURS = 128


def main() -> None:
    settings = get_settings()
    found = browser.find(settings)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=str(found.executable),
            args=list(found.arguments),
            env={**os.environ, **found.environment},  # noqa: TID251 - Playwright replaces the whole environment
        )
        page = chromium.new_context(viewport=SIZE, color_scheme="light").new_page()
        page.set_default_timeout(60_000)
        page.goto(f"http://127.0.0.1:{settings.ports.app}")
        sign_in(page, settings.secret("admin_password"))
        ask(page)
        live(page)
        chromium.close()


def sign_in(page: Page, password: str) -> None:
    page.get_by_label("User").fill("admin")
    page.get_by_label("Password", exact=True).fill(password)
    page.keyboard.press("Enter")
    page.get_by_test_id("stChatInputTextArea").wait_for()


def ask(page: Page) -> None:
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill(QUESTION)
    box.press("Enter")
    page.get_by_test_id("stVegaLiteChart").wait_for()
    keep(page, "ask")


def live(page: Page) -> None:
    page.get_by_role("link", name="Live").click()
    page.get_by_text("Top merchants").wait_for()
    keep(page, "live")


def keep(page: Page, name: str) -> None:
    page.wait_for_timeout(3000)  # charts draw after their data has come
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(COLOURS)
    picture.save(FOLDER / f"{name}.png", optimize=True)
    print(f"{name}.png {(FOLDER / f'{name}.png').stat().st_size // 1024} KB")  # noqa: T201 - a program to be run by hand


if __name__ == "__main__":
    main()
