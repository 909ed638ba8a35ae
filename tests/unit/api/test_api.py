"""The HTTP surface over stores in memory: sign-in, answers, refusals, limits, health."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from fastapi import FastAPI

from app.api.app import create
from app.api.health import Checks
from app.api.parts import Parts
from app.api.routes import _tries
from headrace.assistant.history import HistoryUnavailable
from headrace.assistant.pipeline import Assistant
from headrace.assistant.rates import RatesUnknown
from headrace.assistant.reconciled import Reconciled, reconciled
from headrace.assistant.run import Runner
from headrace.contracts.model import Contract, load_contracts
from headrace.keys.records import Found
from headrace.lineage import events as lineage_events
from headrace.lineage.events import Event as Event_
from headrace.lineage.graph import Edge, Graph
from headrace.lineage.names import canonical, metric, table
from headrace.lineage.store import _row
from headrace.live.records import Record
from headrace.policy import Identity
from headrace.policy.tokens import issue
from headrace.policy.users import save_user
from headrace.quality.figures import Figure
from headrace.sessions.reading import SessionsNotFilled
from headrace.settings import Settings, get_settings
from tests.unit.assistant.world import RATES, VOCABULARY, Event, FakeAudit, FakeHistory, FakeStore

CONTRACTS = load_contracts(get_settings().contracts)
Ask = Callable[..., httpx.Response]


def _fail() -> None:
    raise ConnectionError("refused")


class MemoryLineage:
    def __init__(self) -> None:
        self.told: list[Event_] = []

    def keep(self, events: Iterable[Event_]) -> int:
        for told in events:
            _row(told)
            self.told.append(told)
        return len(self.told)

    def graph(self) -> Graph:
        return Graph(
            Edge(canonical(a["namespace"], a["name"]), canonical(b["namespace"], b["name"]), told["job"]["name"])
            for told in self.told
            for a in told["inputs"]
            for b in told["outputs"]
        )


class FakeRecords:
    def __init__(self) -> None:
        self.known: dict[str, Record] = {}

    def event(self, contracts: Iterable[Contract], event_id: str) -> Found | None:
        return self._found(event_id, [contract.name for contract in contracts])

    def entity(self, contract: Contract, key: str) -> Found | None:
        return self._found(key, [contract.name])

    def _found(self, key: str, streams: list[str]) -> Found | None:
        record = self.known.get(key)
        return Found(record, "processed") if record and record.stream in streams else None


class Api:
    laid: FastAPI | None = None

    def __init__(self, home: Path) -> None:
        (home / "secrets").mkdir()
        (home / "secrets" / "admin_password").write_text("correct horse")
        (home / "secrets" / "lineage_api_key").write_text("lineage-key")
        (home / "secrets" / "token_signing_key").write_text("k" * 48)
        self.settings = Settings(home=home)
        now = datetime.now(UTC)
        self.events = [
            Event(now, Decimal(10)),
            Event(now, Decimal(2), "refund"),
            Event(now, Decimal(8), currency="EUR"),
        ]
        self.store, self.history, self.audit = FakeStore(self.events), FakeHistory(), FakeAudit()
        self.checks: dict[str, Callable[[], None]] = {n: lambda: None for n in ("valkey", "postgres", "trino")}
        self.rates: Callable[[], Any] = lambda: RATES
        self.covered = now - timedelta(hours=1)

        self.records = FakeRecords()
        self.features: Any = None
        self.kept: dict[tuple[str, int, str | None], dict[str, Any]] = {}
        self.anomalies: list[dict[str, Any]] = []
        self.sessions: dict[str, dict[str, Any]] = {}
        self.closed_sessions: dict[str, dict[str, Any]] = {}
        self.quality: list[Figure] = []
        self.reconciled: list[Reconciled] = []
        self.lineage = MemoryLineage()
        self.session_of: Callable[[str], dict[str, Any] | None] = self.sessions.get

    def call(self, method: str, path: str, *, person: str | None = "admin", **request: Any) -> httpx.Response:
        headers = dict(request.pop("headers", {}))
        if person:
            headers["Authorization"] = f"Bearer {issue(self.settings, Identity(person, ())).access_token}"

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self._app(), raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
                return await client.request(method, path, headers=headers, **request)

        return asyncio.run(send())

    def _app(self) -> FastAPI:
        """Routes are the same for everyone and cost a tenth of a second to lay; what they reach through is this one's."""
        if Api.laid is None:
            Api.laid = create(self._parts())
        Api.laid.state.parts = self._parts()
        return Api.laid

    def _parts(self) -> Parts:
        runner = Runner(self.store, self.history, self.rates, lambda: self.covered, seconds=5)
        assistant = Assistant(lambda: VOCABULARY, runner, self.audit)
        return Parts(
            settings=self.settings, assistant=assistant, vocabulary=lambda: VOCABULARY, windows=self.store,
            rates=self.rates, coverage=lambda: self.covered, audit=self.audit, checks=Checks(self.checks),
            runner=runner, features=self.features, records=self.records,  # type: ignore[arg-type]
            contracts=lambda: CONTRACTS, pseudonym_key=lambda: "k",
            kept_metric=lambda name, minutes, by: self.kept.get((name, minutes, by)),
            anomalies=lambda: self.anomalies, session=self.session_of,
            closed_session=self.closed_sessions.get,
            quality=lambda first, last: [figure for figure in self.quality if first <= figure.day <= last],
            reconciled=lambda: self.reconciled, lineage=self.lineage,
            activity=lambda user_id: [one for one in self.sessions.values() if one["user_id"] == user_id],
        )  # fmt: skip


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    yield Api(tmp_path)
    _tries._limiter.storage.reset()


