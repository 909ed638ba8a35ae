"""A mistake in a contract is shown at its line and column, in a sentence, with the way to mend it; all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from headrace.contracts import template
from headrace.contracts.examine import examine
from headrace.contracts.model import load_contract
from headrace.contracts.template import Beginning, CannotBegin
from headrace.settings import REPO

FOLDER = REPO / "include" / "contracts"
LINES = (FOLDER / "orders.yaml").read_text().splitlines()


def told(tmp_path: Path, old: str, new: str) -> list[str]:
    text = "\n".join(LINES) + "\n"
    assert old in text
    path = tmp_path / "orders.yaml"
    path.write_text(text.replace(old, new, 1))
    return [str(mistake) for mistake in examine(path).mistakes]


def at(line_with: str, column: int, after: int = 0) -> str:
    number = next(n for n, line in enumerate(LINES, 1) if n > after and line_with in line)
    return f"orders.yaml:{number}:{column}:"


QUANTITY = next(n for n, line in enumerate(LINES, 1) if "name: quantity" in line)


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        ("team:\n", "team: [\n", "orders.yaml:1", "not valid YAML"),
        ("    description: One row", "\tdescription: One row", at("description: One row", 1), "Indent with spaces"),
        ("logicalType: integer", "logicalType: intger", at("logicalType: integer", 22), "Did you mean integer"),
        ("version: 1.0.0\n", "", "orders.yaml:1:1:", "version is missing"),
        ("version: 1.0.0", "version: one", at("version: 1.0.0", 10), "such as 1.0.0"),
        ("name: orders\nversion", "name: order\nversion", at("name: orders", 7), "file called orders.yaml"),
        ("value: user_id", "value: usr_id", at("value: user_id", 16), "Did you mean user_id"),
        ("value: [event_id]", "value: [event_idd]", at("value: [event_id]", 16), "identity names 'event_idd'"),
        ("value: event_time", "value: order_id", at("value: event_time", 16), "which is no timestamp"),
        ("value: user_id", "value: region2", at("value: user_id", 16), "not among the properties"),
        ("value: events", "value: event", at("value: events", 16), "Write events or entity"),
        ("minimum: 1, maximum: 1000}", "minimum: 9, maximum: 3}", at("minimum: 1,", 39), "no event could pass"),
        ("name: quantity", "name: amount", at("name: amount", 15), "is there twice"),
        ("name: quantity", "name: offset", at("name: quantity", 15), "a name of the record itself"),
        ("name: quantity", "name: order", at("name: quantity", 15), "a word of SQL"),
        ("name: quantity", "name: Quantity", at("name: quantity", 15), "such as quantity"),
        ("name: quantity", "name: is_late", at("name: quantity", 15), "a column that the platform makes"),
        ("classification: internal", "classification: secret", at("classification: internal", 25), "There are public"),
        ("required: true", "requird: true", at("required: true", 18), "Did you mean required"),
        ("decimal(18,2)", "decimal(40,2)", at("decimal(18,2)", 23), "38 digits"),
        ("decimal(18,2)", "float", at("decimal(18,2)", 23), "does not fit a number"),
        ("{minimum: 1, maximum: 1000}", "{minLength: 1}", at("minimum: 1,", 41), "option of an integer"),
        ("description: One row per event", "description: Events", at("description: One row", 18), "One row per"),
        ("      - property: source\n        value: rest\n", "", "orders.yaml:21:7:", "lack source"),
        ("  name: fulfilment", "  name: '{fulfilment'", at("  name: fulfilment", 9), "Use letters, digits, spaces"),
        ("value: rest", "value: Rest Api", at("value: rest", 16), "cannot be part of a topic"),
        ("[placed, shipped", "[1, shipped", at("- property: values", 11, QUANTITY - 10), "list of texts"),
        ("minimum: 1, maximum: 1000}", "minimum: 1.5}", at("minimum: 1,", 39), "Write a whole number, of 64"),
        ("minimum: 1, maximum: 1000}", "maximum: 1.0e+30}", at("minimum: 1,", 39), "Write a whole number, of 64"),
        ("maximum: 1000000}", "maximum: .inf}", at("maximum: 1000000}", 51), "Write a finite number"),
        ("minLength: 8, maxLength", "minLength: -1, maxLength", at("minLength: 8,", 41), "not below zero"),
        ("description: The customer.", "description: [who]", at("The customer.", 22), "description is no text"),
        ("status: active", "status: active\nstatus: draft", "orders.yaml:7:1:", "written twice"),
    ],
)
def test_a_mistake_has_its_place_and_its_way_out(tmp_path: Path, old: str, new: str, place: str, words: str) -> None:
    mistakes = told(tmp_path, old, new)
    assert any(mistake.startswith(place) and words in mistake for mistake in mistakes), mistakes


def test_a_listed_value_that_is_too_long_is_told_of_where_it_is_listed(tmp_path: Path) -> None:
    mistakes = told(
        tmp_path, "name: order_status\n", "name: order_status\n        logicalTypeOptions: {maxLength: 6}\n"
    )
    assert [
        mistake for mistake in mistakes if "'delivered' has 9 characters, so no event with it could pass" in mistake
    ]
    assert not [mistake for mistake in mistakes if "'placed'" in mistake]


def test_an_outlier_that_cannot_be_meant_is_told_of_at_its_property(tmp_path: Path) -> None:
    added = "name: amount\n        customProperties:\n          - property: outlier\n            value: {max: 5}\n"
    (mistake,) = told(tmp_path, "name: amount\n", added)
    assert "outlier knows by, maximum, minimum" in mistake and "Write such as {maximum: 500}" in mistake


def test_several_mistakes_are_told_at_once_in_the_order_of_lines(tmp_path: Path) -> None:
    text = (
        "\n".join(LINES)
        .replace("classification: public", "classification: open")
        .replace("value: user_id", "value: me")
    )
    path = tmp_path / "orders.yaml"
    path.write_text(text)
    mistakes = examine(path).mistakes
    assert len(mistakes) == 4
    assert mistakes == sorted(mistakes)


@pytest.mark.parametrize(
    "text", ["", "just words\n", "- a\n- b\n", "schema: 3\n", "schema:\n  - name: orders\n    properties: 3\n"]
)
def test_what_is_no_contract_is_explained_and_not_crashed_upon(tmp_path: Path, text: str) -> None:
    path = tmp_path / "orders.yaml"
    path.write_text(text)
    assert examine(path).mistakes


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_contracts_of_the_platform_have_no_mistake(path: Path) -> None:
    assert examine(path).mistakes == []


@pytest.mark.parametrize(
    "asked",
    [
        Beginning("clicks"),
        Beginning("stock_levels", "entity", owner="warehouse", database="shop"),
        Beginning("pings", key="event_id", source="cdc"),
        Beginning("batteries", "entity", key="battery_id"),
        Beginning("visits", description='Who came: "walk-ins" & others, # counted'),
    ],
    ids=lambda asked: asked.name,
)
def test_a_first_contract_works_as_it_is_written(tmp_path: Path, asked: Beginning) -> None:
    contract = load_contract(template.write(tmp_path, asked))
    assert (contract.name, contract.kind, contract.source) == (asked.name, asked.kind, asked.source)
    assert contract.history is (asked.kind == "entity"), "or a deletion would be refused"
    with pytest.raises(CannotBegin, match="Edit that file"):
        template.write(tmp_path, asked)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (Beginning("Click Events"), "such as click_events"),
        (Beginning("select"), "a word of SQL"),
        (Beginning("processed_x"), "the platform uses itself"),
        (Beginning("clicks", key="offset"), "a name of the record itself"),
        (Beginning("clicks", source="My Source"), "such as my_source"),
        (Beginning("clicks", owner="web: shop"), "as a team's name"),
        (Beginning("clicks", "facts"), "it is events or entity"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_become_a_stream_is_refused_with_a_way_out(tmp_path: Path, asked: Beginning, words: str) -> None:
    with pytest.raises(CannotBegin, match=words):
        template.write(tmp_path, asked)
    assert not list(tmp_path.iterdir())
