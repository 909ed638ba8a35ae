"""How a contract states what is plausible, and what it may not say."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from headrace.contracts.model import ContractError, load_contract
from headrace.contracts.outliers import outlier_of
from headrace.settings import REPO


def fault(raw: dict[str, Any], value: str, kind: str | None = None) -> str | None:
    outlier = outlier_of(raw)
    assert outlier
    return outlier.fault(Decimal(value), kind)


def test_a_bound_for_all_for_each_value_or_as_a_multiple() -> None:
    assert fault({"maximum": 5}, "5.00") is None
    assert fault({"maximum": 5, "minimum": 1}, "5.01") == "is 5.01; more than 5 is not plausible"
    assert fault({"maximum": 5, "minimum": 1}, "0.99") == "is 0.99; less than 1 is not plausible"
    by_currency = {"by": "currency", "typical": {"USD": 20.5}, "times": 100}
    assert fault(by_currency, "2050.01", "USD") == "is 2050.01 with currency USD; more than 2050.0 is not plausible"
    assert fault(by_currency, "9999999", "JPY") is None
    assert fault(by_currency, "9999999", None) is None


@pytest.mark.parametrize(
    "raw",
    [
        {"max": 5},
        {"typical": 5},
        {"typical": 5, "times": 2, "maximum": 9},
        {"by": "currency", "maximum": 5},
        {"maximum": {"USD": 5}},
        {"maximum": "much"},
        {"typical": 5, "times": float("inf")},
        {"by": "currency", "maximum": {"USD": None}},
    ],
)
def test_what_cannot_be_meant_is_refused(raw: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="outlier"):
        outlier_of(raw)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("by: currency", "by: country", "amount: outlier goes by 'country', which is no property"),
        ("by: currency", "by: event_time", "amount: outlier goes by 'event_time', which is no property with texts"),
        ("maximum: {USD", "most: {USD", "outlier knows by, maximum"),
        ("physicalType: decimal(18,2)", "physicalType: double", "only a whole number or a decimal"),
    ],
)
def test_a_contract_with_an_odd_bound_is_refused_by_name(tmp_path: Any, old: str, new: str, words: str) -> None:
    text = (REPO / "include" / "contracts" / "transactions.yaml").read_text()
    path = tmp_path / "transactions.yaml"
    path.write_text(text.replace(old, new))
    with pytest.raises(ContractError, match=rf"transactions\.yaml:.*{words}"):
        load_contract(path)
