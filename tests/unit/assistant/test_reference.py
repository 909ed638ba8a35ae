"""Names behind keys and reference data: loaded aside, served at once, never a reason to wait or to fail."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from headrace.assistant.catalogue import _countries
from headrace.assistant.evidence import HistoryRequest
from headrace.assistant.filled import FilledStore
from headrace.assistant.history import HistoryUnavailable, _part
from headrace.assistant.kept import Kept
from headrace.assistant.lexicon import Lexicon
from headrace.assistant.lookups import NamedWindows, Table, read_all
from headrace.assistant.outcome import Asked, Understood
from headrace.assistant.route import Stretch
from headrace.assistant.understand import Understanding
from headrace.assistant.vocabulary import Dimension, Vocabulary
from headrace.live.either import LiveNotFilled
from tests.unit.assistant.world import NOW, SPEC, VOCABULARY, Event, FakeStore

MERCHANTS = Table(
    "curated.dim_merchants", "merchant_id", {"merchant_name": "merchant_name", "country": "country"}, "merchant_id"
)
ROWS = [["M-1", "Blue Shop", "DE"], ["M-2", "Red Shop", "IN"], ["M-3", "Blue Shop", "US"]]


def test_live_windows_carry_the_names_behind_their_keys() -> None:
    lookups = read_all([MERCHANTS], lambda _: ROWS)
    store = FakeStore([Event(NOW, Decimal(1), merchant="M-2"), Event(NOW, Decimal(1), merchant="M-9")])
    start = NOW.replace(second=0)
    windows = NamedWindows(store, lambda: lookups).windows(SPEC.name, start, NOW)
    assert {w.keys["merchant_id"]: w.keys.get("merchant_name") for w in windows} == {"M-2": "Red Shop", "M-9": None}


def test_values_and_ids_are_known() -> None:
    lookups = read_all([MERCHANTS], lambda _: ROWS)
    assert lookups.values == {"merchant_name": ("Blue Shop", "Red Shop"), "country": ("DE", "IN", "US")}
    assert lookups.ids["merchant_name"]["Blue Shop"] == ("M-1", "M-3")
    assert lookups.live == {"merchant_name": "merchant_id", "country": "merchant_id"}


def _with_merchants() -> Understanding:
    lookups = read_all([MERCHANTS], lambda _: ROWS)
    axes = {n: d for n, d in VOCABULARY.dimensions.items() if n not in ("merchant_id", "country")}
    axes["merchant_name"] = Dimension(
        "merchant_name", "Merchant", "merchant__merchant_name", ("shop",), lookups.values["merchant_name"], lookups.ids["merchant_name"]
    )  # fmt: skip
    codes = lookups.values["country"]
    axes["country"] = Dimension("country", "Country", "merchant__country", (), codes, _countries(codes))
    return Understanding(Vocabulary(VOCABULARY.metrics, axes))


@pytest.mark.parametrize(
    ("question", "where"),
    [
        ("sales for Blue Shop today", "merchant_name Blue Shop"),
        ("sales of merchant m-2 today", "merchant_name Red Shop"),
        ("sales in Germany today", "country DE"),
        ("sales in india today", "country IN"),
        ("sales in the USA today", "country US"),
        ("sales in europe today", "region europe"),
    ],
)
def test_names_ids_and_countries_are_understood(question: str, where: str) -> None:
    outcome = _with_merchants().understand(question, NOW)
    assert isinstance(outcome, Understood), outcome
    assert [f.words() for f in outcome.plan.filters] == [where]


def test_an_unknown_id_is_asked_back_never_answered_with_zero() -> None:
    outcome = _with_merchants().understand("sales of merchant M-77 today", NOW)
    assert isinstance(outcome, Asked)
    assert "M-77" in outcome.question and "Blue Shop" in outcome.options


def test_metrics_are_split_by_what_they_share() -> None:
    metrics = {
        "sales": replace(VOCABULARY.metrics["sales"], dimensions=("transaction__region", "merchant__country")),
        "orders": replace(VOCABULARY.metrics["transactions"], name="orders", label="Orders", live=None,
                          dimensions=("order__region", "order__order_status", "merchant__country")),
    }  # fmt: skip
    words = Vocabulary(metrics, {n: VOCABULARY.dimensions[n] for n in ("region", "country")})
    assert words.qualified("region", ["sales"]) == "transaction__region"
    assert words.qualified("region", ["orders"]) == "order__region"
    assert words.qualified("region", ["sales", "orders"]) is None
    assert words.qualified("country", ["sales", "orders"]) == "merchant__country"
    outcome = Understanding(words).understand("sales and orders by region today", NOW)
    assert isinstance(outcome, Asked) and outcome.options == ("Merchant country",)


def test_two_short_codes_are_not_words() -> None:
    words = Vocabulary(
        {}, {"country": Dimension("country", "Country", "m__country", (), ("IN", "IT"), {"IN": ("India",)})}
    )
    assert Lexicon(words).find("in it") == []


def test_kept_waits_for_the_first_only_and_outlives_its_source() -> None:
    calls: list[int] = []
    broken = threading.Event()

    def load() -> int:
        calls.append(1)
        if broken.is_set():
            raise ConnectionError("gone")
        return len(calls)

    kept = Kept("x", load, seconds=0.0)
    assert kept.get(wait=2) == 1
    broken.set()
    for _ in range(5):
        assert kept.get() in (1, 2)
        time.sleep(0.01)


def test_kept_does_not_wait_longer_than_it_is_told() -> None:
    release = threading.Event()
    kept = Kept("slow", lambda: release.wait(5))
    began = time.monotonic()
    assert kept.get(wait=0.05) is None
    assert time.monotonic() - began < 1
    release.set()


def test_a_live_store_that_was_not_filled_is_not_read() -> None:
    class Client:
        mark: str | None = None

        def get(self, _: str) -> str | None:
            return self.mark

        def info(self, _: str) -> dict[str, str]:
            return {"run_id": "r1"}

    client = Client()
    with pytest.raises(LiveNotFilled):
        FilledStore(FakeStore(), client).windows(SPEC.name, NOW, NOW)
    client.mark = "r1"
    assert FilledStore(FakeStore(), client).windows(SPEC.name, NOW, NOW) == []


def _request(grain: Any = None) -> HistoryRequest:
    sales, region = VOCABULARY.metrics["sales"], VOCABULARY.dimensions["region"]
    return HistoryRequest((sales,), (region,), (), Stretch(NOW, NOW), grain)


def test_rows_of_trino_become_a_part() -> None:
    rows = [["2026", "europe", 1.5]]
    names = ["metric_time__day", "transaction__region", "sales"]
    moment = NOW.replace(hour=0, minute=0, second=0)
    part = _part(_request("day"), [[moment.replace(tzinfo=None), "europe", Decimal("1.5")]], names)
    assert part == {(moment, ("europe",)): {"sales": Decimal("1.5")}}
    assert _part(_request("day"), rows, names) == {(None, ("europe",)): {"sales": Decimal("1.5")}}
    with pytest.raises(HistoryUnavailable):
        _part(_request(), [], ["sales"])
