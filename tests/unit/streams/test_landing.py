"""What landing decides: where to begin, up to when all is there, which files wait."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from headrace.contracts.model import load_contracts
from headrace.settings import REPO, Settings
from headrace.streams.landing.files import landed_files, note_landed, waiting_files
from headrace.streams.landing.offsets import EARLIEST, starting_offsets
from headrace.streams.landing.table import add_columns_sql, catalogue_conf, columns_of, create_sql
from headrace.streams.landing.through import MARGIN, Signs


@pytest.mark.parametrize(
    ("landed", "present", "begins"),
    [
        (None, (0, 9), EARLIEST),
        (4, (0, 9), 5),
        (8, (0, 9), 9),
        (2, (5, 9), EARLIEST),
        (99, (0, 9), EARLIEST),
    ],
    ids=["never landed", "in the middle", "all landed", "some are gone", "another topic of that name"],
)
def test_where_a_lost_checkpoint_begins(landed: int | None, present: tuple[int, int], begins: int) -> None:
    known = {} if landed is None else {("t", 0): landed}
    assert json.loads(starting_offsets(known, {("t", 0): present})) == {"t": {"0": begins}}


def _progress(end: dict[str, Any], latest: dict[str, Any], at: str = "2026-05-04T10:00:00.000Z") -> Any:
    source = SimpleNamespace(endOffset=json.dumps(end), latestOffset=json.dumps(latest))
    return SimpleNamespace(batchId=3, timestamp=at, sources=[source])


def test_landed_through_is_the_start_of_a_trigger_that_caught_up() -> None:
    signs = Signs(landing="land")
    signs.progressed("land", _progress({"t": {"0": 5, "1": 2}}, {"t": {"0": 9, "1": 2}}))
    assert (signs.through, signs.lags["land"]) == (None, 4)
    signs.progressed("land", _progress({"t": {"0": 9}}, {"t": {"0": 9}}))
    assert signs.through == datetime(2026, 5, 4, 10, tzinfo=UTC) - MARGIN
    signs.idle("land", "2026-05-04T10:01:00.000Z")
    assert signs.through == datetime(2026, 5, 4, 10, 1, tzinfo=UTC) - MARGIN


def test_a_source_of_files_tells_no_newest_offset() -> None:
    signs = Signs(landing="land")
    progress = _progress({"logOffset": 0}, {})
    progress.sources[0].latestOffset = ""
    signs.progressed("land_files", progress)
    signs.progressed("land", progress)
    assert (signs.batches, signs.through) == ({"land_files": 3, "land": 3}, None)


def test_landed_through_goes_back_with_the_clock_and_belongs_to_landing() -> None:
    signs = Signs(landing="land")
    signs.idle("land", "2026-05-04T10:01:00.000Z")
    signs.idle("land", "2026-05-04T10:00:00.000Z")
    signs.idle("refine", "2026-05-04T11:00:00.000Z")
    assert signs.through == datetime(2026, 5, 4, 10, tzinfo=UTC) - MARGIN
    signs.forget()
    signs.idle("land", f"{datetime.now(UTC) + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}")
    assert signs.through is None, "a trigger that began under the later clock"
    oldest = signs.oldest_sign()
    assert oldest
    assert datetime.now(UTC) - oldest < timedelta(seconds=5)


def test_files_wait_until_they_are_noted(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)  # type: ignore[call-arg]
    folder = settings.landing / "transactions"
    folder.mkdir(parents=True)
    for name in ("a.jsonl", "b.jsonl", ".c.jsonl", "d.tmp"):
        (folder / name).touch()
    assert [path.name for path in waiting_files(settings)] == ["a.jsonl", "b.jsonl"]
    note_landed(settings, "transactions", {"a.jsonl": 0})
    note_landed(settings, "transactions", {"a.jsonl": 0, "x.jsonl": 3})
    assert [path.name for path in waiting_files(settings)] == ["b.jsonl"]
    assert landed_files(settings) == {"transactions": {"a.jsonl": 0, "x.jsonl": 3}}
    (folder / "a.jsonl").write_text("more")
    assert [path.name for path in waiting_files(settings)] == ["a.jsonl", "b.jsonl"]


def test_files_that_an_earlier_release_noted_by_name_do_not_wait(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)  # type: ignore[call-arg]
    (settings.landing / "transactions").mkdir(parents=True)
    (settings.landing / "transactions" / "a.jsonl").write_text("{}")
    settings.run.mkdir(parents=True)
    (settings.run / "landed_files.json").write_text(json.dumps({"files": {"transactions": ["a.jsonl"]}, "as_of": ""}))
    assert waiting_files(settings) == []


def test_the_raw_table_follows_the_contract() -> None:
    contract = load_contracts(REPO / "include" / "contracts")["transactions"]
    assert list(columns_of(contract))[-1] == "user_id"
    assert "PARTITIONED BY (days(arrived_at))" in create_sql(contract)
    assert add_columns_sql(contract, list(columns_of(contract))) is None
    fields = tuple(replace(f, person=True) if f.name == "order_id" else f for f in contract.fields)
    added = add_columns_sql(replace(contract, fields=fields), list(columns_of(contract)))
    assert added == "ALTER TABLE lake.raw.transactions ADD COLUMNS (`order_id` string)"


def test_the_catalogue_is_the_one_of_trino() -> None:
    conf = catalogue_conf("file:///lake", "127.0.0.1:5433", "x")
    assert conf["spark.sql.catalog.lake.uri"] == "jdbc:postgresql://127.0.0.1:5433/iceberg"
    assert conf["spark.sql.catalog.lake.jdbc.schema-version"] == "V1"