def test_sign_in_then_ask(api: Api) -> None:
    signed = api.call("POST", "/token", person=None, json={"username": "admin", "password": "correct horse"})
    assert signed.status_code == 200
    assert signed.json()["roles"] == ["admin"]
    token = signed.json()["access_token"]
    body = {"query": "sales in the last 5 minutes"}
    answer = api.call("POST", "/query", person=None, json=body, headers={"Authorization": f"Bearer {token}"}).json()
    assert (answer["status"], answer["data"]["rows"]) == ("answered", [[19.0]])
    assert answer["plan"]["words"].startswith("sales, last 5 minutes")
    assert answer["conversation_id"] and answer["correlation_id"] and answer["error"] is None
    assert {"sql", "freshness", "confidence", "suggestions", "insights", "charts", "elapsed_ms"} <= answer.keys()


def test_a_wrong_password_is_refused_recorded_and_slowed_down(api: Api) -> None:
    body = {"username": "admin", "password": "wrong"}
    codes = [api.call("POST", "/token", person=None, json=body).status_code for _ in range(11)]
    assert codes == [401] * 10 + [429]
    assert [e.allowed for e in api.audit.entries] == [False] * 10


@pytest.mark.parametrize(
    "path",
    [
        "/live/summary",
        "/live/windows?spec=transactions_1m",
        "/catalogue/metrics",
        "/anomalies",
        f"/sessions/{'a' * 32}",
        "/events/e1",
        "/reference/customers/c1",
        "/metrics/sales/latest",
        "/features/customer/c1",
    ],
)
def test_everything_else_needs_a_token(api: Api, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer nonsense"}):
        reply = api.call("GET", path, person=None, headers=headers)
        assert reply.status_code == 401
        assert reply.json()["error"]["next_step"]


def test_a_conversation_goes_on(api: Api) -> None:
    parts = api._parts()
    app = create(parts)

    async def talk() -> list[dict[str, Any]]:
        token = issue(api.settings, Identity("admin", ())).access_token
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as client:
            client.headers["Authorization"] = f"Bearer {token}"
            first = (await client.post("/query", json={"query": "sales in the last 5 minutes"})).json()
            more = {"query": "by currency", "conversation_id": first["conversation_id"]}
            return [first, (await client.post("/query", json=more)).json()]

    first, second = asyncio.run(talk())
    assert second["conversation_id"] == first["conversation_id"]
    assert second["data"]["rows"] == [["USD", 10.0], ["EUR", 9.0]]


def test_options_beside_the_text_hold(api: Api) -> None:
    body = {"query": "sales by currency", "time_range": "last 10 minutes", "limit": 1, "data_sources": ["redis"]}
    answer = api.call("POST", "/query", json=body).json()
    assert answer["plan"]["time"]["label"] == "last 10 minutes"
    assert len(answer["data"]["rows"]) == 1
    assert answer["plan"]["source"] == "live"


@pytest.mark.parametrize(
    "body",
    [{}, {"query": ""}, {"query": "x" * 2001}, {"query": "sales", "limit": 0}, {"query": "sales", "extra": 1},
     {"query": "sales", "time_range": "whenever"}, {"query": "sales", "data_sources": ["oracle"]},
     {"query": "sales", "time_range": {"start": "2026-11-02T00:00:00Z", "end": "2026-11-01T00:00:00Z"}}],
)  # fmt: skip
def test_a_bad_request_says_what_to_correct(api: Api, body: dict[str, Any]) -> None:
    reply = api.call("POST", "/query", json=body)
    assert reply.status_code == 422
    assert reply.json()["status"] == "error"
    assert reply.json()["error"]["message"] and reply.json()["error"]["next_step"]


def test_a_body_is_bounded_declared_or_not(api: Api) -> None:
    async def drip() -> Any:
        for _ in range(20):
            yield b"x" * 8192

    assert api.call("POST", "/query", content=b"x" * 70_000).status_code == 413
    assert api.call("POST", "/query", content=drip()).status_code == 413


def test_the_correlation_id_goes_through(api: Api) -> None:
    reply = api.call(
        "POST", "/query", json={"query": "sales in the last 5 minutes"}, headers={"X-Correlation-Id": "abc-1"}
    )
    assert reply.headers["x-correlation-id"] == "abc-1" == reply.json()["correlation_id"]
    assert api.audit.entries[-1].detail["correlation_id"] == "abc-1"
    odd = api.call("GET", "/health", person=None, headers={"X-Correlation-Id": "a b\tc"})
    assert len(odd.headers["x-correlation-id"]) == 32


def test_a_viewer_gets_figures_but_no_persons(api: Api) -> None:
    save_user(api.settings, "vera", "hunter22", ("viewer",))
    assert (
        api.call("POST", "/query", person="vera", json={"query": "sales in the last 5 minutes"}).json()["status"]
        == "answered"
    )
    refused = api.call("POST", "/query", person="vera", json={"query": "sales by user today"}).json()
    assert refused["status"] == "declined" and not refused["data"]["rows"]
    names = {d["name"] for d in api.call("GET", "/catalogue/metrics", person="vera").json()["dimensions"]}
    assert "region" in names and "user_id" not in names


def test_a_role_without_the_action_is_refused(api: Api) -> None:
    save_user(api.settings, "pump", "hunter22", ("producer",))
    for method, path, body in (("POST", "/query", {"query": "sales"}), ("GET", "/live/summary", None)):
        assert api.call(method, path, person="pump", json=body).status_code == 403
    assert [e.allowed for e in api.audit.entries] == [False, False]


def test_no_record_no_answer(api: Api) -> None:
    api.audit.broken = True
    reply = api.call("POST", "/query", json={"query": "sales in the last 5 minutes"})
    assert reply.status_code == 503
    assert "could not be recorded" in reply.json()["error"]["message"]


def test_history_that_is_down_is_said_with_what_still_works(api: Api) -> None:
    api.history.error = HistoryUnavailable("Trino does not answer now.")
    reply = api.call("POST", "/query", json={"query": "sales last week"})
    assert reply.status_code == 503
    assert "live figures" in reply.json()["error"]["next_step"]


def test_an_unexpected_failure_shows_nothing_of_the_inside(api: Api) -> None:
    api.history.error = KeyError("secret-inside")
    with structlog.testing.capture_logs() as logs:
        reply = api.call("POST", "/query", json={"query": "sales last week"})
    assert reply.status_code == 500
    assert "secret-inside" not in reply.text and reply.json()["status"] == "error"
    assert [line["kind"] for line in logs if line["event"] == "unexpected"] == ["KeyError"]


def test_live_summary(api: Api) -> None:
    api.store.events.append(replace(api.events[0], late=True))
    found = api.call("GET", "/live/summary?minutes=10").json()
    assert found["totals"]["sales"] == 29.0 and found["totals"]["transactions"] == 4
    assert found["late_events"] == 1
    assert len(found["series"]) == 10
    assert sum(p["sales"] for p in found["series"]) == 29.0
    assert (found["by_region"][0]["region"], found["by_region"][0]["sales"]) == ("europe", 29.0)
    assert {r["transaction_type"]: r["amount"] for r in found["by_type"]} == {"purchase": 29.0, "refund": 2.0}
    assert found["top_merchants"][0]["merchant_id"] == "M-1"
    assert found["currency"] == "USD" and found["coverage_through"] and found["newest_window"]
    assert not api.history.requests


def test_live_summary_without_rates_leaves_out_and_says_so(api: Api) -> None:
    def none() -> Any:
        raise RatesUnknown("none yet")

    api.rates = none
    found = api.call("GET", "/live/summary?minutes=10").json()
    assert found["totals"]["sales"] == 10.0 and found["totals"]["transactions"] == 3
    assert "EUR" in found["notes"][0]


@pytest.mark.parametrize(
    ("down", "status", "code"),
    [((), "up", 200), (("trino",), "degraded", 200), (("valkey",), "down", 503), (("postgres",), "down", 503)],
)
def test_health_is_open_and_honest(api: Api, down: tuple[str, ...], status: str, code: int) -> None:
    api.checks |= dict.fromkeys(down, _fail)
    reply = api.call("GET", "/health", person=None)
    assert (reply.status_code, reply.json()["status"]) == (code, status)
    assert {n for n, p in reply.json()["parts"].items() if p["state"] == "down"} == set(down)


def test_the_api_documents_itself(api: Api) -> None:
    paths = api.call("GET", "/openapi.json", person=None).json()["paths"]
    assert {"/token", "/query", "/live/summary", "/catalogue/metrics", "/health"} <= paths.keys()


def test_windows_slide_over_the_minutes(api: Api) -> None:
    reply = api.call("GET", "/live/windows?spec=transactions_by_user&seconds=300&slide=60&minutes=10")
    assert reply.status_code == 200, reply.text
    rows = reply.json()["rows"]
    assert {row["keys"]["user_id"] for row in rows} == {"u-1"}
    # Five windows hold each minute, and each of the three events has keys of its own.
    assert [row["n"] for row in rows] == [1] * 15
    tumbling = api.call("GET", "/live/windows?spec=transactions_1m&seconds=300&slide=300&minutes=10").json()["rows"]
    assert sum(row["n"] for row in tumbling) == 3


def test_windows_that_are_partly_freed_are_left_out_and_that_is_said(api: Api) -> None:
    now = datetime.now(UTC)
    api.store.kept_since = now.replace(second=0, microsecond=0) - timedelta(minutes=130)
    api.store.events.extend(Event(now - timedelta(minutes=ago), Decimal(1)) for ago in (128, 100))
    asked = "/live/windows?spec=transactions_1m&seconds=600&slide=600&minutes=180"
    reply = api.call("GET", asked).json()
    whole = datetime.fromisoformat(reply["complete_from"])
    assert whole == api.store.kept_since
    starts = [datetime.fromisoformat(row["window_start"]) for row in reply["rows"]]
    assert min(starts) >= whole, "a window that begins earlier has lost some of its minutes"
    api.store.kept_since = None
    limit = now - timedelta(minutes=api.settings.live_kept_minutes)
    assert datetime.fromisoformat(api.call("GET", asked).json()["complete_from"]) >= limit
    near = api.call("GET", "/live/windows?spec=transactions_1m&minutes=10").json()
    assert datetime.fromisoformat(near["complete_from"]) < now - timedelta(minutes=8), "nothing of it was ever freed"
    notes = {n: api.call("GET", f"/live/summary?minutes={n}").json()["notes"] for n in (30, 180)}
    assert notes[30] == [] and "not held live any more" in notes[180][0]


@pytest.mark.parametrize(
    ("query", "code"), [("spec=nobody", 404), ("spec=transactions_1m&seconds=90", 422), ("seconds=60", 422)]
)
def test_windows_that_there_are_not_say_which_there_are(api: Api, query: str, code: int) -> None:
    reply = api.call("GET", f"/live/windows?{query}")
    assert reply.status_code == code
    assert reply.json()["error"]["next_step"]


def test_windows_by_person_are_for_those_who_may_see_persons(api: Api) -> None:
    for role in ("viewer", "analyst"):
        save_user(api.settings, role, "a long password", (role,))
        assert api.call("GET", "/live/windows?spec=transactions_by_user", person=role).status_code == 403
    assert api.call("GET", "/live/windows?spec=transaction_amounts", person="viewer").status_code == 200


def _anomaly(scope: str, subject: str, state: str = "open") -> dict[str, Any]:
    moment = datetime.now(UTC).isoformat()
    figures = dict.fromkeys(("seen", "expected", "low", "high", "score"), 1.0)
    return {
        "id": f"{subject}|purchases|60", "scope": scope, "subject": subject, "measure": "purchases", "state": state,
        "opened_at": moment, "closed_at": None, "window_start": moment, "window_minutes": 5, "sentence": "Much.", **figures,
        "contributors": [{"keys": {"merchant": subject, "region": "asia"}, "seen": 1, "usual": 0.5}],
    }  # fmt: skip


def test_anomalies_are_shown_without_persons_to_those_who_see_none(api: Api) -> None:
    save_user(api.settings, "vera", "hunter22", ("viewer",))
    save_user(api.settings, "anna", "hunter22", ("analyst",))
    api.anomalies = [_anomaly("merchant", "m1"), _anomaly("user", "u1"), _anomaly("platform", "*", "closed")]
    found = api.call("GET", "/anomalies").json()
    assert ({one["subject"] for one in found["anomalies"]}, found["hidden"]) == ({"m1", "u1", "*"}, 0)
    for person in ("vera", "anna"):
        found = api.call("GET", "/anomalies", person=person).json()
        assert ({one["subject"] for one in found["anomalies"]}, found["hidden"]) == ({"m1", "*"}, 1)
    assert [one["subject"] for one in api.call("GET", "/anomalies?state=closed").json()["anomalies"]] == ["*"]
    assert api.call("GET", "/anomalies?state=else").status_code == 422


def test_a_session_names_its_person_to_those_who_see_persons(api: Api) -> None:
    save_user(api.settings, "vera", "hunter22", ("viewer",))
    save_user(api.settings, "anna", "hunter22", ("analyst",))
    moment, session_id = datetime.now(UTC).isoformat(), "a" * 32
    found = {
        "session_id": session_id, "stream": "app_events", "user_id": "u1", "state": "open", "started_at": moment,
        "ended_at": moment, "quiet_at": moment, "events": 2, "by_type": {"page_view": 2}, "closed_at": None,
    }  # fmt: skip
    api.sessions[session_id] = found
    shown = api.call("GET", f"/sessions/{session_id}").json()
    assert (shown["user_id"], shown["state"], shown["events"]) == ("u1", "open", 2)
    for person in ("vera", "anna"):
        assert api.call("GET", f"/sessions/{session_id}", person=person).json()["user_id"] is None
    assert api.call("GET", "/sessions/u1").status_code == 422
    reply = api.call("GET", "/users/u1/activity").json()
    assert (reply["user_id"], [one["session_id"] for one in reply["sessions"]]) == ("u1", [session_id])
    for person in ("vera", "anna"):
        assert api.call("GET", "/users/u1/activity", person=person).status_code == 403


def test_a_closed_session_is_told_from_the_lake_to_those_who_may_ask_it(api: Api) -> None:
    for person, role in (("vera", "viewer"), ("anna", "analyst"), ("otto", "operator")):
        save_user(api.settings, person, "hunter22", (role,))
    moment, session_id = datetime.now(UTC).isoformat(), "c" * 32
    api.closed_sessions[session_id] = {
        "session_id": session_id, "stream": "app_events", "user_id": "u1", "state": "closed", "started_at": moment,
        "ended_at": moment, "quiet_at": moment, "events": 2, "by_type": {}, "closed_at": moment, "source": "curated",
    }  # fmt: skip
    shown = api.call("GET", f"/sessions/{session_id}").json()
    assert (shown["user_id"], shown["state"], shown["source"]) == ("u1", "closed", "curated")
    for person in ("vera", "anna"):
        assert api.call("GET", f"/sessions/{session_id}", person=person).json()["user_id"] is None
    assert api.call("GET", f"/sessions/{session_id}", person="otto").status_code == 403
    nowhere = api.call("GET", f"/sessions/{'b' * 32}")
    assert nowhere.status_code == 404 and nowhere.json()["error"]["next_step"]
    read = [(e.actor, e.allowed) for e in api.audit.entries if e.subject.startswith("session ")]
    assert read == [("admin", True), ("vera", True), ("anna", True), ("admin", False)]
    api.audit.broken = True
    assert api.call("GET", f"/sessions/{session_id}").status_code == 503


def test_a_session_is_not_shown_where_rows_are_limited_nor_before_the_store_is_filled(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.api.sessions.row_limits", lambda _: {"region": ("asia",)})
    for path in (f"/sessions/{'a' * 32}", "/users/u1/activity"):
        assert api.call("GET", path).status_code == 403
    monkeypatch.undo()

    def filling(_: str) -> None:
        raise SessionsNotFilled

    api.session_of = filling
    assert api.call("GET", f"/sessions/{'a' * 32}").status_code == 503


def test_quality_tells_counts_and_verdicts(api: Api) -> None:
    today = datetime.now(UTC).date()
    api.quality = [Figure("curated.fct_orders", today, "completeness", 90, 100, Decimal("99.99"))]
    found = api.call("GET", "/quality").json()
    assert found["days"][0]["state"] == "failed" and "completeness 90 %" in found["days"][0]["sentence"]
    assert found["days"][0]["figures"][0]["good"] == 90
    assert api.call("GET", "/quality", params={"table": "curated.dim_date"}).json()["days"] == []
    hour = datetime.now(UTC).replace(minute=0)
    sides = (hour - timedelta(hours=1), hour, Decimal("19.00"), Decimal("19.00"), Decimal("24.00"))
    api.reconciled = [reconciled("sales", *sides), reconciled("secret_metric", *sides)]
    (compared,) = api.call("GET", "/quality").json()["live_and_lake"]
    assert {n: compared[n] for n in ("metric", "live", "lake", "late", "difference", "state")} == {
        "metric": "sales", "live": "19.00", "lake": "24.00", "late": "5.00", "difference": "5.00", "state": "equal",
    }  # fmt: skip
    assert api.call("GET", "/quality", person=None).status_code == 401


def test_lineage_is_told_with_the_key_and_read_by_people(api: Api) -> None:
    told = lineage_events.job("n", "m", [table("curated", "fct_orders")], [metric("sales")], datetime.now(UTC))
    for path in ("/lineage", "/api/v1/lineage"):
        assert api.call("POST", path, person=None, json=told).status_code == 401
        assert api.call("POST", path, json=told).status_code == 401, "a person's token is no key"
        key = {"Authorization": "Bearer lineage-key"}
        assert api.call("POST", path, person=None, headers=key, json=told).status_code == 201
    wrong = api.call("POST", "/lineage", person=None, headers=key, json={"eventTime": "now"})
    assert wrong.status_code == 422 and "job.namespace" in wrong.json()["error"]["message"]
    found = api.call("GET", "/lineage", params={"name": "sales"}).json()
    assert found["about"] == ["sales"] and found["edges"] == [
        {"source": "curated.fct_orders", "target": "sales", "job": "m"}
    ]
    assert api.call("GET", "/lineage", params={"name": "nobody"}).status_code == 404
    assert api.call("GET", "/lineage", person=None).status_code == 401
