"""What counts as a change, and that the catalogue tables say what the contracts say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from headrace.contracts.model import load_contracts
from headrace.settings import REPO, Settings
from headrace.sinks.catalogue import data_sources, event_types, processing_rules
from headrace.sinks.configuration import contract_item, differing, setting_items

CONTRACTS = load_contracts(REPO / "include" / "contracts")


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        (1, 2, (1, 2)),
        (None, {"a": 1}, (None, {"a": 1})),
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, ({"b": 2}, {"b": 3})),
        ({"a": 1}, {"a": 1, "b": None}, ({}, {"b": None})),
        ({"f": {"x": {"most": 1}, "y": 0}}, {"f": {"x": {"most": 2}}}, ({"f": {"x": {"most": 1}, "y": 0}}, {"f": {"x": {"most": 2}}})),
        ({"l": [1, 2]}, {"l": [1, 3]}, ({"l": [1, 2]}, {"l": [1, 3]})),
    ],
)  # fmt: skip
def test_only_what_differs_is_shown(old: Any, new: Any, shown: tuple[Any, Any]) -> None:
    assert differing(old, new) == shown


def test_a_contract_is_compared_field_by_field() -> None:
    contract = CONTRACTS["transactions"]
    fields = tuple(replace(f, maximum=5.0) if f.name == "amount" else f for f in contract.fields)
    old, new = differing(contract_item(contract), contract_item(replace(contract, fields=fields)))
    assert (old, new) == ({"fields": {"amount": {"maximum": 1_000_000}}}, {"fields": {"amount": {"maximum": 5.0}}})


def test_settings_are_single_and_carry_no_credentials() -> None:
    items = setting_items(Settings(maven_url="https://ann:geheim@mirror.example/maven"))
    assert items["maven_url"] == "https://***@mirror.example/maven"
    assert items["ports.kafka"] == Settings().ports.kafka
    assert items["lateness_minutes"] == 5
    assert not {"home", "cache"} & items.keys()


def test_sinks_are_named_with_commas() -> None:
    assert Settings(sinks="postgres, postgres").sinks == ("postgres", "postgres")
    assert Settings(sinks="").sinks == ()
    with pytest.raises(ValueError, match="sinks"):
        Settings(sinks="mongo")


def test_every_event_type_has_its_source_and_rules() -> None:
    types = {row["name"]: row for row in event_types(CONTRACTS)}
    assert types.keys() == CONTRACTS.keys()
    sources = {row["name"]: row for row in data_sources(CONTRACTS)}
    assert {row["data_source"] for row in types.values()} == sources.keys()
    assert sorted(name for row in sources.values() for name in row["event_types"]) == sorted(CONTRACTS)


def test_rules_are_those_of_the_gate() -> None:
    found = [row for row in processing_rules(CONTRACTS, 1) if row["event_type"] == "transactions"]
    assert [row["position"] for row in found] == list(range(1, len(found) + 1))
    told = {(row["name"], row["field"], row["sentence"]) for row in found}
    assert ("json", None, "The value is not one well-formed JSON object whose keys differ.") in told
    assert ("required:amount", "amount", "amount is required and is missing or null.") in told
    assert ("outlier:amount", "amount", "amount is more than is plausible.") in told
