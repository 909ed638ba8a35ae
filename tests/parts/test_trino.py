"""Trino as the second wall: what the policy file denies or masks, it denies and masks whoever asks the application."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import psutil
import pytest
from trino.exceptions import TrinoUserError

from headrace.assistant.remembered import Answer, Remembered
from headrace.lake import coverage, dbt, states, trino_config
from headrace.lake.trino import connect, connect_for, healthy
from headrace.policy import Identity
from headrace.policy.users import save_user
from headrace.settings import Settings
from tests.parts.filled_lake import filled
from tests.parts.lake_home import START, Lake

ANALYST, VIEWER = "anna.o'hara", "victor"


@pytest.fixture(scope="module")
def lake(start_parts: Callable[..., Settings]) -> Lake:
    lake = filled(start_parts)
    save_user(lake.settings, ANALYST, "unused-in-trino", ("analyst",))
    save_user(lake.settings, VIEWER, "unused-in-trino", ("viewer",))
    trino_config.prepare_access(lake.settings)
    time.sleep(2.5)  # Trino reads its rules again within a second or two
    return lake


def refused(lake: Lake, sql: str, **who: Any) -> str:
    with pytest.raises(TrinoUserError) as error:
        lake.query(sql, **who)
    return str(error.value)


def test_it_is_healthy_by_a_real_select(lake: Lake) -> None:
    assert healthy(lake.settings)
    elsewhere = lake.settings.model_copy(update={"ports": lake.settings.ports.model_copy(update={"trino": 1})})
    assert not healthy(elsewhere)


def test_an_analyst_sees_customers_without_names(lake: Lake) -> None:
    rows = lake.query("select customer_name, email, country from curated.dim_customers", as_user=ANALYST)
    assert rows
    assert {tuple(row) for row in rows} == {(None, None, "DE")}
    shown = {row[0] for row in lake.query("select distinct user_id from curated.fct_transactions", as_user=ANALYST)}
    true = {row[0] for row in lake.query("select distinct user_id from curated.fct_transactions")}
    assert len(shown) == len(true), "a pseudonym keeps persons apart, so that counting them stays right"
    assert not shown & true
    joined = lake.query(
        "select count(*) from curated.fct_transactions t join curated.dim_customers c on c.customer_id = t.user_id",
        as_user=ANALYST,
    )
    assert joined[0][0] > 0


def test_a_viewer_reads_figures_and_no_table_of_persons(lake: Lake) -> None:
    total = lake.query("select count(*) from curated.fct_transactions", as_user=VIEWER)
    assert total == lake.query("select count(*) from curated.fct_transactions")
    assert lake.query("select count(*) from curated.merchant_day", as_user=VIEWER)
    for table in ("curated.dim_customers", "curated.dim_accounts", "processed.transactions", "raw.transactions"):
        assert "Access Denied" in refused(lake, f"select count(*) from {table}", as_user=VIEWER)
    assert "Access Denied" in refused(lake, "select value from raw.transactions limit 1", as_user=ANALYST)


def test_an_answer_is_kept_until_its_table_changes(lake: Lake) -> None:
    sql, asked = "select count(*) from lake.curated.dim_merchants", []
    remembered = Remembered(partial(states.present, lake.settings), partial(trino_config.access_stamp, lake.settings))

    def run() -> Answer:
        asked.append(sql)
        return lake.query(sql, as_user=ANALYST), ["n"]

    def ask() -> list[list[Any]]:
        return remembered(Identity(ANALYST, ("analyst",)), sql, run)[0]

    assert ask() == ask() == lake.query(sql)
    assert len(asked) == 1
    dbt.run(lake.settings, ["run", "--select", "dim_merchants"])
    assert ask() == lake.query(sql)
    assert len(asked) == 2
    assert ask() == lake.query(sql)
    remembered.renew()
    dbt.run(lake.settings, ["run", "--select", "dim_merchants"])
    remembered.renew()
    remembered.renew()
    assert len(asked) == 3, "who asked it twice finds the answer there after a build"
    assert ask() == lake.query(sql)
    assert len(asked) == 3
    assert states.present(lake.settings, ("raw.valid_transactions",)) is None, "a view has no state of its own"


@pytest.mark.parametrize("who", [{"as_user": ANALYST}, {"as_user": VIEWER}, {"service": "bi_svc"}], ids=str)
def test_nobody_but_the_builders_writes(lake: Lake, who: dict[str, str]) -> None:
    for sql in (
        "delete from curated.fct_transactions where true",
        "insert into curated.dim_merchants (merchant_id) values ('x')",
        "drop table curated.dim_merchants",
        "create table curated.mine (a bigint)",
        "create schema lake.mine",
    ):
        assert "Access Denied" in refused(lake, sql, **who)


@pytest.mark.parametrize("person", ["admin", "dbt", "bi_svc-2", "nobody", "victo", "victor2"])
def test_only_known_readers_can_be_impersonated(lake: Lake, person: str) -> None:
    assert "cannot impersonate" in refused(lake, "select 1", as_user=person)
    assert "cannot impersonate" in refused(lake, "select 1", as_user=VIEWER, service="dbt")


def test_an_administrator_asks_as_the_service_account_which_only_reads(lake: Lake) -> None:
    with connect_for(lake.settings, Identity("admin", ("admin",))) as connection:
        cursor = connection.cursor()
        cursor.execute("select current_user, customer_name from curated.dim_customers limit 1")
        user, name = cursor.fetchall()[0]
    assert user == "bi_svc"
    assert name.startswith("Ann ")
    with connect_for(lake.settings, Identity(VIEWER, ("viewer",))) as connection:
        cursor = connection.cursor()
        cursor.execute("select current_user")
        assert cursor.fetchall() == [[VIEWER]]


def test_a_new_person_gets_in_without_a_restart(lake: Lake) -> None:
    save_user(lake.settings, "newcomer", "unused-in-trino", ("viewer",))
    deadline = time.monotonic() + 15
    while True:
        try:
            assert lake.query("select current_user", as_user="newcomer") == [["newcomer"]]
            return
        except TrinoUserError:
            assert time.monotonic() < deadline, "the rules were not written anew"
            time.sleep(0.5)


def test_questions_have_limits_that_a_person_does_not_set(lake: Lake) -> None:
    limits = {row[0]: row[1] for row in lake.query("show session like 'query_max%'", as_user=VIEWER)}
    assert limits["query_max_execution_time"] == f"{lake.settings.query_seconds}s"
    assert limits["query_max_scan_physical_bytes"] == lake.settings.query_bytes
    assert "Access Denied" in refused(lake, "set session join_distribution_type = 'BROADCAST'", as_user=VIEWER)


def test_a_wrong_password_and_plain_http_are_refused(lake: Lake) -> None:
    ports = lake.settings.ports
    url = f"https://127.0.0.1:{ports.trino}/v1/statement"
    wrong = httpx.post(url, content="select 1", auth=("bi_svc", "wrong"), verify=False)
    assert wrong.status_code == 401
    plain = httpx.post(
        f"http://127.0.0.1:{ports.trino_internal}/v1/statement", content="select 1", headers={"X-Trino-User": "admin"}
    )
    assert plain.status_code in (401, 403)


def test_it_listens_on_loopback_only(lake: Lake) -> None:
    ports = {lake.settings.ports.trino, lake.settings.ports.trino_internal}
    listening = [c for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN]
    processes = {c.pid for c in listening if c.laddr.port in ports}
    bound = {c.laddr.ip.removeprefix("::ffff:") for c in listening if c.pid in processes}
    assert bound <= {"127.0.0.1", "::1"}
    assert len(processes) == 1


def test_a_second_preparation_changes_nothing(lake: Lake) -> None:
    folder = trino_config.folder(lake.settings)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    trino_config.prepare(lake.settings)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()} == before
    assert all(path.stat().st_mode & 0o077 == 0 for path in before)


def test_statements_run_in_utc(lake: Lake) -> None:
    with connect(lake.settings) as connection:
        cursor = connection.cursor()
        cursor.execute("select current_timezone()")
        assert cursor.fetchall() == [["UTC"]]


def test_coverage_moves_forward_only(lake: Lake) -> None:
    stream = f"test-{uuid.uuid4().hex}"
    assert coverage.through(lake.settings, stream) is None
    coverage.advance(lake.settings, stream, START)
    coverage.advance(lake.settings, stream, START.replace(year=START.year - 1))
    assert coverage.through(lake.settings, stream) == START
    with pytest.raises(ValueError, match="time zone"):
        coverage.advance(lake.settings, stream, START.replace(tzinfo=None))
