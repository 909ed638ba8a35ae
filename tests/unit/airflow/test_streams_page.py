"""The page's forms cannot be forged, its text cannot become markup, and an order is asked for, recorded, then done."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from headrace.policy import Identity
from headrace.policy.audit import AuditUnavailable, Entry
from headrace.policy.permit import NotAllowed
from headrace.policy.users import save_user
from headrace.runtime import job_orders, jobs
from headrace.runtime.job_keeper import Keeper
from headrace.settings import Settings

OPERATOR = Identity("olga", ("operator",))


class Book:
    """Keeps entries, and fails where a database that is away would."""

    def __init__(self, broken: bool = False) -> None:
        self.entries: list[Entry] = []
        self.broken = broken

    def write(self, entry: Entry) -> None:
        if self.broken:
            raise AuditUnavailable("away")
        self.entries.append(entry)


@pytest.fixture
def known(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> Keeper:
    monkeypatch.setattr(jobs, "keeper", lambda *_: keeper)
    return keeper


def test_an_order_is_recorded_and_carried_out(known: Keeper, settings: Settings) -> None:
    book = Book()
    known.start()
    for order in ("stop", "start", "restart"):
        job_orders.carry_out(settings, OPERATOR, order, "dummy", book)  # type: ignore[arg-type]
    assert [(e.actor, e.action, e.subject, e.allowed) for e in book.entries] == [
        ("olga", "stop_stream", "dummy", True),
        ("olga", "start_stream", "dummy", True),
        ("olga", "restart_stream", "dummy", True),
    ]
    assert [e.detail["was"] for e in book.entries] == ["unknown", "stopped", "unknown"]
    assert known.handle and known.handle.alive()


@pytest.mark.parametrize("roles", [(), ("viewer",), ("analyst",), ("producer",)])
def test_who_may_only_look_changes_nothing(known: Keeper, settings: Settings, roles: tuple[str, ...]) -> None:
    book, first = Book(), known.start()
    with pytest.raises(NotAllowed, match="run_streams"):
        job_orders.carry_out(settings, Identity("vera", roles), "stop", "dummy", book)
    assert known.handle == first
    assert [(e.action, e.allowed) for e in book.entries] == [("stop_stream", False)]


def test_what_cannot_be_recorded_is_not_done(known: Keeper, settings: Settings) -> None:
    first = known.start()
    with pytest.raises(AuditUnavailable):
        job_orders.carry_out(settings, OPERATOR, "stop", "dummy", Book(broken=True))
    assert known.handle == first


def test_a_token_is_of_one_person_and_ends() -> None:
    from headrace_airflow import forgery

    made = forgery.token("key", "olga", now=1000.0)
    assert forgery.genuine("key", "olga", made, now=2000.0)
    later = str(int(made.split(".")[0]) + 1) + "." + made.split(".")[1]
    for secret, user, given, now in (
        ("key", "vera", made, 2000.0),
        ("other", "olga", made, 2000.0),
        ("key", "olga", made, 1e9),
        ("key", "olga", later, 2000.0),
        ("key", "olga", "", 2000.0),
        ("key", "olga", "x.é", 2000.0),
    ):
        assert not forgery.genuine(secret, user, given, now=now)


def test_what_a_job_says_cannot_become_markup() -> None:
    from headrace_airflow import page_html

    entry: dict[str, Any] = {
        "job": "live", "state": "stalled", "said": "<script>alert(1)</script>", "pid": 1, "lag": 7, "batch": 3, "watermark": None,
        "heartbeat_at": None, "started_at": None, "restarts": 2, "reason": "<b>x",
    }  # fmt: skip
    shown = page_html.overview("/root", [entry], None, '<img src="x">')
    assert "<script>alert" not in shown and "<b>x" not in shown and "<img" not in shown
    assert "<button" not in shown and "You may look" in shown
    assert shown.count("<button") == 0 < page_html.overview("/root", [entry], "t").count('formaction="/root/live/stop"')
    assert "<script>" not in page_html.log("/root", "live", "<script>")


class Person:
    """Who Airflow says is signed in."""

    def __init__(self, name: str) -> None:
        self.get_name = lambda: name


@pytest.fixture
def signed_in(known: Keeper, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[Any]:
    """The page as the api-server mounts it, for a person; Airflow's own door is left out."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "airflow"))
    from airflow.api_fastapi.core_api.security import get_user
    from fastapi import FastAPI
    from fastapi.testclient import TestClient
    from headrace_airflow import page

    save_user(settings, "olga", "secret-word", ("operator",))
    save_user(settings, "vera", "secret-word", ("viewer",))
    monkeypatch.setattr(page, "get_settings", lambda: settings)
    monkeypatch.setattr(jobs, "registry", lambda _: {"dummy": known.job})
    monkeypatch.setattr(page, "_audit", Book)
    server = FastAPI()
    server.mount("/headrace/streams", page.app)
    door = page.app.router.dependencies[0].dependency

    def client(name: str) -> Any:
        page.app.dependency_overrides = {door: lambda: None, get_user: lambda: Person(name)}
        return TestClient(server, follow_redirects=False)

    yield client
    page.app.dependency_overrides = {}


def test_a_button_does_what_it_says_only_with_the_token_of_its_page(signed_in: Any, known: Keeper) -> None:
    client = signed_in("olga")
    shown = client.get("/headrace/streams/")
    assert "frame-ancestors 'self'" in shown.headers["Content-Security-Policy"]
    token = re.search(r'name="token" value="([^"]+)"', shown.text)
    assert token
    start = "/headrace/streams/dummy/start"
    assert f'formaction="{start}"' in shown.text
    forged = client.post(start, data={"token": token[1] + "0"})
    assert forged.status_code == 403 and "Nothing was done" in forged.text and known.handle is None
    pressed = client.post(start, data={"token": token[1]})
    assert (pressed.status_code, pressed.headers["location"]) == (303, "/headrace/streams/?done=start&job=dummy")
    assert known.handle and known.handle.alive()
    assert "dummy was started." in client.get(pressed.headers["location"]).text
    assert "<script>alert" not in client.get("/headrace/streams/?done=<script>alert(1)&job=dummy").text
    log = client.get("/headrace/streams/dummy/log")
    assert log.status_code == 200 and 'href="/headrace/streams/"' in log.text


def test_a_viewer_gets_no_button_and_no_way_around_it(signed_in: Any, known: Keeper) -> None:
    client, bearer = signed_in("vera"), {"Authorization": "Bearer x"}
    assert "<button" not in client.get("/headrace/streams/").text
    refused = client.post("/headrace/streams/dummy/start", headers=bearer)
    assert refused.status_code == 403 and "vera may not run_streams" in refused.text
    assert known.handle is None
    client = signed_in("nobody-here")
    assert client.post("/headrace/streams/dummy/start", headers=bearer).status_code == 403
    assert client.post("/headrace/streams/dummy/explode", headers=bearer).status_code == 422
