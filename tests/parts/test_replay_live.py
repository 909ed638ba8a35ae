"""A mended event on the real live job: in its window once, however often it is sent again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from headrace.contracts.model import load_contracts
from headrace.live.client import valkey
from headrace.live.store import LiveStore
from headrace.policy import Identity
from headrace.policy.audit import PostgresAudit
from headrace.runtime import jobs
from headrace.settings import Settings
from headrace.streams.deadletters.mending import Correction, fix
from headrace.streams.spec import save_live_specs
from tests.parts.made_letters import put_letters
from tests.parts.traffic_oracle import SPEC, Oracle

SECONDS = 120


@pytest.fixture(scope="module")
def settings(start_parts: Callable[..., Settings]) -> Iterator[Settings]:
    settings = start_parts("kafka", "postgres", "valkey")
    save_live_specs(settings.etc / "live_specs.json", (SPEC,))
    environment = os.environ | {"HEADRACE_HOME": str(settings.home), "PYTHONPATH": str(settings.repo / "include")}
    projector = subprocess.Popen([sys.executable, "-m", "headrace.live.projector"], env=environment)
    jobs.start("live", settings)
    yield settings
    jobs.stop("live", settings=settings)
    projector.terminate()
    projector.wait(20)


def _until_equal(oracle: Oracle, store: LiveStore) -> None:
    deadline = time.monotonic() + SECONDS
    while (found := oracle.live(store)) != oracle.windows():
        assert time.monotonic() < deadline, f"after {SECONDS} s: {found}\nwanted: {oracle.windows()}"
        time.sleep(0.5)


def test_a_mended_event_is_in_its_window_once(settings: Settings) -> None:
    oracle, store = Oracle(load_contracts(settings.contracts)["transactions"]), LiveStore(valkey(settings))
    event = oracle._event(late=False)
    refused = json.dumps(event | {"amount": -1}).encode()
    # The sender repeated itself, so the gate refused the same event twice: both letters are mended.
    for name in put_letters(settings, "range:amount", [refused, refused]):
        correction = Correction(fields={"amount": str(event["amount"])})
        admin = Identity("admin", ("admin",))
        done = fix(settings, admin, name, correction, PostgresAudit(settings), correlation_id="test")
        assert done.outcome and done.outcome.settled == 1
    oracle.accepted[event["event_id"]] = (False, event)
    _until_equal(oracle, store)
    oracle.send(settings, 40)
    _until_equal(oracle, store)
