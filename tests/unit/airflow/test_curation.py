"""A build waits for what it must have, says for what, and claims no more than had landed when it began."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from headrace.lake import coverage, dbt
from headrace.runtime import curation
from headrace.settings import Settings
from headrace.streams import heartbeat, published
from headrace.streams.heartbeat import Beat
from headrace.streams.landing.files import note_landed

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def lake(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> dict[str, datetime | None]:
    """What the lake job and the coverage table say, without a database."""
    known: dict[str, datetime | None] = {"landed": None, "covered": None}

    taken_up = {"contracts": published.contracts_print(settings)}

    def beat(_: Settings, job: str) -> Beat:
        return Beat(job, None, "running", NOON, NOON, 1, 0, known["landed"], 0, None, taken_up)

    monkeypatch.setattr(heartbeat, "read", beat)
    monkeypatch.setattr(coverage, "through", lambda *_: known["covered"])
    return known


def test_the_claim_leaves_time_for_what_is_not_late_and_is_a_whole_minute(settings: Settings, lake: dict) -> None:
    lake["landed"] = NOON + timedelta(minutes=7, seconds=42)
    assert curation.watermark(settings) == NOON + timedelta(minutes=7 - settings.lateness_minutes)


def test_without_a_first_build_curate_waits_for_it(settings: Settings, lake: dict) -> None:
    lake["landed"] = NOON + timedelta(hours=1)
    assert "first build" in str(curation.awaited_landing(settings, NOON.isoformat()))


def test_curate_waits_until_the_hour_has_landed(settings: Settings, lake: dict) -> None:
    lake["covered"] = NOON - timedelta(hours=1)
    assert "first sign" in str(curation.awaited_landing(settings, NOON.isoformat()))
    lake["landed"] = NOON + timedelta(minutes=settings.lateness_minutes, seconds=-1)
    assert "everything before 11:59 has" in str(curation.awaited_landing(settings, NOON.isoformat()))
    lake["landed"] = NOON + timedelta(minutes=settings.lateness_minutes)
    assert curation.awaited_landing(settings, NOON.isoformat()) is None


def test_views_over_raw_are_made_anew_when_a_contract_changed(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[list[str]] = []
    settings.run.mkdir(parents=True)
    view = tmp_path / "models" / "raw" / "valid_clicks.sql"
    view.parent.mkdir(parents=True)
    view.write_text("select 1")
    monkeypatch.setattr(dbt, "project", lambda _: tmp_path)
    monkeypatch.setattr(dbt, "run", lambda _, arguments, **__: ran.append(arguments))
    assert [curation.refresh_views(settings), curation.refresh_views(settings)] == [True, False]
    view.write_text("select 2")
    assert curation.refresh_views(settings)
    assert ran == [["run", "--select", "tag:raw"]] * 2


def test_docs_follow_every_change_of_the_project_and_a_failure_is_made_good(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[list[str]] = []
    settings.run.mkdir(parents=True)
    project = tmp_path / "project"
    macro, described = project / "macros" / "money.sql", project / "models" / "curated" / "_fct_clicks.yml"
    for path in (macro, described):
        path.parent.mkdir(parents=True)
        path.write_text("old")
    monkeypatch.setattr(dbt, "project", lambda _: project)
    monkeypatch.setattr(dbt, "run", lambda _, arguments, **__: ran.append(arguments))
    assert [curation.refresh_docs(settings), curation.refresh_docs(settings)] == [True, False]
    for path in (macro, described):
        path.write_text("new")
        assert [curation.refresh_docs(settings), curation.refresh_docs(settings)] == [True, False]
    assert ran == [["docs", "generate"]] * 3

    def fails(*_: object, **__: object) -> None:
        raise dbt.DbtFailed("Trino does not answer")

    described.rename(described.with_name("_fct_visits.yml"))
    with monkeypatch.context() as broken, pytest.raises(dbt.DbtFailed):
        broken.setattr(dbt, "run", fails)
        curation.refresh_docs(settings)
    assert curation.refresh_docs(settings)


def test_coverage_is_that_of_the_slowest_stream(
    settings: Settings, lake: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curation, "streams", lambda _: ["a", "b"])
    points = {"a": NOON, "b": NOON - timedelta(hours=2)}
    monkeypatch.setattr(coverage, "through", lambda _, stream: points.get(stream))
    assert curation.covered_through(settings) == NOON - timedelta(hours=2)
    points.pop("b")
    assert curation.covered_through(settings) == NOON, "a new stream waits for the next build, not the others for it"
    points.pop("a")
    assert curation.covered_through(settings) is None


def test_a_watermark_from_before_a_new_stream_counts_for_nothing(
    settings: Settings, lake: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake["landed"] = NOON
    assert curation.watermark(settings) is not None
    monkeypatch.setattr(published, "contracts_print", lambda _: "with one stream more")
    assert curation.watermark(settings) is None


def test_the_first_build_waits_for_every_file(settings: Settings) -> None:
    assert "to be written" in str(curation.awaited_history(settings))
    settings.run.mkdir(parents=True, exist_ok=True)
    (settings.run / "history.json").write_text(json.dumps({"through": NOON.isoformat(), "complete": True}))
    folder = settings.landing / "transactions"
    folder.mkdir(parents=True)
    (folder / "a.jsonl").write_text("{}\n")
    assert "1 files" in str(curation.awaited_history(settings))
    note_landed(settings, "transactions", {"a.jsonl": 3})
    assert curation.awaited_history(settings) is None


def test_the_first_claim_is_the_history_or_more(settings: Settings, lake: dict) -> None:
    settings.run.mkdir(parents=True, exist_ok=True)
    (settings.run / "history.json").write_text(json.dumps({"through": NOON.isoformat(), "complete": True}))
    assert curation.first_claim(settings) == NOON
    lake["landed"] = NOON + timedelta(minutes=settings.lateness_minutes + 3)
    assert curation.first_claim(settings) == NOON + timedelta(minutes=3)
    lake["landed"] = NOON - timedelta(hours=3)
    assert curation.first_claim(settings) == NOON


def test_the_claim_is_made_for_each_stream_of_events(
    settings: Settings, lake: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed = {}
    monkeypatch.setattr(coverage, "advance", lambda _, stream, through: claimed.update({stream: through}))
    curation.claim(settings, NOON)
    assert claimed["transactions"] == NOON


def test_what_a_later_clock_said_has_landed_counts_for_nothing(settings: Settings, lake: dict) -> None:
    lake["landed"] = datetime.now(UTC) + timedelta(hours=5)
    assert curation.watermark(settings) is None
    lake["landed"] = datetime.now(UTC)
    assert curation.watermark(settings) is not None


def test_a_claim_that_began_under_a_later_clock_is_cut_to_what_has_landed(
    settings: Settings, lake: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed: dict[str, datetime] = {}
    monkeypatch.setattr(curation, "streams", lambda _: ["a"])
    monkeypatch.setattr(coverage, "advance", lambda _, stream, through: claimed.update({stream: through}))
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    with pytest.raises(RuntimeError, match="Next: clear this task"):
        curation.claim(settings, tomorrow)
    assert not claimed
    lake["landed"] = datetime.now(UTC)
    curation.claim(settings, tomorrow)
    assert claimed == {"a": curation.watermark(settings)}
    curation.claim(settings, NOON)
    assert claimed == {"a": NOON}


def _dbt_that_ends(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, said: list[tuple[str, str]] | None, failed: bool
) -> None:
    """dbt leaves these results, or none, and fails or not; results of an earlier run are there."""
    target = dbt.target(settings)
    target.mkdir(parents=True)
    made = target / "run_results.json"
    made.write_text(json.dumps({"results": [_result("model.headrace.fct", "success")]}))

    def run(_: Settings, arguments: list[str], **how: bool) -> str:
        assert how == {"quiet": False}, "seen in the task's log while it goes on"
        assert arguments == ["build", "--exclude", "tag:raw"]
        if said is not None:
            made.write_text(json.dumps({"results": [_result(*one) for one in said]}))
        if failed:
            raise dbt.DbtFailed("1 of 2 failed")
        return ""

    monkeypatch.setattr(dbt, "run", run)


def _result(node: str, status: str) -> dict[str, object]:
    return {"unique_id": node, "status": status, "timing": [] if status == "skipped" else [{"name": "execute"}]}


def test_a_build_of_which_some_failed_says_how_each_ended(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    said = [("model.headrace.fct", "error"), ("test.headrace.x", "pass"), ("model.headrace.by_day", "skipped")]
    _dbt_that_ends(settings, monkeypatch, said, failed=True)
    assert curation.build_all(settings) == {"model.headrace.fct": "error", "test.headrace.x": "pass"}


def test_a_build_that_did_not_come_to_its_end_says_nothing_of_an_earlier_one(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    _dbt_that_ends(settings, monkeypatch, None, failed=True)
    with pytest.raises(dbt.DbtFailed):
        curation.build_all(settings)
