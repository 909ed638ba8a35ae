"""The generated dbt models say what the contracts say, and a new contract needs nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import yaml

from headrace.contracts import plain
from headrace.contracts.model import load_contracts
from headrace.lake import models, scaffold
from headrace.semantics import minute_model
from headrace.semantics.measures import specs
from headrace.settings import REPO

CONTRACTS = load_contracts(REPO / "include" / "contracts")
FOLDER = REPO / "dbt" / "models"
CLICKS = replace(CONTRACTS["app_events"], name="clicks")


def test_the_committed_files_are_what_the_contracts_say() -> None:
    wanted = models.files(CONTRACTS, FOLDER)
    for path, content in wanted.items():
        assert path.is_file(), f"{path.name} is missing: run `python -m headrace.lake.models`"
        assert path.read_text() == content, f"{path.name} has drifted: run `python -m headrace.lake.models`"
    assert scaffold.drift(CONTRACTS, FOLDER) == []
    made = {path for layer in ("raw", "processed") for path in (FOLDER / layer).glob("*.sql")}
    assert made <= set(wanted), "a model is left over from a contract that is gone"


def test_a_new_contract_brings_its_models() -> None:
    made = models.files({"clicks": CLICKS}, Path("m"))
    assert 'source("raw", "clicks")' in made[Path("m/raw/valid_clicks.sql")]
    assert 'one_row_per_event(ref("valid_clicks"), ["event_id"]' in made[Path("m/processed/clicks.sql")]
    described = yaml.safe_load(made[Path("m/processed/_processed.yml")])["models"][0]
    assert described["description"].startswith("One row per ")
    assert described["data_tests"] == [{"one_row_per": {"arguments": {"keys": ["event_id"]}}}]


def _project(tmp_path: Path) -> Path:
    """The models of a clone with one stream more, and nothing else curated."""
    folder = tmp_path / "models"
    for path, content in scaffold.files(CLICKS, folder, {"clicks"}).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def test_a_new_stream_begins_with_a_table_and_a_live_metric(tmp_path: Path) -> None:
    folder = _project(tmp_path)
    assert scaffold.used(CLICKS, folder)
    assert scaffold.drift({"clicks": CLICKS}, folder) == []
    described = yaml.safe_load((folder / "curated" / "_fct_clicks.yml").read_text())
    columns = {column["name"] for column in described["models"][0]["columns"]}
    assert "event_type" in columns
    assert "search_text" not in columns, "what is confidential stays in processed"
    live = described["semantic_models"][0]["config"]["meta"]["live"]
    assert live["windows"] == [
        {"spec": "clicks_1m", "keys": ["event_type", "platform", "region"], "table": "clicks_by_minute"}
    ]
    assert "clicks" not in described["metrics"][0]["config"]["meta"]["synonyms"], "the word was taken"
    assert scaffold.words_taken(folder, "other") >= {"number of clicks", "clicks count"}
    assert scaffold.files(CONTRACTS["merchants"], folder) == {}
    [spec] = specs(minute_model.declared_models(folder), {"clicks": CLICKS})
    assert (spec.name, [a.name for a in spec.accumulators]) == ("clicks_1m", ["count"])
    assert (spec.fact, spec.time, spec.table) == ("fct_clicks", "event_time", "clicks_by_minute")


def test_what_models_and_contract_say_differently_is_found(tmp_path: Path) -> None:
    folder = _project(tmp_path)
    other = [replace(f, type="bigint") if f.name == "region" else f for f in CLICKS.fields if f.name != "platform"]
    said = " ".join(scaffold.drift({"clicks": replace(CLICKS, fields=tuple(other))}, folder))
    assert "fct_clicks.sql selects platform, which clicks does not have" in said
    assert "fct_clicks.region is declared as varchar, the contract makes it bigint" in said
    assert "clicks_1m are keyed by platform" in said


def test_an_entity_is_one_row_whatever_its_versions() -> None:
    assert models.keys(CONTRACTS["merchants"]) == ["merchant_id"]
    assert models.keys(CONTRACTS["exchange_rates"]) == ["currency", "rate_date"]
    assert models.column(CONTRACTS["customers"], "name") == "customer_name"


def test_every_model_says_its_grain_first() -> None:
    described = [m for path in FOLDER.rglob("*.yml") for m in plain.values(path).get("models", ())]
    assert len(described) > 20
    assert [m["name"] for m in described if not m["description"].startswith("One row per ")] == []
    written = {path.stem for path in FOLDER.rglob("*.sql")}
    assert {m["name"] for m in described} == written


def test_history_is_kept_where_the_contract_says_so() -> None:
    kept = {name for name, contract in CONTRACTS.items() if contract.history}
    assert kept == {"customers", "products", "accounts", "merchants"}
    made = models.files({"customers": CONTRACTS["customers"]}, Path("m"))
    assert 'unique_key=["customer_id", "updated_at"]' in made[Path("m/processed/customers_history.sql")]
    assert 'ref("customers_history")' in made[Path("m/processed/customers.sql")]
    described = {m["name"]: m for m in yaml.safe_load(made[Path("m/processed/_processed.yml")])["models"]}
    email = next(c for c in described["customers_history"]["columns"] if c["name"] == "email")
    assert email["meta"] == {"classification": "restricted", "person": True}


def test_an_entity_that_was_deleted_was_told_of() -> None:
    """Events that name it are no longer joined with it, and still name nobody unknown."""
    made = models.files(CONTRACTS, Path("m"))[Path("m/processed/unresolved.sql")]
    named = {entity for contract in CONTRACTS.values() for entity in contract.references.values()}
    assert named == {"customers", "products", "merchants"}
    for entity in named:
        assert f'join {{{{ ref("{entity}") }}}}' not in made
        assert f'join {{{{ ref("{entity}_history") }}}} as entity on entity.is_current and entity.' in made


def test_columns_that_name_a_person_are_tagged_in_every_zone() -> None:
    """By their name, as masks go by it."""
    persons = {models.column(c, f.name): f.classification for c in CONTRACTS.values() for f in c.fields if f.person}
    found = 0
    for path in FOLDER.rglob("*.yml"):
        for model in plain.values(path).get("models", ()):
            for column in model.get("columns", ()):
                if column["name"] in persons:
                    found += 1
                    meta = {"classification": persons[column["name"]], "person": True}
                    assert column.get("meta") == meta, f"{model['name']}.{column['name']}"
    assert found > 20
