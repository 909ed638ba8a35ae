"""How a contract asks for sessions, and what it may not ask."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from headrace.contracts.model import ContractError, load_contract
from headrace.contracts.sessions import Sessions, sessions_of
from headrace.settings import REPO

FILE = REPO / "include" / "contracts" / "app_events.yaml"


def _with(tmp_path: Path, value: Any) -> Path:
    raw = yaml.safe_load(FILE.read_text())
    custom = raw["schema"][0]["customProperties"]
    next(item for item in custom if item["property"] == "sessions")["value"] = value
    path = tmp_path / "app_events.yaml"
    path.write_text(yaml.safe_dump(raw))
    return path


def test_what_is_asked_is_read(tmp_path: Path) -> None:
    assert load_contract(FILE).sessions == Sessions("user_id", 30, "event_type")
    assert load_contract(_with(tmp_path, {"by": "user_id", "gap_seconds": 5})).sessions == Sessions("user_id", 5)
    assert sessions_of(None) is None


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"by": "user_id"}, "sessions is such as"),
        ({"by": "user_id", "gap_seconds": 30, "gap": 1}, "sessions is such as"),
        ("user_id", "sessions is such as"),
        ({"by": "user_id", "gap_seconds": 0}, "gap_seconds is 0"),
        ({"by": "user_id", "gap_seconds": "30 s"}, "gap_seconds is '30 s'"),
        ({"by": "session_id", "gap_seconds": 30}, "they go by the key"),
        ({"by": "user_id", "gap_seconds": 30, "count": "page"}, "no property with listed values"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path: Path, value: Any, told: str) -> None:
    with pytest.raises(ContractError, match=told):
        load_contract(_with(tmp_path, value))
