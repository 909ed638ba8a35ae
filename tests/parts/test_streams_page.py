"""The page of the streams in real Airflow, over HTTP and in a real browser: who may press what, and what it then does."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Page, expect

from headrace.policy.users import save_user
from headrace.runtime import airflow, jobs
from headrace.runtime.job_keeper import Keeper
from headrace.settings import Settings
from tests.airflow_client import signed_in
from tests.browser import Open
from tests.browser_steps import fits_its_width, tab_to

JOB = "dummy"
PAGE = "/headrace/streams"
WORD = "secret-word"
_ADD_USERS = """
import sys
from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder
with get_application_builder() as builder:
    for name, role in (person.split(":") for person in sys.argv[2:]):
        role = builder.sm.find_role(role)
        assert builder.sm.add_user(name, name, name, f"{name}@localhost", role, sys.argv[1])
"""


@pytest.fixture(scope="module")
def settings(start_parts: Callable[..., Settings]) -> Settings:
    settings = start_parts("kafka", "airflow-api")
    (settings.etc / "jobs").mkdir(parents=True, exist_ok=True)
    shutil.copy(Path(__file__).with_name("streaming_dummy.py"), settings.etc / "jobs" / f"{JOB}.py")
    people = {"olga": ("operator",), "vera": ("viewer",)}
    for name, roles in people.items():
        save_user(settings, name, WORD, roles)
    # Airflow itself shows the pages of plugins to its role Op and above.
    command = [sys.executable, "-c", _ADD_USERS, WORD, "olga:Op", "vera:Viewer"]
    subprocess.run(command, env=airflow.environment(settings), check=True, timeout=240)
    return settings


@pytest.fixture(scope="module")
def keeper(settings: Settings) -> Iterator[Keeper]:
    keeper = jobs.keeper(JOB, settings)
    yield keeper
    keeper.stop(grace=1)


def _audited(settings: Settings, actor: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(settings.postgres_dsn("headrace")) as connection:
        rows = connection.execute(
            "select action, subject, allowed from audit_logs where actor = %s order by id", [actor]
        )
        return rows.fetchall()


def _running(keeper: Keeper) -> None:
    until = time.monotonic() + 30
    while keeper.status().state != "running":
        assert time.monotonic() < until, keeper.status().reason
        time.sleep(0.1)


def test_an_operator_starts_stops_and_restarts_and_it_is_recorded(settings: Settings, keeper: Keeper) -> None:
    with signed_in(settings, "olga", WORD) as client:
        assert client.post(f"{PAGE}/{JOB}/start").status_code == 303
        _running(keeper)
        first = keeper.handle
        assert client.post(f"{PAGE}/{JOB}/restart").status_code == 303
        assert keeper.handle != first
        shown = {entry["job"]: entry for entry in client.get(f"{PAGE}/status").json()}[JOB]
        assert (shown["restarts"], shown["reason"]) == (1, "started by olga")
        assert client.post(f"{PAGE}/{JOB}/stop").status_code == 303
        assert keeper.status().state == "stopped"
        assert "stopped by olga" in client.get(f"{PAGE}/").text
        assert client.post(f"{PAGE}/nobody/stop").status_code == 404
        assert client.post(f"{PAGE}/{JOB}/explode").status_code == 422
    assert _audited(settings, "olga")[:3] == [(f"{what}_stream", JOB, True) for what in ("start", "restart", "stop")]


def test_who_may_only_look_sees_no_buttons_and_is_refused(settings: Settings, keeper: Keeper) -> None:
    with signed_in(settings, "vera", WORD) as client:
        shown = client.get(f"{PAGE}/")
        assert shown.status_code == 200 and JOB in shown.text and "<button" not in shown.text
        refused = client.post(f"{PAGE}/{JOB}/start")
    assert refused.status_code == 403 and "vera may not run_streams" in refused.text
    assert keeper.status().state == "stopped"
    assert _audited(settings, "vera") == [("start_stream", JOB, False)]


def test_another_site_cannot_press_a_button_with_somebody_s_cookie(settings: Settings, keeper: Keeper) -> None:
    with signed_in(settings, "olga", WORD) as client:
        cookie = {"_token": client.headers.pop("Authorization").removeprefix("Bearer ")}
        client.cookies.update(cookie)
        assert client.get(f"{PAGE}/").status_code == 200
        for token in ("", "9999999999.0000"):
            assert client.post(f"{PAGE}/{JOB}/start", data={"token": token}).status_code == 403
        client.cookies.clear()
        assert client.post(f"{PAGE}/{JOB}/start").status_code == 401
    assert keeper.status().state == "stopped"


def _sign_in(page: Page, user: str) -> None:
    page.locator("#username").fill(user)
    page.locator("#password").fill(WORD)
    page.locator("[type=submit]").first.click()
    page.wait_for_url("**/")


def test_in_a_browser_it_is_used_by_keyboard_and_fits_a_phone(
    settings: Settings,
    keeper: Keeper,
    open_page: Open,
) -> None:
    page = open_page(f"{settings.airflow_url}/auth/login/")
    _sign_in(page, "olga")
    page.goto(f"{settings.airflow_url}/plugin/streams")
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("heading", name=JOB, exact=True)).to_be_visible()
    page.goto(f"{settings.airflow_url}{PAGE}/")
    page.get_by_role("button", name=f"Start {JOB}", exact=True).click()
    expect(page.get_by_role("status")).to_have_text(f"{JOB} was started.")
    _running(keeper)
    expect(page.locator(f"#{JOB}-state")).to_contain_text("running")

    phone = open_page(f"{settings.airflow_url}/auth/login/", phone=True)
    _sign_in(phone, "olga")
    phone.goto(f"{settings.airflow_url}{PAGE}/")
    assert fits_its_width(phone)
    tab_to(phone, phone.get_by_role("button", name=f"Stop {JOB}"))
    phone.keyboard.press("Enter")
    expect(phone.get_by_role("status")).to_contain_text(f"{JOB} is stopped")
    assert keeper.status().state == "stopped"
    tab_to(phone, phone.get_by_role("link", name=f"Log of {JOB}"))
    phone.keyboard.press("Enter")
    expect(phone.get_by_role("heading", name=f"Log of {JOB}")).to_be_visible()
    phone.get_by_role("link", name="Streams").click()
    expect(phone.get_by_role("heading", name="Streams")).to_be_visible()
    assert fits_its_width(phone)
