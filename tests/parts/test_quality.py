"""Figures, watch and lineage over a lake that was built from rows made by hand, and what a planted defect does to them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from confluent_kafka import Producer

from headrace.anomalies.incidents import Incident
from headrace.anomalies.ledger import Ledger
from headrace.contracts.model import Field
from headrace.lake import results
from headrace.lake.found import bring_found
from headrace.lake.literals import moment
from headrace.lineage import collect, store
from headrace.quality import ledger, measure, table_watch, watch
from headrace.quality.figures import NAMES, Figure
from headrace.quality.history import History
from headrace.quality.profile import Profile
from headrace.semantics import live_specs
from headrace.settings import Settings
from headrace.streams.topics import producer_config
from tests.conftest import headrace
from tests.parts.filled_lake import filled
from tests.parts.lake_home import START, Lake
from tests.parts.raw_rows import event, landed

TABLES = ("processed.transactions", "curated.fct_transactions", "curated.transactions_by_minute")
Days = dict[tuple[str, str], tuple[int, int]]


@pytest.fixture(scope="module")
def lake(start_parts: Callable[..., Settings]) -> Lake:
    return filled(start_parts, "kafka")


def summed(figures: list[Figure]) -> Days:
    found: Days = {}
    for figure in figures:
        good, counted = found.get((figure.table, figure.name), (0, 0))
        found[figure.table, figure.name] = good + figure.good, counted + figure.counted
    return found


def measured(lake: Lake) -> list[Figure]:
    return measure.run(lake.settings, START.date(), datetime.now(UTC).date(), TABLES)


def test_figures_are_the_counts_that_a_person_would_find(lake: Lake) -> None:
    figures = measured(lake)
    found = summed(figures)
    by_hand = lake.query(
        "select count(*), count_if(origin = 'stream'), count_if(origin = 'stream' and not is_late),"
        " count_if(merchant_id in (select merchant_id from processed.merchants)"
        " and user_id in (select customer_id from processed.customers)) from processed.transactions"
    )[0]
    rows, streamed, timely, known = by_hand
    table = "processed.transactions"
    assert found[table, "completeness"] == (rows, rows + 3), "three records are refused by the gate"
    assert found[table, "uniqueness"] == (rows, rows)
    assert found[table, "timeliness"] == (timely, streamed)
    assert found[table, "accuracy"] == (known, rows)
    assert found[table, "consistency"] == (rows, rows)
    assert found["curated.fct_transactions", "completeness"] == (rows, rows)
    assert found["curated.fct_transactions", "consistency"] == (rows, rows)
    assert found["curated.transactions_by_minute", "uniqueness"] == (1, 1), "of other tables dbt's tests are counted"
    kept = ledger.read(lake.settings, START.date(), datetime.now(UTC).date(), TABLES)
    assert summed(kept) == found, "what is kept is what was measured"
    told = {(i.subject, i.measure) for i in Ledger(lake.settings).recent() if i.scope == "table" and i.state == "open"}
    assert (table, "completeness") in told, "below what is asked for: an incident, which the part `anomalies` sends on"


def test_a_row_that_is_lost_or_changed_on_its_way_is_seen(lake: Lake) -> None:
    before = summed(measured(lake))
    victim, changed = lake.query(
        "select event_id from curated.fct_transactions where event_id like 'hand-%' order by 1 limit 2"
    )
    lake.query(f"delete from curated.fct_transactions where event_id = '{victim[0]}'")
    lake.query(f"update curated.fct_transactions set amount = amount + 1 where event_id = '{changed[0]}'")
    lake.query("delete from processed.transactions where event_id = 'hand-00000005'")
    lake.land("transactions", [landed(event(77_000, START + timedelta(minutes=9), merchant_id="merchant-nobody"))])

    def more(after: Days, table: str, figure: str) -> int:
        """Rows that are not good and were, or were not there."""
        (good, counted), (good_before, counted_before) = after[table, figure], before[table, figure]
        return (counted - good) - (counted_before - good_before)

    after = summed(measured(lake))
    assert more(after, "processed.transactions", "completeness") == 2, "one is gone, one has not been built"
    assert more(after, "curated.fct_transactions", "completeness") == 1
    assert more(after, "curated.fct_transactions", "consistency") == 1
    lake.build("--full-refresh", "--select", "transactions", "fct_transactions")
    healed = summed(measured(lake))
    assert more(healed, "processed.transactions", "accuracy") == 1, "nobody told of merchant-nobody"


def test_a_topic_that_changed_is_told_once_by_its_own_past(lake: Lake) -> None:
    """The past is written down, the present is read from Kafka."""
    contract = lake.contracts["payouts"]
    start = int(time.time() // 300) * 300
    usual = [Profile(contract.topic, start - n * 300, 300, 60, _clean(contract.fields)) for n in range(20, 0, -1)]
    with closing(History(lake.settings)) as history:
        history.keep(usual)
    producer = Producer(producer_config(lake.settings))
    for number in range(60):
        made = {"event_id": f"payout-{number:08d}", "event_time": datetime.now(UTC).isoformat(), "merchant_id": None}
        producer.produce(contract.topic, json.dumps(made), key="m")
    assert producer.flush(20) == 0
    end = start + 300.0 if time.time() < start + 300 else start + 600.0
    found = [finding for finding in watch.topics(lake.settings, end) if finding.subject == contract.topic]
    assert {"null:merchant_id", "null:amount"} <= {finding.measure for finding in found}
    assert watch.topics(lake.settings, end) == [], "a stretch is looked at once"
    ledger_of_incidents = Ledger(lake.settings)
    untold = [incident for incident in ledger_of_incidents.untold() if incident.subject == contract.topic]
    assert "distribution null merchant_id" in {incident.measure for incident in untold}, (
        "for the part `anomalies` to send"
    )


def _clean(fields: tuple[Field, ...]) -> dict[str, tuple[int, int]]:
    return {f"null:{field.name}": (0, 60) for field in fields}


def test_tables_have_profiles_of_their_hours(lake: Lake) -> None:
    end = (START + timedelta(hours=8)).replace(minute=0)
    table_watch.run(lake.settings, end.timestamp())
    with closing(History(lake.settings)) as history:
        known = history.before(["curated.fct_transactions"], int(time.time()))["curated.fct_transactions"]
    arrived = (
        "select count(*) from processed.transactions where origin = 'stream'"
        f" and arrived_at >= {moment(end - timedelta(hours=48))} and arrived_at < {moment(end)}"
    )
    assert sum(profile.count for profile in known) == lake.query(arrived)[0][0] > 0
    assert any(profile.levels.get("level:amount:middle") for profile in known)
    assert "type:amount:decimal" in known[0].shares


def test_what_was_found_is_in_curated_and_follows_its_changes(lake: Lake) -> None:
    measured(lake)
    at = time.time()
    person = Incident(
        id="user-1|count|0", scope="user", subject="user-1", measure="count", state="open", opened_at=at, window_start=int(at),
        window_minutes=5, seen=9.0, expected=1.5, low=0.0, high=3.0, score=7.5, unit="", sentence="user-1 isn't quiet", last_at=at,
    )  # fmt: skip
    with closing(Ledger(lake.settings)) as told:
        told.put([person])
        assert bring_found(lake.settings)["anomalies"] > 0
        told.put([replace(person, state="closed", closed_at=at + 60)])
    bring_found(lake.settings)
    assert bring_found(lake.settings)["quality"] > 0, "the last hour is brought once more, and is the same"
    lake.build("--select", "fct_anomalies", "fct_quality")
    (row,) = lake.query(
        "select user_id, subject, sentence, state, seen, expected, to_unixtime(closed_at) - to_unixtime(opened_at)"
        " from curated.fct_anomalies where scope = 'user'"
    )
    assert row[:6] == ["user-1", None, None, "closed", 9.0, 1.5] and round(row[6]) == 60
    kept = ledger.read(lake.settings, START.date(), datetime.now(UTC).date())
    by_hand = lake.query("select count(*), sum(good), sum(counted) from curated.fct_quality")
    assert by_hand == [[len(kept), sum(f.good for f in kept), sum(f.counted for f in kept)]]


def test_what_a_test_of_whole_tables_found_stays_for_its_day(lake: Lake, tmp_path: Path) -> None:
    def said(status: str, minute: int, **variables: bool) -> str:
        finished = f"2026-01-05T10:{minute:02}:00Z"
        result = {"unique_id": "test.headrace.grain", "status": status, "failures": 0, "execution_time": 1.0}
        result |= {"timing": [{"completed_at": finished}]}
        document = {"results": [result], "metadata": {"invocation_id": "x"}, "args": {"vars": variables}}
        (tmp_path / "run_results.json").write_text(json.dumps(document))
        assert results.keep(lake.settings, tmp_path) == 1
        return results.of_day(lake.settings, date(2026, 1, 5))["test.headrace.grain"].status

    assert said("fail", 1) == "fail"
    assert said("pass", 2) == "pass", "the next build mended it"
    assert said("fail", 3, whole_tables=True) == "fail"
    assert said("pass", 4) == "fail", "a build looks at the newest days only"
    assert said("pass", 5, whole_tables=True) == "pass"


def test_lineage_leads_from_topic_to_report(lake: Lake) -> None:
    live_specs.publish(lake.settings)
    assert collect.run_all(lake.settings) > 0
    assert collect.run_all(lake.settings) == 0, "what did not change is not told again"
    graph = store.graph(lake.settings)
    [sales] = [node for node in graph.find("sales") if node.kind == "metric"]
    above = {edge.source.name for edge in graph.around([sales])} | {edge.target.name for edge in graph.around([sales])}
    topic = lake.contracts["transactions"].topic
    assert {topic, "raw.transactions", "processed.transactions", "curated.fct_transactions", "Headrace chat"} <= above
    assert any(name.startswith("window:") for name in above), "the live side too"
    runs = {run["job"] for run in store.runs(lake.settings, 500)}
    assert "fct_transactions" in runs, "what dbt did is told run by run"


def test_commands_print_one_document(lake: Lake) -> None:
    found = json.loads(headrace("quality", "transactions", "--json", home=lake.settings.home).stdout)["figures"]
    assert {figure["figure"] for figure in found if figure["table"] == "processed.transactions"} == set(NAMES)
    drawn = json.loads(headrace("lineage", "fct_transactions", "--json", home=lake.settings.home).stdout)["lineage"]
    assert [branch["name"] for branch in drawn[0]["up"]["branches"] if branch["name"] == "processed.transactions"]
    assert "is made of" in headrace("lineage", "sales", home=lake.settings.home).stdout
