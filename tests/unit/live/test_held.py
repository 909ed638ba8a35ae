"""From when on windows are whole: nothing young was ever freed, and from the oldest one that is there nothing was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from headrace.live.held import whole_from
from headrace.settings import get_settings
from headrace.streams.spec import LiveSpec

NOW = datetime(2026, 11, 21, 12, 0, 30, tzinfo=UTC)
BY_MERCHANT = LiveSpec("transactions_1m", "transactions", 60, ("merchant_id",), ())
BY_USER = LiveSpec("transactions_by_user", "transactions", 60, ("user_id",), (), person=True)


@pytest.mark.parametrize(
    ("spec", "oldest", "whole"),
    [
        pytest.param(BY_MERCHANT, 150, timedelta(minutes=150), id="what is there is whole"),
        pytest.param(BY_MERCHANT, 5, timedelta(minutes=119, seconds=30), id="young windows that are not there are empty"),
        pytest.param(BY_MERCHANT, None, timedelta(minutes=119, seconds=30), id="so are all of a store without any"),
        pytest.param(BY_USER, None, timedelta(minutes=69, seconds=30), id="those by person go sooner"),
    ],
)  # fmt: skip
def test_windows_are_whole_from(spec: LiveSpec, oldest: int | None, whole: timedelta) -> None:
    since = None if oldest is None else NOW - timedelta(minutes=oldest)
    assert whole_from(get_settings(), spec, since, NOW) == NOW - whole
