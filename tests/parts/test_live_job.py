"""The live path on real Kafka, Spark and Valkey: exact through duplicates, late and bad events, kills and a wiped store."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import ceil

import psutil
import pytest

from headrace.assistant.sketches import Histogram, middle
from headrace.contracts.model import load_contracts
from headrace.live import counting
from headrace.live.client import valkey
from headrace.live.fold import sliding
from headrace.live.layout import RUN
from headrace.live.store import LiveStore
from headrace.runtime import jobs
from headrace.settings import Settings
from headrace.streams import generation, heartbeat
from headrace.streams.spec import save_live_specs
from tests.conftest import headrace
from tests.parts.own_process import OwnProcess
from tests.parts.traffic_oracle import AMOUNTS, BASE, BY_USER, SPEC, SPECS, Figures, Oracle, figures, read_figures

SECONDS = 180


@pytest.fixture(scope="module")
def settings(start_parts: Callable[..., Settings]) -> Iterator[Settings]:
    settings = start_parts("kafka", "postgres", "valkey")
    save_live_specs(settings.etc / "live_specs.json", SPECS)
    yield settings
    jobs.stop("live", settings=settings)


def _until(seen: Callable[[], object], wanted: object, seconds: float = SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while (found := seen()) != wanted:
        assert time.monotonic() < deadline, f"after {seconds} s: {found}\nwanted: {wanted}"
        time.sleep(0.3)


def _kill_job(settings: Settings) -> None:
    """Everything of it, at once, with no chance to say goodbye."""
    handle = jobs.status("live", settings).handle
    assert handle
    process = psutil.Process(handle.pid)
    for victim in (process, *process.children(recursive=True)):
        victim.kill()
    psutil.wait_procs([process], timeout=10)


def _live(oracle: Oracle, store: LiveStore) -> object:
    return [oracle.live(store, spec) for spec in SPECS]


def _wanted(oracle: Oracle) -> object:
    return [oracle.windows(spec) for spec in SPECS]


def _slid(store: LiveStore) -> dict[object, Figures]:
    """Five minutes, one window each minute, of every user, over the events that were not late."""
    end = datetime.now(UTC)
    rows = sliding(store, BY_USER, end - timedelta(hours=2), end, seconds=300, slide=60)
    return {(row.window_start, tuple(row.keys.values())): read_figures(row.n, row.values) for row in rows}


def _by_hand(oracle: Oracle) -> dict[object, Figures]:
    found: dict[object, list[Decimal]] = {}
    for late, event in oracle.accepted.values():
        moment = datetime.fromisoformat(event["event_time"].replace("Z", "+00:00"))
        for back in range(0 if late else 5):
            begin = moment.replace(second=0, microsecond=0) - timedelta(minutes=back)
            keys = event["user_id"], event["transaction_type"], event["currency"]
            found.setdefault((begin, keys), []).append(Decimal(str(event["amount"])).quantize(Decimal("0.01")))
    return {place: figures(amounts) for place, amounts in found.items()}


def _percentiles_are_near(oracle: Oracle, store: LiveStore) -> None:
    """Over everything that was accepted, late or not."""
    end = datetime.now(UTC) + timedelta(minutes=1)
    exact = sorted(Decimal(str(event["amount"])) for _, event in oracle.accepted.values())
    for share in (0.5, 0.95):
        counts = Histogram(share)
        for late in (False, True):
            for row in store.windows(AMOUNTS.name, end - timedelta(hours=2), end, late=late):
                counts.add(middle(BASE, row.keys["amount_bucket"]), row.n)
        found, true = counts.figure(), exact[ceil(Decimal(str(share)) * len(exact)) - 1]
        assert found is not None
        assert abs(found - true) <= true / 100, (share, found, true)


def test_live_windows_equal_the_oracle_through_kills(settings: Settings) -> None:
    oracle = Oracle(load_contracts(settings.contracts)["transactions"])
    client = valkey(settings)
    store = LiveStore(client)
    projector = OwnProcess(settings, "headrace.live.projector")
    try:
        jobs.start("live", settings)
        oracle.send(settings, 300)
        _until(lambda: _live(oracle, store), _wanted(oracle))

        oracle.send(settings, 200)
        _kill_job(settings)
        projector.kill()
        oracle.send(settings, 200)
        jobs.start("live", settings)
        projector = OwnProcess(settings, "headrace.live.projector")
        _until(lambda: _live(oracle, store), _wanted(oracle))

        client.flushall()
        oracle.send(settings, 100)
        _until(lambda: _live(oracle, store), _wanted(oracle), 30)

        _until(lambda: client.get(RUN), client.info("server")["run_id"], 10)

        assert _slid(store) == _by_hand(oracle)
        _percentiles_are_near(oracle, store)

        beat = heartbeat.read(settings, "live")
        assert beat
        assert beat.state == "running"
        assert store.newest(SPEC.name) is not None
    finally:
        projector.stop()


def test_a_restart_says_first_what_becomes_of_the_count(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = counting.folder(settings) / "transactions"
    before = generation.decide(checkpoint, {}).known
    assert before

    def restarted() -> tuple[bool, str]:
        said = headrace("restart", "live", "--json", home=settings.home)
        (told,) = json.loads(said.stdout)["jobs"]
        return told["keeps"], told["sentence"]

    assert restarted() == (True, "keeps its state and goes on.")
    assert generation.decide(checkpoint, {}).known == before
    monkeypatch.setenv("HEADRACE_LATENESS_MINUTES", "7")
    keeps, sentence = restarted()
    assert not keeps
    assert "counted anew from its topic, because lateness_minutes changed; the old figures stay" in sentence
    _until(lambda: (generation.decide(checkpoint, {}).known or 0) > before, True)
