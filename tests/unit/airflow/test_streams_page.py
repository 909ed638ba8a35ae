"""The page's forms cannot be forged, its text cannot become markup, and an order is asked for, recorded, then done."""

from __future__ import annotations

from typing import Any

import pytest

from headrace.policy import Identity
from headrace.policy.audit import AuditUnavailable, Entry
from headrace.policy.permit import NotAllowed
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
        "job": "live", "state": "stalled", "said": "<script>alert(1)</script>", "pid": 1, "lag": 7, "batch": 3, "landed_through": None,
        "heartbeat_at": None, "started_at": None, "restarts": 2, "reason": "<b>x",
    }  # fmt: skip
    shown = page_html.overview("/root", [entry], None, '<img src="x">')
    assert "<script>alert" not in shown and "<b>x" not in shown and "<img" not in shown
    assert "<button" not in shown and "You may look" in shown
    assert shown.count("<button") == 0 < page_html.overview("/root", [entry], "t").count('formaction="/root/live/stop"')
    assert "<script>" not in page_html.log("/root", "live", "<script>")
