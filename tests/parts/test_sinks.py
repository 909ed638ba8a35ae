"""Sinks on real Kafka and PostgreSQL: windows projected once through kill -9, the catalogue and the record of changes."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from headrace.contracts.model import load_contracts
from headrace.live.client import valkey
from headrace.live.kept import reference_key
from headrace.live.records import record_of
from headrace.runtime import postgres
from headrace.runtime.sampling import Sampler
from headrace.runtime.status import read
from headrace.runtime.supervise import Supervisor
from headrace.settings import Settings
from headrace.sinks import catalogue, configuration
from headrace.sinks.postgres import PostgresSink
from tests.parts.own_process import OwnProcess
from tests.parts.windows_of_sinks import Windows

SECONDS = 90
PART = "headrace.runtime.sinks"


@pytest.fixture(scope="module")
def settings(start_parts: Callable[..., Settings]) -> Iterator[Settings]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADRACE_RAW_EVENTS_HOURS", "1")
        yield start_parts("kafka", "postgres", "sinks")


@pytest.fixture(scope="module")
def windows(settings: Settings) -> Windows:
    return Windows(settings)


@pytest.fixture
def part(settings: Settings) -> Iterator[OwnProcess]:
    """In place of the supervised one, to be killed."""
    Supervisor(settings).stop("sinks")
    part = OwnProcess(settings, PART)
    yield part
    part.stop()
    Supervisor(settings).start("sinks")


def _rows(settings: Settings, command: str, *arguments: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(settings.postgres_dsn("headrace")) as connection:
        return connection.execute(command, arguments).fetchall()


def _await(question: Callable[[], Any], wanted: Any) -> None:
    deadline = time.monotonic() + SECONDS
    while (found := question()) != wanted:
        assert time.monotonic() < deadline, f"{found} instead of {wanted}"
        time.sleep(0.2)


def _projected(settings: Settings, spec: str) -> dict[str, tuple[int, int, str]]:
    command = "select keys->>'merchant_id', generation, n, figures->>'sum_amount' from aggregations where spec = %s"
    return {row[0]: row[1:] for row in _rows(settings, command, spec)}


def test_windows_are_projected_in_their_newest_version(settings: Settings, windows: Windows) -> None:
    for n in (1, 2, 3):
        windows.send("newest", "m1", n)
    windows.send("newest", "m2", 5, generation=2)
    windows.send("newest", "m2", 9, generation=1)
    windows.flush()
    _await(lambda: _projected(settings, "newest"), {"m1": (1, 3, "30.00"), "m2": (2, 5, "50.00")})
    windows.send("newest", "m1", 2)
    windows.send("newest", "m3", 1)
    windows.flush()
    _await(lambda: _projected(settings, "newest").get("m3"), (1, 1, "10.00"))
    assert _projected(settings, "newest")["m1"] == (1, 3, "30.00")


def test_a_counting_of_other_keys_leaves_nothing_of_the_one_before(settings: Settings, windows: Windows) -> None:
    windows.send("anew", "m1", 5)
    windows.send("anew", "m2", 7)
    windows.flush()
    _await(lambda: _projected(settings, "anew"), {"m1": (1, 5, "50.00"), "m2": (1, 7, "70.00")})
    windows.send("anew", "m1", 6, generation=2, region="asia")
    windows.send("anew", "m3", 1, generation=2, region="asia", arrived=2)
    windows.send("anew", "m2", 8)
    windows.flush()
    _await(lambda: _projected(settings, "anew"), {"m1": (2, 6, "60.00"), "m3": (2, 1, "10.00")})


def test_windows_of_persons_and_old_ones_stay_out(settings: Settings, windows: Windows) -> None:
    windows.send("private", "m1", 1, user_id="u1")
    windows.send("private", "m2", 1, age_hours=settings.aggregations_hours + 1)
    windows.send("private", "m3", 1)
    windows.flush()
    _await(lambda: _projected(settings, "private"), {"m3": (1, 1, "10.00")})


def test_no_character_of_an_event_stops_the_sink(settings: Settings, windows: Windows) -> None:
    windows.send("strange", "m\0\u2028'", 1)
    windows.flush()
    _await(lambda: _projected(settings, "strange"), {"m\ufffd\u2028'": (1, 1, "10.00")})


def test_raw_records_are_there_byte_by_byte_for_some_hours(settings: Settings, windows: Windows) -> None:
    bodies = [b'{"event_id": "e-1"}', b"\xff\x00 not text", b""]
    for body in bodies:
        windows.raw(body)
    windows.flush()
    command = "select value from raw_events where event_type = 'transactions'"
    _await(lambda: sorted(bytes(row[0]) for row in _rows(settings, command)), sorted(bodies))
    with psycopg.connect(settings.postgres_dsn("headrace")) as connection:
        connection.execute("update raw_events set arrived_at = now() - interval '61 minutes' where value = ''")
    sink = PostgresSink(settings)
    sink.tidy()
    sink.close()
    assert sorted(bytes(row[0]) for row in _rows(settings, command)) == sorted(bodies[:2])


def test_a_killed_sink_goes_on_where_it_had_written(settings: Settings, windows: Windows, part: OwnProcess) -> None:
    for merchant in range(300):
        windows.send("killed", f"m{merchant}", 1)
    windows.flush()
    part.kill()
    for merchant in range(300):
        windows.send("killed", f"m{merchant}", 2)
    windows.flush()
    part.__init__(settings, PART)  # type: ignore[misc]
    _await(lambda: set(_projected(settings, "killed").values()), {(1, 2, "20.00")})
    assert len(_projected(settings, "killed")) == 300


def test_an_entity_is_in_the_live_store_in_its_newest_version(settings: Settings, windows: Windows) -> None:
    client = valkey(settings)
    key = reference_key("merchants", "m-1")

    def name() -> Any:
        text: Any = client.get(key)
        return record_of(text).document["name"] if text else None

    for minute, said in ((2, "Second"), (1, "First")):
        windows.entity("m-1", said, f"2026-11-21T10:0{minute}:00+00:00")
        windows.flush()
        _await(name, "Second")
    assert 86_000 < int(str(client.ttl(key))) <= 86_400
    windows.entity("m-1", "Third", "2026-11-21T10:03:00+00:00")
    windows.flush()
    _await(name, "Third")


def test_status_shows_the_sink_and_its_lag(settings: Settings, windows: Windows) -> None:
    windows.send("lag", "m1", 1)
    windows.flush()
    _await(
        lambda: [(s.state, s.healthy, s.lag) for s in read(settings) if s.name == "sink-postgres"],
        [("running", True, 0)],
    )


def test_the_catalogue_tables_say_what_the_contracts_say(settings: Settings) -> None:
    contracts = load_contracts(settings.contracts)
    assert {row[0] for row in _rows(settings, "select name from event_types")} == contracts.keys()
    command = "select name, field, sentence from processing_rules where event_type = 'transactions' order by position"
    wanted = catalogue.processing_rules({"transactions": contracts["transactions"]}, settings.future_minutes)
    assert _rows(settings, command) == [(row["name"], row["field"], row["sentence"]) for row in wanted]
    sources = _rows(settings, "select name from data_sources where 'transactions' = any(event_types)")
    assert sources == [(catalogue.source_of(contracts["transactions"]),)]


def test_a_changed_contract_changes_the_tables_and_leaves_a_record(settings: Settings) -> None:
    with psycopg.connect(settings.postgres_dsn("headrace")) as connection:
        contracts = load_contracts(settings.contracts)
        orders = contracts["orders"]
        changed = replace(orders, owner="someone else")
        items = {name: configuration.contract_item(one) for name, one in (contracts | {"orders": changed}).items()}
        configuration.record(connection, "contract", items)
        catalogue.keep_in_step(connection, contracts | {"orders": changed}, settings.future_minutes)
    assert _rows(settings, "select owner from event_types where name = 'orders'") == [("someone else",)]
    command = "select old, new, allowed from audit_logs where subject = 'contract orders' order by id"
    assert _rows(settings, command) == [({"owner": orders.owner}, {"owner": "someone else"}, True)]
    postgres.settle(settings)
    assert _rows(settings, "select owner from event_types where name = 'orders'") == [(orders.owner,)]
    assert _rows(settings, command)[1:] == [({"owner": "someone else"}, {"owner": orders.owner}, True)]
    postgres.settle(settings)
    assert len(_rows(settings, command)) == 2, "nothing changed, nothing is recorded"


def test_a_contract_that_changes_meanwhile_is_taken_up(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(settings.contracts, tmp_path / "include" / "contracts")
    shutil.copy(settings.repo / "include" / "policy.yaml", tmp_path / "include")
    Supervisor(settings).stop("sinks")
    monkeypatch.setenv("HEADRACE_REPO", str(tmp_path))
    (settings.run / "sinks.alive").unlink()
    part = OwnProcess(settings, PART)
    _await((settings.run / "sinks.alive").exists, True)
    path = tmp_path / "include" / "contracts" / "orders.yaml"
    whole = path.read_text()
    path.write_text(whole[:200])
    time.sleep(3)
    assert part.process.poll() is None, "a file that is half written must not end it"
    path.write_text(whole.replace("version: 1.0.0", "version: 1.0.1"))
    assert part.process.wait(30) == 0
    command = "select old, new from audit_logs where subject = 'contract orders' order by id desc limit 1"
    assert _rows(settings, command) == [({"version": "1.0.0"}, {"version": "1.0.1"})]
    assert _rows(settings, "select version from event_types where name = 'orders'") == [("1.0.1",)]
    postgres.settle(settings)
    Supervisor(settings).start("sinks")


def test_a_changed_setting_and_metric_leave_a_record(settings: Settings) -> None:
    configuration.keep_in_step(settings.model_copy(update={"lateness_minutes": 7}))
    (row,) = _rows(settings, "select actor, old, new from audit_logs where subject = 'setting lateness_minutes'")
    assert row[0].startswith("system:")
    assert row[1:] == (settings.lateness_minutes, 7)
    postgres.settle(settings)

    metric = {"name": "sales", "label": "Sales", "metadata": {"line": 3}}
    configuration.metrics_in_step(settings, {"metrics": [metric], "semantic_models": []})
    moved = metric | {"metadata": {"line": 4}}
    configuration.metrics_in_step(settings, {"metrics": [moved], "semantic_models": []})
    assert _rows(settings, "select 1 from audit_logs where subject = 'metric sales'") == []
    configuration.metrics_in_step(settings, {"metrics": [moved | {"label": "Turnover"}], "semantic_models": []})
    found = _rows(settings, "select old, new from audit_logs where subject = 'metric sales'")
    assert found == [({"label": "Sales"}, {"label": "Turnover"})]


def test_no_secret_is_in_the_record_of_configuration(settings: Settings) -> None:
    recorded = json.dumps(_rows(settings, "select value from configuration"))
    for path in (settings.home / "secrets").iterdir():
        assert path.read_text().strip() not in recorded, path.name


def test_the_platform_is_measured(settings: Settings, windows: Windows) -> None:
    sampler = Sampler(settings)
    sampler.samples()
    for number in range(20):
        windows.event(number)
    windows.flush()
    found = {(s.kind, s.name): s for s in sampler.samples()}
    kafka = found["part", "kafka"]
    assert kafka.healthy
    assert kafka.memory_mb
    assert kafka.memory_mb > 50
    assert kafka.cpu_percent is not None
    assert ("part", "trino") not in found, "nobody started it"
    assert found["stream", "transactions"].per_second
    assert found["stream", "orders"].per_second == 0
    assert found["sink", "postgres"].healthy


def test_measurements_are_kept_for_a_stated_time(settings: Settings) -> None:
    _await(
        lambda: bool(_rows(settings, "select 1 from system_metrics where kind = 'part' and name = 'postgres'")), True
    )
    with psycopg.connect(settings.postgres_dsn("headrace")) as connection:
        connection.execute(
            "insert into system_metrics (at, kind, name) values (now() - make_interval(days => %s), 'part', 'old')",
            [settings.system_metrics_days + 1],
        )
    _await(lambda: _rows(settings, "select 1 from system_metrics where name = 'old'"), [])
