"""The DAGs of the lake, run by Airflow on real Trino: which rows and files they change, and what they claim."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from headrace.lake import coverage, dbt, docs_server, keeping, results
from headrace.lake.analytics.outcome import ACTIVITY, COHORTS
from headrace.lake.rebuild import CannotRebuild, Range
from headrace.lake.rebuild import run as rebuild
from headrace.live.client import valkey
from headrace.live.layout import RUN
from headrace.policy.users import save_user
from headrace.runtime import airflow, curation
from headrace.settings import Settings
from headrace.streams import heartbeat, published
from tests.parts.dag_run import PERSON, run_dag
from tests.parts.few_dags import FewDags
from tests.parts.filled_lake import filled
from tests.parts.lake_home import START, Lake
from tests.parts.raw_rows import event, landed
from tests.parts.test_dbt_build import assert_equals_hand_written

DAY = timedelta(days=1)
BEFORE, OLD, OLDEST = START - 3 * DAY, START - 40 * DAY, START - 100 * DAY
FIRST, LAST = f"{START:%Y-%m-%d}", f"{START + 6 * timedelta(hours=1):%Y-%m-%d}"


@pytest.fixture(scope="module")
def lake(start_parts: Callable[..., Settings]) -> Lake:
    """With rows of long ago, which were built like all others."""
    lake = filled(start_parts, "valkey", "kafka")
    airflow.prepare(lake.settings)
    # No projector runs: it would say that there is nothing to fill the live store with.
    store = valkey(lake.settings)
    store.set(RUN, store.info("server")["run_id"])
    # As everything that lands does, later than all that had landed before.
    now = datetime.now(UTC)
    ages = (*((n, OLD) for n in range(3)), *((3 + n, OLDEST) for n in range(2)), (5, BEFORE))
    lake.land(
        "transactions", [landed(event(40_000 + n, at + n * timedelta(minutes=1)), landed_at=now) for n, at in ages]
    )
    lake.build("--select", "+transactions_by_day")
    return lake


def _count(lake: Lake, table: str, where: str = "true") -> int:
    return int(lake.query(f"select count(*) from lake.{table} where {where}")[0][0])


def _before(days: int) -> str:
    return f"date '{datetime.now(UTC) - days * DAY:%Y-%m-%d}'"


def test_rows_that_were_wrong_are_right_after_a_backfill_and_others_are_left_alone(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of the range alone: in the end every day is asked whether its minutes count every event.
    ranged = f"window_start >= date '{FIRST}' and window_start < date '{LAST}' + interval '1' day"
    for sql in (
        "update processed.transactions set amount = 999999 where event_id in ('hand-00000012', 'hand-00040005')",
        "delete from processed.transactions where event_id = 'hand-00000015'",
        "update curated.fct_transactions set event_id = 'ghost', amount = 5 where event_id = 'hand-00000016'",
        f"update curated.transactions_by_minute set sum_amount = 0, n = 77 where extract(minute from window_start) = 5 and {ranged}",
        f"delete from curated.transactions_by_minute where extract(minute from window_start) = 6 and {ranged}",
        "insert into processed.transactions select * from processed.transactions where event_id = 'hand-00000017'",
    ):
        lake.query(sql)
    refused = run_dag(lake.settings, "backfill", start=FIRST, end=LAST)
    assert f"{PERSON} may not rebuild" in refused and "ended as failed" in refused, refused[-3000:]
    save_user(lake.settings, PERSON, "secret-word", ("operator",))
    done = run_dag(lake.settings, "backfill", start=FIRST, end=LAST, seconds=330)
    assert "ended as success" in done, done[-3000:]
    wrong = "select amount from processed.transactions where event_id = 'hand-00040005'"
    assert str(lake.query(wrong)[0][0]) == "999999.00", "it is before the range"
    # As in a lake that does not fit into memory.
    monkeypatch.setattr(dbt, "rows_at_once", lambda _: 50)
    changed = {
        one["table"]: one for one in rebuild(lake.settings, Range.of(f"{BEFORE:%Y-%m-%d}", f"{BEFORE:%Y-%m-%d}"))
    }
    assert changed["processed.transactions"] == {"table": "processed.transactions", "removed": 1, "added": 1}
    lake.build("--select", "transactions_by_day")
    assert_equals_hand_written(lake)
    again = rebuild(lake.settings, Range.of(FIRST, LAST))
    assert {(one["removed"], one["added"]) for one in again} == {(0, 0)}
    assert _count(lake, "information_schema.tables", "table_name like 'rebuilt%' or table_name like 'read%'") == 0
    with psycopg.connect(lake.settings.postgres_dsn("headrace")) as connection:
        rows = connection.execute(
            "select allowed, detail ->> 'state' from audit_logs where action = 'rebuild' order by id"
        )
        assert rows.fetchall() == [(False, None), (True, "begins"), (True, "done")]


def _old_things(lake: Lake) -> list[Path]:
    """In Airflow's database, in ours, among the logs, beside the files of a table."""
    settings, then = lake.settings, datetime.now(UTC) - 60 * DAY
    with psycopg.connect(settings.postgres_dsn("airflow")) as connection:
        for event_name, moment in (("long ago", then), ("just now", datetime.now(UTC))):
            connection.execute("insert into log (dttm, event) values (%s, %s)", [moment, event_name])
    with psycopg.connect(settings.postgres_dsn("headrace")) as connection:
        connection.execute(
            "insert into reconciliation (run_at, spec, window_start, keys, measure, state)"
            " values (%s, 'old', %s, '{}', 'n', 'equal')",
            [then, then],
        )
    data = lake.query('select file_path from lake.raw."transactions$files" limit 1')[0][0]
    orphan = Path(str(data).removeprefix("file://")).with_name("left-behind.parquet")
    log = settings.logs / "airflow" / "dag_id=old" / "attempt=1.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    for path in (orphan, log):
        path.write_text("old")
        os.utime(path, (time.time() - 20 * 86400,) * 2)
    return [orphan, log]


