"""The detector on made figures: each shape is one incident, and what is ordinary is none."""

from __future__ import annotations

import numpy as np
import pytest

from headrace.anomalies.detector import Detector
from headrace.anomalies.incidents import Incident, Incidents
from headrace.anomalies.measures import Tuning
from headrace.anomalies.ring import MINUTES, Cell, Ring
from headrace.anomalies.users import Users

BEGIN = 1_800_000_000 // 60 * 60
MERCHANTS = [f"m{number:02d}" for number in range(30)]
WARM = 60


class Market:
    """Thirty merchants with ten purchases and a refund a minute or so."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(3)
        self.detector, self.incidents = Detector(), Incidents(Tuning())
        self.told: list[Incident] = []
        self.minute = BEGIN // 60
        for _ in range(WARM):
            self.pass_minute(judged=False)

    def pass_minute(
        self, factor: dict[str, float] | None = None, price: float = 20, refunds: float = 1, judged: bool = True
    ) -> None:
        for merchant in MERCHANTS:
            usual = 10 * (factor or {}).get(merchant, (factor or {}).get("*", 1.0))
            mine = merchant == MERCHANTS[3]
            self._put(merchant, "purchase", usual, price if mine else 20)
            self._put(merchant, "refund", refunds if mine else 1, 20)
        self.minute += 1
        self.detector.ring.watch(self.minute - 1)
        if judged:
            look = self.detector.judge(self.minute * 60 - 0.001, self.incidents.open)
            self.told += [i for i in self.incidents.step(look) if i.state == "open" and i.opened_at == look.at]

    def _put(self, merchant: str, kind: str, mean: float, price: float) -> None:
        n = int(self.rng.poisson(mean))
        if n:
            cell = Cell(merchant, kind, "EUR", "europe")
            prices = price * self.rng.lognormal(0, 0.3, n)
            last = self.minute * 60 + 60 * float(self.rng.random(n).max())
            self.detector.ring.put(cell, self.minute, n, float(prices.sum()), float(prices.max()), last)


@pytest.fixture
def market() -> Market:
    return Market()


def test_an_ordinary_hour_is_no_incident(market: Market) -> None:
    for _ in range(60):
        market.pass_minute()
    assert market.told == []


@pytest.mark.parametrize(
    ("change", "measure", "words"),
    [
        ({"factor": {"m03": 5.0}}, "purchases", "times as many as usual"),
        ({"factor": {"m03": 0.0}}, "purchases", "no purchases at all"),
        ({"price": 2000.0}, "average_purchase", "another unit"),
        ({"refunds": 12.0}, "refunds", "refunds in"),
    ],
)
def test_each_shape_is_one_incident_that_closes(market: Market, change: dict, measure: str, words: str) -> None:
    for _ in range(8):
        market.pass_minute(**change)
    (incident,) = market.told
    assert (incident.subject, incident.measure, incident.scope) == ("m03", measure, "merchant")
    assert incident.low <= incident.expected <= incident.high
    assert not incident.low <= incident.seen <= incident.high
    assert words in incident.sentence
    assert incident.contributors[0].keys["merchant"] == "m03"
    assert incident.key in market.incidents.open
    for _ in range(40):
        market.pass_minute()
    assert market.incidents.open == {}
    assert len(market.told) == 1


@pytest.mark.parametrize("factor", [0.0, 4.0])
def test_what_all_do_is_told_once(market: Market, factor: float) -> None:
    for _ in range(4):
        market.pass_minute({"*": factor})
    assert [incident.subject for incident in market.told] == ["*"]
    assert "All merchants together" in market.told[0].sentence


def test_who_sells_as_ever_while_the_others_stop_is_not_unusual(market: Market) -> None:
    for _ in range(6):
        market.pass_minute({"*": 0.0, "m05": 1.0, "m06": 1.0})
    assert [incident.subject for incident in market.told] == ["*"]


def test_a_pause_that_nobody_watched_is_no_drop(market: Market) -> None:
    market.minute += 20
    for _ in range(10):
        market.pass_minute()
    assert market.told == []


def test_a_row_only_grows_and_what_is_old_goes() -> None:
    ring, cell = Ring(), Cell("m", "purchase", "EUR", "europe")
    for n in (3, 9, 1, 9):
        ring.put(cell, 100, n, n, 1, 6000)
    assert ring.n[0, 100 % MINUTES] == 9
    ring.put(cell, 100 + MINUTES, 5, 5, 1, 6001)
    ring.put(cell, 100, 7, 7, 1, 6000)
    assert ring.n[0, 100 % MINUTES] == 5


def test_a_busy_person_is_ordinary_and_a_burst_is_not() -> None:
    users, rng, told = Users(), np.random.default_rng(5), []
    for minute in range(BEGIN // 60, BEGIN // 60 + 60):
        for number in range(100):
            for _ in range(rng.poisson(20 if number == 0 else 0.3)):
                users.put(f"u{number}", minute, "m1", "purchase", "asia")
        for _ in range(30 if minute == BEGIN // 60 + 55 else 0):
            users.put("u7", minute, "m9", "purchase", "europe")
        told += [f.subject for f in users.judge(minute * 60 + 59).findings]
        if "u7" in told:
            break
    assert set(told) == {"u7"}
    finding = users.judge((BEGIN // 60 + 55) * 60 + 59).findings[0]
    assert finding.contributors[0].keys["merchant"] == "m9"
    assert finding.seen >= 30
