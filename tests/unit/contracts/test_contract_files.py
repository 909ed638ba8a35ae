from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from headrace.contracts.model import ContractError, load_contract, load_contracts
from headrace.contracts.schema import json_schema
from headrace.settings import REPO

FOLDER = REPO / "include" / "contracts"
FILES = sorted(FOLDER.glob("*.yaml"))
CONTRACTS = load_contracts(FOLDER)


def test_the_marketplace_has_its_streams() -> None:
    entities = {"merchants", "customers", "products", "accounts", "exchange_rates"}
    assert {name for name, contract in CONTRACTS.items() if contract.kind == "entity"} == entities
    assert {"transactions", "orders", "app_events"} <= set(CONTRACTS) - entities


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_is_an_open_data_contract(path: Path) -> None:
    """The standard's own schema comes with a package that is only needed for this."""
    found = importlib.util.find_spec("open_data_contract_standard")
    if found is None or found.origin is None:
        pytest.skip("the package open-data-contract-standard is not installed")
    schema = json.loads((Path(found.origin).parent / "schema.json").read_text())
    jsonschema.Draft201909Validator(schema).validate(yaml.safe_load(path.read_text()))


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_contract_names_its_owner_key_and_personal_data(name: str) -> None:
    contract = CONTRACTS[name]
    assert contract.owner and contract.description.startswith("One row per")
    assert contract.field(contract.key).required
    assert all(contract.field(field).required for field in (*contract.identity, contract.event_time))
    for field in contract.fields:
        assert field.classification in ("public", "internal", "confidential", "restricted")
        assert not field.person or field.classification in ("confidential", "restricted")


@pytest.mark.parametrize("name", ["customers", "accounts", "transactions", "orders", "app_events"])
def test_streams_about_people_say_so(name: str) -> None:
    assert CONTRACTS[name].person_fields


@pytest.mark.parametrize("name", CONTRACTS)
def test_the_schema_for_the_registry_is_valid_and_closed(name: str) -> None:
    schema = json_schema(CONTRACTS[name])
    jsonschema.Draft7Validator.check_schema(schema)
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) <= set(schema["properties"])


def test_a_broken_file_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text((FOLDER / "orders.yaml").read_text().replace("value: user_id", "value: nobody"))
    with pytest.raises(ContractError, match=r"odd\.yaml:30:16: key names 'nobody'"):
        load_contract(path)
