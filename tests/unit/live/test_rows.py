"""Only the newest version of a window's row travels to the store."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from headrace.contracts.correct import UNREADABLE
from headrace.live.layout import SEPARATOR
from headrace.live.rows import metric_of, newest, row_of


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


def test_the_largest_version_of_each_counting_wins_whatever_the_order() -> None:
    rows = [row_of(_message(n, generation)) for n, generation in ((3, 1), (9, 1), (2, 2), (1, 2), (7, 1))]
    assert [row.version for row in newest(rows)] == [(1, 9), (2, 2)], "one must not hide the other from the store"
    assert [one.version for one in newest(metric_of(_message(n, g)) for n, g in ((9, 1), (2, 2)))] == [(2, 2)]
    assert len(newest([row_of(_message(1)), row_of(_message(1, late=True))])) == 2


def test_what_is_stored_holds_nothing_that_was_not_examined() -> None:
    odd = _message(1)[:-1] + b', "more": ' + b"[" * 900 + b"]" * 900 + b', "odd": "\xff"}'
    stored = row_of(odd).text
    assert stored == row_of(_message(1)).text
    assert metric_of(stored) == metric_of(odd)


@pytest.mark.parametrize(
    ("arrived", "present"), [({}, False), ({"last_arrived_ms": 999}, False), ({"last_arrived_ms": 1000}, True)]
)
def test_a_counting_is_present_from_an_event_after_its_beginning_on(arrived: dict[str, int], present: bool) -> None:
    body = json.loads(_message(1, generation=1)) | arrived
    assert row_of(json.dumps(body).encode()).present is present


@pytest.mark.parametrize("value", [b"", b"{}", b"[]", b'{"spec": 1}'])
def test_anything_else_is_refused(value: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        row_of(value)


@pytest.mark.parametrize(
    "odd",
    [
        {"last_arrived_ms": None}, {"last_arrived_ms": 10**30}, {"window_start": 10**14}, {"window_start": -(10**14)},
        {"n": 3 * 10**9}, {"n": -1}, {"generation": 10**14}, {"generation": -1}, {"last_event_ms": 10**18}, {"spec": "a\0"},
        {"keys": {"a\0": "b"}}, {"keys": {"a": 10**400}}, {"values": {"a\0": 1}}, {"values": {"a": "twelve"}},
        {"values": {"a": "NaN"}}, {"values": {"a": "1e400"}}, {"values": {"a": 10**400}}, {"values": {"a": None}},
    ],
    ids=str,
)  # fmt: skip
def test_what_a_reader_would_stumble_over_is_refused(odd: dict[str, Any]) -> None:
    with pytest.raises(UNREADABLE):
        row_of(json.dumps(json.loads(_message(1)) | odd).encode())