def test_tidying_deletes_what_is_old_and_brings_small_files_together(lake: Lake) -> None:
    gone = _old_things(lake)
    coverage.advance(lake.settings, "transactions", datetime.now(UTC) - timedelta(minutes=10))
    files = 'raw."transactions$files"'
    before: dict[str, Any] = {
        "files": _count(lake, files),
        "young": _count(lake, "raw.transactions", f"arrived_at >= {_before(30)}"),
    }
    done = run_dag(lake.settings, "tidy")
    assert "ended as success" in done, done[-3000:]
    assert _count(lake, "raw.transactions", f"arrived_at < {_before(30)}") == 0
    assert _count(lake, "raw.transactions") == before["young"] > 0
    assert _count(lake, "raw.merchants") > 0, "entities stay"
    for table, moment in (("processed.transactions", "event_time"), ("curated.fct_transactions", "event_time")):
        assert _count(lake, table, f"{moment} < {_before(90)}") == 0
        assert _count(lake, table, f"{moment} < {_before(30)} and event_id like 'hand-0004%'") == 3, (
            "kept longer than their raw records"
        )
    assert _count(lake, files) < before["files"]
    assert not any(path.exists() for path in gone)
    with psycopg.connect(lake.settings.postgres_dsn("airflow")) as connection:
        told = connection.execute("select event from log where event in ('long ago', 'just now')").fetchall()
    with psycopg.connect(lake.settings.postgres_dsn("headrace")) as connection:
        compared = connection.execute("select 1 from reconciliation where spec = 'old'").fetchall()
    assert (told, compared) == ([("just now",)], [])
    for day, reason in ((OLD, "raw_days"), (OLDEST, "analytics_days")):
        with pytest.raises(CannotRebuild, match=reason):
            rebuild(lake.settings, Range.of(f"{day:%Y-%m-%d}", f"{day:%Y-%m-%d}"))


def test_raw_records_that_no_build_has_read_are_kept(lake: Lake) -> None:
    lake.land("app_events", [landed({"event_id": "long-ago", "event_time": OLD.isoformat(), "user_id": "user-1"})])
    assert "raw.app_events" not in keeping.drop_old_rows(lake.settings)
    assert _count(lake, "raw.app_events", f"arrived_at < {_before(30)}") == 1


