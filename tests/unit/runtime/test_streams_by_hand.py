"""`./headrace stream` in a clone whose platform is not running: files are made, kept when edited, and explained."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from headrace.cli import streaming
from headrace.cli.__main__ import app
from headrace.contracts.model import load_contracts
from headrace.lake import models
from headrace.runtime.applying import Edited
from headrace.semantics import manifest, minute_model
from headrace.settings import REPO, Settings
from headrace.streams import published


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for part in ("include/contracts", "dbt/models"):
        shutil.copytree(REPO / part, tmp_path / part)
    monkeypatch.setattr("headrace.settings.REPO", tmp_path)
    settings = Settings(home=tmp_path / "home")
    monkeypatch.setattr(streaming, "get_settings", lambda: settings)
    return settings


def stream(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["stream", *arguments], env={"COLUMNS": "200"})


def steps(*arguments: str) -> dict[str, str]:
    result = stream("apply", *arguments, "--json")
    assert result.exit_code == 0, result.output
    return {step["what"]: step["state"] for step in json.loads(result.stdout)["steps"]}


def checked(name: str) -> dict[str, Any]:
    return json.loads(stream("check", name, "--json").stdout)["streams"][0]  # type: ignore[no-any-return]


def test_a_clone_as_it_is_has_nothing_to_do(clone: Settings) -> None:
    assert stream("check").exit_code == 0
    assert steps() == {"dbt models": "same", "platform": "waits"}


def test_one_file_brings_its_models_and_a_second_time_changes_nothing(clone: Settings) -> None:
    assert stream("new", "clicks").exit_code == 0
    made = {what for what, state in steps("clicks").items() if state == "made"}
    assert made == {
        "fct_clicks.sql", "_fct_clicks.yml", "valid_clicks.sql", "clicks.sql", "_raw.yml", "_processed.yml",
        "corrections.sql",
        "clicks_by_minute.sql", "_clicks_by_minute.yml",
    }  # fmt: skip
    assert steps("clicks") == steps() == {"dbt models": "same", "platform": "waits"}
    listed = {one["name"]: one["state"] for one in json.loads(stream("list", "--json").stdout)["streams"]}
    assert listed["clicks"] == "new"


def test_another_stream_that_is_being_written_waits_for_its_turn(clone: Settings) -> None:
    stream("new", "clicks")
    stream("new", "visits")
    assert not [what for what in steps("clicks") if "visits" in what]
    assert "visits" not in (clone.repo / "dbt" / "models" / "raw" / "_raw.yml").read_text()
    assert {"visits.sql", "_raw.yml"} <= {what for what, state in steps().items() if state == "made"}


def test_metrics_that_were_published_before_their_stream_do_no_harm(clone: Settings) -> None:
    published.publish(clone)
    stream("new", "clicks")
    steps("clicks")
    declared = minute_model.declared_models(clone.repo / "dbt" / "models")
    manifest.path(clone).write_text(declared.json())
    assert steps("clicks") == {"dbt models": "same", "platform": "waits"}


def test_a_persons_edits_stay_unless_force_says_otherwise(clone: Settings) -> None:
    stream("new", "clicks")
    steps("clicks")
    folder = clone.repo / "dbt" / "models"
    first, generated = folder / "curated" / "fct_clicks.sql", folder / "raw" / "valid_clicks.sql"
    first.write_text(first.read_text().replace("    event_time,", "    event_time, -- mine"))
    assert steps("clicks")["fct_clicks.sql"] == "kept"
    generated.write_text(generated.read_text() + "-- mine too\n")
    result = stream("apply", "clicks")
    assert isinstance(result.exception, Edited)
    assert "--- mine too" in str(result.exception).replace("-- mine too", "--- mine too", 1)
    assert "-- mine too" in generated.read_text()
    assert steps("clicks", "--force")["valid_clicks.sql"] == "made"
    assert "mine" not in first.read_text() + generated.read_text()


def test_a_changed_contract_changes_its_models_without_a_word(clone: Settings) -> None:
    published.publish(clone)
    path = clone.contracts / "payouts.yaml"
    path.write_text(path.read_text().replace("maximum: 10000000", "maximum: 20000000"))
    assert steps() == {"valid_payouts.sql": "made", "platform": "waits"}


def test_streams_with_models_of_their_own_get_no_second_ones(clone: Settings) -> None:
    assert steps("transactions", "orders") == {"dbt models": "same", "platform": "waits"}


def test_what_breaks_readers_or_models_is_said_before_anything_changes(clone: Settings) -> None:
    published.publish(clone)
    path = clone.contracts / "payouts.yaml"
    before = path.read_text()
    path.write_text(before.replace("name: payout_status", "name: payout_state"))
    found = checked("payouts")
    assert "payout_status was removed" in found["breaks"]
    assert any("fct_payouts.sql selects payout_status" in said for said in found["models"])
    assert stream("apply", "payouts").exit_code == 1
    path.write_text(before.replace("value: merchant_id", "value: nobody"))
    [mistake] = checked("payouts")["mistakes"]
    assert (mistake["line"] > 1, mistake["column"] > 1, "'nobody'" in mistake["what"]) == (True, True, True)
    assert stream("check", "payouts").exit_code == 1
    assert (
        models.files(load_contracts(REPO / "include" / "contracts"), clone.repo / "dbt" / "models").items()
        <= {p: p.read_text() for p in (clone.repo / "dbt" / "models").rglob("*.*")}.items()
    )


def test_two_streams_may_not_share_a_topic_and_a_wrong_name_is_guessed(clone: Settings) -> None:
    result = stream("check", "payout")
    assert "Did you mean payouts" in str(result.exception)
    assert stream("new", "payouts").exit_code == 1
