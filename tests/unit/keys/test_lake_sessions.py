"""A session out of the lake looks as one of the live store: from curated, or as it was told until that is built."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from headrace.contracts.model import Contract, load_contracts
from headrace.keys.lake import NotBuilt
from headrace.keys.lake_sessions import LakeSessions
from headrace.live.records import Record
from headrace.settings import get_settings

CONTRACTS = load_contracts(get_settings().contracts)
ID, BEGAN = "a" * 32, datetime(2026, 11, 20, 8, tzinfo=UTC)
ENDED = BEGAN + timedelta(seconds=40)
TOLD = {
    "stream": "app_events", "user_id": "ann", "started_at": BEGAN.isoformat(), "ended_at": ENDED.isoformat(),
    "events": 2, "by_type": '{"page_view":2}',
}  # fmt: skip


class Lake:
    def __init__(self, curated: list[Any] | None, told: bool) -> None:
        self._curated, self._told = curated, told

    def rows(self, sql: str) -> list[Any]:
        assert f"where session_id = '{ID}'" in sql
        if self._curated is None:
            raise NotBuilt
        return self._curated

    def find(self, contract: Contract, key: str) -> Record | None:
        assert contract.name == "sessions"
        return Record("sessions", key, 0, ENDED, ENDED, TOLD, "raw") if self._told else None


def _find(lake: Lake) -> dict[str, Any] | None:
    return LakeSessions(lake, lambda: CONTRACTS, 5).find(ID)  # type: ignore[arg-type]


def test_curated_answers_first() -> None:
    row = ["app_events", "ann", BEGAN, ENDED, 3, {"page_view": 2, "purchase": 1}]
    found = _find(Lake([row], told=True))
    assert found is not None
    assert (found["session_id"], found["user_id"], found["events"], found["source"]) == (ID, "ann", 3, "curated")
    assert (found["state"], found["by_type"]) == ("closed", {"page_view": 2, "purchase": 1})
    assert datetime.fromisoformat(found["quiet_at"]) == ENDED + timedelta(seconds=30)
    assert datetime.fromisoformat(found["closed_at"]) == ENDED + timedelta(minutes=5, seconds=30)


@pytest.mark.parametrize("curated", [[], None], ids=["not in it yet", "not built yet"])
def test_until_curated_has_it_it_is_as_it_was_told(curated: list[Any] | None) -> None:
    found = _find(Lake(curated, told=True))
    assert found is not None
    assert (found["session_id"], found["events"], found["by_type"]) == (ID, 2, {"page_view": 2})
    assert (found["state"], found["source"]) == ("closed", "raw")


def test_what_neither_has_is_none() -> None:
    assert _find(Lake([], told=False)) is None


def test_one_that_may_still_grow_is_not_called_closed() -> None:
    now = datetime.now(UTC)
    states = []
    for ago in (5, 60, 400):
        found = _find(
            Lake([["app_events", "ann", now - timedelta(seconds=500), now - timedelta(seconds=ago), 3, {}]], True)
        )
        assert found is not None
        states.append((found["state"], found["closed_at"] is None))
    assert states == [("open", True), ("ended", True), ("closed", False)]