def test_old_snapshots_are_forgotten_with_their_files_and_the_rows_stay(lake: Lake) -> None:
    tables = ("raw.transactions", "processed.transactions", "curated.transactions_by_minute")
    # What a commit replaced is deleted when that commit is forgotten, so the newest must not be the compaction.
    lake.land("transactions", [landed(event(41_000, START), landed_at=datetime.now(UTC))])
    rows = [lake.query(f"select count(*), max(landed_at) from lake.{table}") for table in tables]
    folder = Path(
        str(lake.query('select file_path from raw."transactions$files" limit 1')[0][0]).removeprefix("file://")
    ).parent
    held = len(list(folder.rglob("*.parquet")))
    kept = keeping.expire_snapshots(lake.settings)
    assert all(before == after for before, after in kept.values()), "none is a week old"
    expired = keeping.expire_snapshots(lake.settings, keep=timedelta(0))
    assert all(expired[table][0] > expired[table][1] == 1 for table in tables)
    assert [lake.query(f"select count(*), max(landed_at) from lake.{table}") for table in tables] == rows
    assert len(list(folder.rglob("*.parquet"))) < held


PAYOUTS, PAID = "models.payouts_model_build", "models.fct_payouts_model_build"
TEST_OF_PAYOUTS = "one_row_per_payouts_event_id"
CURATE_SECONDS = 1800
"""Also of a run that waits in the pool until a scheduled one is done."""


@pytest.fixture(scope="module")
def few(lake: Lake) -> Iterator[FewDags]:
    """Three DAGs in Airflow's own scheduler, which starts the run of this hour; one was curated before, and this lands meanwhile."""
    for stream in curation.streams(lake.settings):
        coverage.advance(lake.settings, stream, START)
    now = datetime.now(UTC)
    # In dollars: the rate of START's next day is refused by the gate, which the hand-written figures do not ask.
    news = [event(42_000 + n, now - timedelta(minutes=n), currency="USD") for n in (0, 1, 2, 61)]
    # By file: no live job counts them, and streamed ones would be missed in the live windows.
    lake.land("transactions", [landed(one, landed_at=now, origin="file") for one in news])
    files = [lake.settings.repo / "dags" / f"{name}.py" for name in ("curate", "quality", "analytics")]
    with _landing(lake), FewDags(lake.settings, files) as few:
        yield few


@contextmanager
def _landing(lake: Lake) -> Iterator[None]:
    """Says every second, as the lake job does, that all up to now has landed: so that a build may claim it."""
    beat, over = heartbeat.Heartbeat(lake.settings), threading.Event()
    taken_up = {"contracts": published.contracts_print(lake.settings)}

    def say() -> None:
        while not over.wait(1.0):
            beat.beat(curation.LAKE_JOB, heartbeat.own_handle(), landed_through=datetime.now(UTC), detail=taken_up)
        beat.close()

    saying = threading.Thread(target=say)
    saying.start()
    try:
        yield
    finally:
        over.set()
        saying.join()


