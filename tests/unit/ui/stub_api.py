"""An API that only tells what it was told to: for the app's tests, and to work on the app with nothing else running.

`python tests/unit/ui/stub_api.py 8081` serves it (user admin, password secret).
"""

from __future__ import annotations

import json
import math
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlparse

Reply = tuple[int, dict[str, Any]]


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def problem(message: str, next_step: str) -> dict[str, Any]:
    return {"status": "error", "error": {"message": message, "next_step": next_step}}


class Stub(ThreadingHTTPServer):
    daemon_threads = True
    live_empty = False
    live_notes: tuple[str, ...] = ()
    no_catalogue = False
    token_minutes = 10.0
    fail_with: Reply | None = None

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.asked: list[dict[str, Any]] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])


@contextmanager
def serving(port: int = 0) -> Iterator[Stub]:
    stub = Stub(port)
    threading.Thread(target=stub.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield stub
    finally:
        stub.shutdown()
        stub.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Stub

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        self._answer(self._token(body) if self.path == "/token" else self._signed_in(lambda: self._query(body)))

    def do_GET(self) -> None:
        address = urlparse(self.path)
        if address.path == "/catalogue/metrics":
            questions = [] if self.server.no_catalogue else QUESTIONS
            self._answer(self._signed_in(lambda: (200, {"metrics": [], "dimensions": [], "questions": questions})))
            return
        if address.path in ("/quality", "/lineage"):
            page = quality() if address.path == "/quality" else lineage(parse_qs(address.query).get("name", [""])[0])
            self._answer(self._signed_in(lambda: (200, {} if self.server.live_empty else page)))
            return
        minutes = int(parse_qs(address.query).get("minutes", ["30"])[0])
        self._answer(
            self._signed_in(
                lambda: (200, {**live(minutes, self.server.live_empty), "notes": list(self.server.live_notes)})
            )
        )

    def _token(self, body: dict[str, Any]) -> Reply:
        if body != {"username": "admin", "password": "secret"}:
            return 401, problem("User or password is wrong.", "Try again.")
        expires = now() + timedelta(minutes=self.server.token_minutes)
        return 200, {"access_token": "t", "expires_at": expires.isoformat(), "user": "admin", "roles": ["admin"]}

    def _signed_in(self, then: Any) -> Reply:
        if self.headers.get("Authorization") != "Bearer t":
            return 401, problem("Sign in first.", "POST /token.")
        return self.server.fail_with or then()

    def _query(self, body: dict[str, Any]) -> Reply:
        self.server.asked.append(body)
        return 200, answer(body["query"])

    def _answer(self, reply: Reply) -> None:
        status, body = reply
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Quiet: what matters is in `asked`."""


def answer(question: str) -> dict[str, Any]:
    words = question.lower()
    if "slow" in words:
        time.sleep(6)
    if "profit" in words:
        return {**_base(), **DECLINED}
    if words.strip() == "sales":
        return {**_base(), **ASKED}
    return {**_base(), **(_by_region() if "by region" in words else _one_figure())}


def _base() -> dict[str, Any]:
    moment = now()
    return {
        "status": "answered",
        "data": {"columns": [], "rows": []},
        "charts": [],
        "insights": [],
        "plan": {
            "metrics": ["sales"],
            "group_by": [],
            "filters": [],
            "time": {
                "start": moment.replace(hour=0, minute=0, second=0).isoformat(),
                "end": moment.isoformat(),
                "label": "today",
            },
            "compare": None,
            "source": "both",
        },
        "metrics": [{"name": "sales", "label": "Sales", "description": "Sum of purchases in the reporting currency."}],
        "sql": [
            {
                "engine": "trino",
                "sql": "select sum(amount * usd_rate) as sales\nfrom lake.curated.fct_transactions\nwhere event_time >= timestamp '2026-01-01 00:00:00 UTC'",
            }
        ],
        "freshness": [
            {
                "part": "history",
                "source": "curated.fct_transactions",
                "as_of": moment.isoformat(),
                "through": (moment - timedelta(minutes=30)).isoformat(),
            },
            {
                "part": "live",
                "source": "transactions_1m",
                "as_of": moment.isoformat(),
                "through": (moment - timedelta(seconds=2)).isoformat(),
            },
        ],
        "quality": [
            {
                "table": "curated.fct_transactions",
                "day": f"{moment:%Y-%m-%d}",
                "state": "passed",
                "sentence": "curated.fct_transactions: 5 figures of quality measured, all as asked for",
            }
        ],
        "confidence": {
            "level": "high",
            "reasons": [
                "All data tests of the tables used have passed",
                "Live and history agree where both know the minute",
            ],
        },
        "suggestions": [],
        "conversation_id": "c1",
        "correlation_id": "0123456789abcdef0123456789abcdef",
        "elapsed_ms": 184.2,
        "error": None,
    }


QUESTIONS = ["What were sales today?", "Sales by region in the last 7 days", "Refunds this month", "Net sales"]
ASKED: dict[str, Any] = {
    "status": "asked",
    "text": "For which period?",
    "plan": {},
    "sql": [],
    "freshness": [],
    "confidence": None,
    "suggestions": ["Sales today", "Sales in the last 7 days", "Sales this month"],
}
DECLINED: dict[str, Any] = {
    "status": "declined",
    "text": "There is no metric for profit: costs are not in the data.",
    "plan": {},
    "sql": [],
    "freshness": [],
    "confidence": None,
    "suggestions": ["What were sales today?"],
}


def _one_figure() -> dict[str, Any]:
    return {
        "text": "Sales today were $48,213.57, 6.2% more than yesterday at this time.",
        "data": {
            "columns": [{"name": "sales", "label": "Sales", "unit": "USD", "type": "decimal"}],
            "rows": [["48213.57"]],
        },
        "insights": ["Europe brought 41% of it."],
        "suggestions": ["Sales today by region", "Sales yesterday"],
    }


def _by_region() -> dict[str, Any]:
    rows = [
        ["north_america", "18734.10", 412],
        ["europe", "19767.02", 398],
        ["asia", "7012.45", 188],
        ["south_america", "2700.00", 61],
    ]
    columns = [
        {"name": "region", "label": "Region", "unit": None, "type": "string"},
        {"name": "sales", "label": "Sales", "unit": "USD", "type": "decimal"},
        {"name": "transactions", "label": "Transactions", "unit": None, "type": "integer"},
    ]
    chart = {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "data": {"values": [{"region": r, "sales": float(s)} for r, s, _ in rows]},
        "mark": "bar",
        "encoding": {
            "x": {"field": "sales", "type": "quantitative", "title": "Sales, USD"},
            "y": {"field": "region", "type": "nominal", "sort": "-x", "title": None},
        },
        "width": 900,
    }
    return {
        "text": "Sales by region, last 7 days: $48,213.57 in all.",
        "data": {"columns": columns, "rows": rows},
        "charts": [chart],
        "insights": ["Europe leads with 41%.", "South America is smallest with 6%."],
        "suggestions": ["Only Europe, by day"],
    }


def live(minutes: int, empty: bool = False) -> dict[str, Any]:
    moment = now()
    if empty:
        return {
            "as_of": moment.isoformat(),
            "currency": "USD",
            "totals": {},
            "series": [],
            "by_region": [],
            "by_type": [],
            "top_merchants": [],
            "coverage_through": None,
            "newest_window": None,
        }
    seconds = time.time()
    start = moment.replace(second=0) - timedelta(minutes=minutes - 1)
    series = [_minute(start + timedelta(minutes=n), seconds if n == minutes - 1 else 0) for n in range(minutes)]
    sales = sum(row["sales_"] for row in series)
    return {
        "as_of": moment.isoformat(),
        "currency": "USD",
        "totals": {
            "sales": f"{sales:.2f}",
            "refunds": f"{sales * 0.04:.2f}",
            "transactions": sum(row["transactions"] for row in series),
        },
        "series": [{k: v for k, v in row.items() if k != "sales_"} for row in series],
        "by_region": [{"region": r, "sales": f"{sales * s:.2f}", "transactions": 5} for r, s in REGIONS],
        "by_type": [{"transaction_type": t, "amount": f"{sales * s:.2f}", "transactions": 9} for t, s in TYPES],
        "top_merchants": [
            {
                "merchant_name": None if n == 1 else f"Shop {n}",
                "merchant_id": f"m-{n:04}",
                "sales": f"{sales / (n + 4):.2f}",
            }
            for n in range(1, 6)
        ],
        "coverage_through": (moment - timedelta(minutes=34)).isoformat(),
        "newest_window": moment.replace(second=0).isoformat(),
    }


def quality() -> dict[str, Any]:
    days = [_quality_day(f"{now() - timedelta(days=back):%Y-%m-%d}", 3 if back == 0 else 0) for back in range(5)]
    sides = {"live": "19.00", "lake": "24.00", "late": "5.00", "difference": "5.00", "relative": 0.20833}
    compared = [{"metric": "sales", "state": "equal", **sides}, {"metric": "refunds", "state": "differs", **sides}]
    return {
        "as_of": now().isoformat(),
        "meaning": {"completeness": "what arrived and is in the table"},
        "days": days,
        "live_and_lake": compared,
    }


def _quality_day(day: str, short: int) -> dict[str, Any]:
    state = "failed" if short else "passed"
    figure = {
        "good": 1000 - short,
        "counted": 1000,
        "unit": "events",
        "threshold": "99.99",
        "percent": str(100 - short / 10),
    }
    empty = {"figure": "timeliness", "state": "empty", "percent": None, "good": 0, "counted": 0, "threshold": "99.8"}
    sentence = f"curated.fct_transactions on {day}: completeness {figure['percent']} %"
    figures = [{**figure, "figure": "completeness", "state": state}, empty]
    return {"table": "curated.fct_transactions", "day": day, "state": state, "sentence": sentence, "figures": figures}


PLACES = (
    ("rest.marketplace.transactions.insert", "topic"), ("raw.transactions", "table"), ("processed.transactions", "table"),
    ("curated.fct_transactions", "table"), ("window:transactions_1m", "key"), ("sales", "metric"), ("Headrace chat", "report"),
)  # fmt: skip
STEPS = ((0, 1), (1, 2), (2, 3), (0, 4), (3, 5), (4, 5), (5, 6))


def lineage(name: str) -> dict[str, Any]:
    steps = [{"source": PLACES[a][0], "target": PLACES[b][0], "job": "dbt"} for a, b in STEPS]
    return {"about": [name] if name else [], "nodes": [{"name": n, "kind": k} for n, k in PLACES], "edges": steps}


REGIONS = (("europe", 0.41), ("north_america", 0.38), ("asia", 0.15), ("south_america", 0.06))
TYPES = (("purchase", 1.0), ("refund", 0.04), ("fee", 0.03), ("payout", 0.7))


def _minute(moment: datetime, seconds: float) -> dict[str, Any]:
    share = (seconds % 60) / 60 if seconds else 1.0
    sales = share * (900 + 260 * math.sin(moment.minute / 5) + 40 * (moment.minute % 7))
    return {"minute": moment.isoformat(), "sales": f"{sales:.2f}", "sales_": sales, "transactions": int(share * 120)}


if __name__ == "__main__":
    with serving(int(sys.argv[1])) as running:
        print(f"http://127.0.0.1:{running.port}", flush=True)
        threading.Event().wait()
