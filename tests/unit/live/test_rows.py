"""Only the newest version of a window's row travels to the store."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from headrace.live.layout import SEPARATOR
from headrace.live.rows import newest, row_of


def _message(n: int, generation: int = 1, late: bool = False, **keys: Any) -> bytes:
    keys = keys or {"merchant_id": "m1", "currency": None}
    body = {
        "spec": "s",
        "window_start": 60,
        "window_seconds": 60,
        "late": late,
        "keys": keys,
        "generation": generation,
        "n": n,
        "values": {},
    }
    return json.dumps(body).encode()


def test_a_field_tells_late_rows_and_keys_apart() -> None:
    assert row_of(_message(1)).field == SEPARATOR.join(["0", "m1", ""])
    assert row_of(_message(1, late=True, a="x", b=3)).field == SEPARATOR.join(["1", "x", "3"])


def test_the_largest_version_wins_whatever_the_order() -> None:
    rows = [row_of(_message(n, generation)) for n, generation in ((3, 1), (9, 1), (2, 2), (1, 2), (7, 1))]
    assert [row.version for row in newest(rows)] == [(2, 2)]
    assert len(newest([row_of(_message(1)), row_of(_message(1, late=True))])) == 2


@pytest.mark.parametrize("value", [b"", b"{}", b"[]", b'{"spec": 1}'])
def test_anything_else_is_refused(value: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        row_of(value)