def _models(tasks: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """By the model's name."""
    end = "_model_build"
    return {name.removeprefix("models.").removesuffix(end): task for name, task in tasks.items() if name.endswith(end)}


def _built(lake: Lake) -> set[str]:
    """Models that a build makes: what is tagged raw are views, made when a contract changes."""
    manifest = json.loads((dbt.target(lake.settings) / "manifest.json").read_text())
    nodes = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    return {node["name"] for node in nodes if "raw" not in node["tags"]}


def _claimed(lake: Lake) -> datetime:
    """The same moment for every stream."""
    (moment,) = {coverage.through(lake.settings, stream) for stream in curation.streams(lake.settings)}
    assert moment
    return moment


def test_an_hour_is_curated_model_by_model_and_then_claimed(lake: Lake, few: FewDags) -> None:
    run = few.wait(lambda: few.runs("curate"), 60)[0]
    assert few.ended("curate", run, CURATE_SECONDS) == "success"
    tasks = few.tasks("curate", run)
    models = _models(tasks)
    assert set(models) == _built(lake)
    assert len(models) > 30
    assert {task["state"] for task in tasks.values()} == {"success"}
    assert {task["try_number"] for task in models.values()} == {1}
    ids = "'hand-00042000', 'hand-00042001', 'hand-00042002'"
    for table in ("processed.transactions", "curated.fct_transactions"):
        assert _count(lake, table, f"event_id in ({ids})") == 3
    assert_equals_hand_written(lake)
    assert START < _claimed(lake) <= datetime.now(UTC)
    documented = json.loads((docs_server.folder(lake.settings) / "catalog.json").read_text())["nodes"]
    assert {f"model.headrace.{name}" for name in models} <= set(documented)
    ran = results.of_day(lake.settings, datetime.now(UTC).date())
    assert {node for node, one in ran.items() if node.startswith("model.") and one.status == "success"} >= {
        f"model.headrace.{name}" for name in models
    }


def test_what_was_curated_is_measured_by_itself_hour_by_hour_and_its_origin_told(lake: Lake, few: FewDags) -> None:
    """After the build above, whose claim starts it."""
    run = few.wait(lambda: few.runs("quality"), 60)[0]
    assert few.ended("quality", run, CURATE_SECONDS) == "success"
    table, since = "processed.transactions", datetime.now(UTC).date() - DAY
    rows = _count(lake, table, f"arrived_at >= {_before(1)}")
    with psycopg.connect(lake.settings.postgres_dsn("headrace")) as connection:
        figures = connection.execute(
            "select figure, sum(good), sum(counted) from quality where table_name = %s and day >= %s group by 1",
            [table, since],
        )
        found = {figure: (good, counted) for figure, good, counted in figures}
        watched = connection.execute("select distinct subject from profiles where records > 0").fetchall()
        told = connection.execute("select distinct job_name from lineage_events where job_namespace = 'headrace.dbt'")
        assert {(table,), ("curated.fct_transactions",)} <= set(watched)
        assert ("fct_transactions",) in told.fetchall()
    assert rows >= 4
    assert found["completeness"] == found["uniqueness"] == (rows, rows)
    assert found["timeliness"] == (0, 0), "files are not late: these came by one"


def test_nothing_is_claimed_of_a_failed_model_and_clearing_it_mends_it_alone(lake: Lake, few: FewDags) -> None:
    ((columns,),) = lake.query(
        "select listagg('\"' || column_name || '\"', ', ') within group (order by ordinal_position)"
        " from lake.information_schema.columns where table_schema = 'processed' and table_name = 'payouts'"
        " and column_name <> 'event_id'"
    )
    newest = "select * from processed.payouts order by landed_at desc limit 1"
    for _ in range(2):
        lake.query(f"insert into processed.payouts (event_id, {columns}) select 'ghost', {columns} from ({newest})")
    before = _claimed(lake)
    run = few.trigger("curate")
    assert few.ended("curate", run, CURATE_SECONDS) == "failed"
    tasks = few.tasks("curate", run)
    states = {name: task["state"] for name, task in tasks.items()}
    behind = {PAID, "advance_coverage", "reconcile", "docs"}
    assert {name for name, state in states.items() if state != "success"} == {PAYOUTS, *behind}
    assert (states[PAYOUTS], {states[name] for name in behind}) == ("failed", {"upstream_failed"})
    assert tasks[PAYOUTS]["try_number"] == 3, "tried again by itself"
    assert TEST_OF_PAYOUTS in few.log("curate", run, PAYOUTS, 3), "what dbt said of it"
    assert _claimed(lake) == before, "nothing was claimed"
    lake.query("delete from processed.payouts where event_id = 'ghost'")
    few.clear("curate", run, PAYOUTS)
    assert few.ended("curate", run, CURATE_SECONDS) == "success"
    after = few.tasks("curate", run)
    again = {name for name, task in after.items() if task["try_number"] != tasks[name]["try_number"]}
    assert again == {PAYOUTS, *behind}
    assert _claimed(lake) > before


def test_spark_agrees_with_what_was_curated_and_a_wrong_row_is_red(lake: Lake, few: FewDags) -> None:
    """After the builds above, which claimed what Spark compares."""
    assert few.ended("analytics", few.trigger("analytics", days=60), CURATE_SECONDS) == "success"
    for table in (COHORTS, ACTIVITY):
        assert _count(lake, f"analytics.{table}") > 5, "a comparison of nothing proves nothing"
    lake.query(f"update curated.{ACTIVITY} set searches = searches + 1")
    curation.claim(lake.settings, datetime.now(UTC))
    run = few.trigger("analytics", days=60)
    assert few.ended("analytics", run, CURATE_SECONDS) == "failed"
    assert ACTIVITY in few.log("analytics", run, "work_out_and_compare", 1)
    assert few.tasks("analytics", run)["work_out_and_compare"]["try_number"] == 1, "the same events give the same rows"
