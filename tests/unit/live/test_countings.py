"""A counting that began anew is shown when it has reached the present, and not while rows from before it still come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headrace.live.countings import Countings
from headrace.live.rows import Row


class Store:
    """What is asked of Valkey."""

    def __init__(self, *present: str) -> None:
        self.present = set(present)
        self.shown: list[tuple[str, int]] = []

    def register_script(self, _: str) -> Callable[..., None]:
        def show(args: list[Any]) -> None:
            self.shown.append((args[0], args[1]))
            self.present.discard(f"{args[0]}@{args[1]}")

        return show

    def smembers(self, _: str) -> set[str]:
        return set(self.present)

    def srem(self, _: str, *names: str) -> None:
        self.present -= set(names)


def _row(generation: int, *, present: bool) -> Row:
    return Row("s", 60, "0", (generation, 1), present, b"")


def test_it_waits_for_a_look_at_what_comes() -> None:
    store = Store("s@2")
    countings = Countings(store)
    countings.settle()
    assert store.shown == [], "a projector that has just started does not know what is on its way"
    countings.saw([_row(2, present=True), _row(2, present=False)])
    countings.settle()
    assert store.shown == [], "another partition is still behind"
    countings.saw([_row(2, present=True), _row(1, present=False)])
    countings.settle()
    assert store.shown == [("s", 2)]
    countings.settle()
    assert store.shown == [("s", 2)]


def test_a_store_that_is_whole_needs_no_look() -> None:
    store = Store("s@2", "s@3", "other@5")
    countings = Countings(store)
    countings.saw([_row(3, present=False)])
    countings.settle(whole=True)
    assert sorted(store.shown) == [("other", 5), ("s", 3)]
    assert store.present == set()
