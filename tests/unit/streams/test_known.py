"""Which entities are known, when raw is asked, and what an event names in vain."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from headrace.contracts.model import ContractError, load_contracts
from headrace.settings import REPO
from headrace.streams.refining.known import Known, unresolved


class Raw:
    """What raw holds, and each time that it is asked."""

    def __init__(self, **keys: list[str]) -> None:
        self.keys, self.asked = keys, list[tuple[str, datetime]]()

    def __call__(self, entity: str, since: datetime) -> list[str]:
        self.asked.append((entity, since))
        return self.keys.get(entity, [])


def test_keys_come_by_topic_and_from_raw_which_is_asked_once_a_minute(tmp_path: Path) -> None:
    raw = Raw(merchants=["m1"])
    known = Known(tmp_path / "known.sqlite", raw)
    known.note([("merchants", "m2"), ("merchants", "m2"), ("customers", "m9")])
    asked = [("merchants", key) for key in ("m1", "m2", "m9")]
    assert known.missing(asked) == {("merchants", "m9")}
    assert known.missing(asked) == {("merchants", "m9")}
    assert raw.asked == [("merchants", datetime(1970, 1, 1, tzinfo=UTC))]
    known.note([("merchants", "m9")])
    assert known.missing(asked) == set()


def test_after_a_restart_only_what_landed_since_is_read(tmp_path: Path) -> None:
    path = tmp_path / "known.sqlite"
    Known(path, Raw(merchants=["m1"])).missing([("merchants", "m0")])
    raw = Raw(merchants=["m3"])
    assert Known(path, raw).missing([("merchants", key) for key in ("m1", "m3", "m4")]) == {("merchants", "m4")}
    assert raw.asked[0][1] > datetime(2020, 1, 1, tzinfo=UTC)


def test_a_field_that_is_left_out_names_nothing() -> None:
    references = {"user_id": "customers", "merchant_id": "merchants", "product_id": "products"}
    missing = {("merchants", "a"), ("customers", "b"), ("products", "c")}
    assert unresolved(references, ["a", "a", None], missing) == ["merchant_id"]


def test_a_reference_must_name_the_key_of_an_entity(tmp_path: Path) -> None:
    folder = REPO / "include" / "contracts"
    assert load_contracts(folder)["transactions"].references == {
        "user_id": "customers",
        "merchant_id": "merchants",
        "product_id": "products",
    }
    for path in folder.glob("*.yaml"):
        text = path.read_text()
        (tmp_path / path.name).write_text(text.replace("merchants.merchant_id", "merchants.name"))
    with pytest.raises(ContractError, match=r"refers to 'merchants.name'; there are: accounts.account_id, "):
        load_contracts(tmp_path)
