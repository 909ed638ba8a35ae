"""The generated dbt models say what the contracts say, and a new contract needs nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import yaml

from headrace.contracts.model import load_contracts
from headrace.lake import models
from headrace.settings import REPO

CONTRACTS = load_contracts(REPO / "include" / "contracts")
FOLDER = REPO / "dbt" / "models"


def test_the_committed_files_are_what_the_contracts_say() -> None:
    wanted = models.files(CONTRACTS, FOLDER)
    for path, content in wanted.items():
        assert path.is_file(), f"{path.name} is missing: run `python -m headrace.lake.models`"
        assert path.read_text() == content, f"{path.name} has drifted: run `python -m headrace.lake.models`"
    made = {path for layer in ("raw", "processed") for path in (FOLDER / layer).glob("*.sql")}
    assert made <= set(wanted), "a model is left over from a contract that is gone"


def test_a_new_contract_brings_its_models() -> None:
    clicks = replace(CONTRACTS["app_events"], name="clicks")
    made = models.files({"clicks": clicks}, Path("m"))
    assert 'source("raw", "clicks")' in made[Path("m/raw/valid_clicks.sql")]
    assert 'one_row_per_event(ref("valid_clicks"), ["event_id"]' in made[Path("m/processed/clicks.sql")]
    described = yaml.safe_load(made[Path("m/processed/_processed.yml")])["models"][0]
    assert described["description"].startswith("One row per ")
    assert described["data_tests"] == [{"one_row_per": {"arguments": {"keys": ["event_id"]}}}]


def test_an_entity_is_one_row_whatever_its_versions() -> None:
    assert models.keys(CONTRACTS["merchants"]) == ["merchant_id"]
    assert models.keys(CONTRACTS["exchange_rates"]) == ["currency", "rate_date"]
    assert models.column(CONTRACTS["customers"], "name") == "customer_name"


def test_every_model_says_its_grain_first() -> None:
    described = [m for path in FOLDER.rglob("*.yml") for m in yaml.safe_load(path.read_text()).get("models", ())]
    assert len(described) > 20
    assert [m["name"] for m in described if not m["description"].startswith("One row per ")] == []
    written = {path.stem for path in FOLDER.rglob("*.sql")}
    assert {m["name"] for m in described} == written
