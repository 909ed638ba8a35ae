"""Only the newest version of a window goes to a sink, and nothing that is not a window stops it."""

from __future__ import annotations

import json
from typing import Any

from headrace.sinks.windows import newest_windows


class _Message:
    def __init__(self, value: Any) -> None:
        self._value = value if isinstance(value, bytes | None) else json.dumps(value).encode()

    def value(self) -> bytes | None:
        return self._value

    def topic(self) -> str:
        return "metrics_realtime"

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return 7


def _row(n: int, generation: int = 1, *, late: bool = False) -> dict[str, Any]:
    return {
        "spec": "s", "window_start": 60, "late": late, "keys": {"merchant_id": "m"}, "generation": generation, "n": n,
        "values": {"count": n, "sum_amount": f"{n}.00"},
    }  # fmt: skip


def test_the_newest_of_each_window() -> None:
    rows = [_row(2), _row(3), _row(1), _row(9, late=True), _row(1, generation=2)]
    found = newest_windows(_Message(row) for row in rows)
    assert sorted((w.late, w.generation, w.n) for w in found) == [(False, 2, 1), (True, 1, 9)]


def test_what_is_no_window_is_left_out() -> None:
    found = newest_windows([_Message(None), _Message(b"nonsense"), _Message({"spec": "s"}), _Message(_row(1))])
    assert [w.n for w in found] == [1]
