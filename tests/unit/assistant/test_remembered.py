from __future__ import annotations

from typing import Any

import pytest

from headrace.assistant.remembered import Answer, Remembered
from headrace.lake.states import tables_of
from headrace.policy import Identity

ANN, BOB = Identity("ann", ("analyst",)), Identity("bob", ("analyst",))
SQL = "select sum(x) from lake.curated.a"


class Lake:
    """Counts how often it is asked; its tables change when told."""

    def __init__(self) -> None:
        self.asked, self.state, self.rules = 0, {"curated.a": "1", "curated.b": "1"}, 1
        self.remembered = Remembered(self._states, lambda: self.rules)

    def _states(self, tables: tuple[str, ...]) -> tuple[str, ...] | None:
        return tuple(self.state[t] for t in tables) if all(t in self.state for t in tables) else None

    def ask(self, who: Identity = ANN, sql: str = SQL) -> Any:
        return self.remembered(who, sql, self._run)[0]

    def _run(self) -> Answer:
        self.asked += 1
        return [[self.asked]], ["x"]


def test_the_same_question_is_asked_once_while_the_tables_stay() -> None:
    lake = Lake()
    assert [lake.ask(), lake.ask()] == [[[1]], [[1]]]
    lake.state["curated.b"] = "2"
    assert lake.ask() == [[1]], "another table changed"
    lake.state["curated.a"] = "2"
    assert lake.ask() == [[2]]


def test_nobody_gets_the_answer_of_another_or_of_earlier_rights() -> None:
    lake = Lake()
    assert [lake.ask(ANN), lake.ask(BOB), lake.ask(ANN)] == [[[1]], [[2]], [[1]]]
    assert lake.ask(Identity("ann", ("analyst", "support"))) == [[3]]
    lake.rules = 2
    assert lake.ask(ANN) == [[4]]


@pytest.mark.parametrize(
    "sql",
    [
        "select 1 from lake.processed.a_view",
        "select 1 from lake.curated.a where day < current_date",
        "select now() from lake.curated.a",
        "select x from lake.curated.a where at < localtimestamp",
        "select uuid() from lake.curated.a",
        "select 1 from elsewhere.curated.a",
        "select 1 from a",
        "this is no statement",
    ],
)
def test_what_may_change_by_itself_is_asked_again(sql: str) -> None:
    lake = Lake()
    assert [lake.ask(sql=sql), lake.ask(sql=sql)] == [[[1]], [[2]]]


def test_one_large_answer_does_not_drive_out_all_others() -> None:
    lake = Lake()
    lake.ask()
    many: Answer = [["x"] * 10] * 10_000, ["c"] * 10
    for n in (1, 2):
        assert lake.remembered(ANN, f"{SQL} where x > {n}", lambda: many) == many
    assert lake.remembered(ANN, f"{SQL} where x > 1", lambda: ([], [])) == ([], []), "it was not kept"
    assert lake.ask() == [[1]]


def test_tables_are_found_in_every_part_of_a_statement() -> None:
    sql = """with c as (select * from lake.curated.b) select * from (select * from curated.a) x join c on c.k = x.k
    where x.d in (select d from lake.curated.dim_date)"""
    assert tables_of(sql) == ("curated.a", "curated.b", "curated.dim_date")


def test_what_was_asked_again_is_asked_anew_when_a_build_is_through() -> None:
    lake = Lake()
    lake.ask(ANN)
    lake.ask(ANN)
    lake.ask(BOB)
    lake.remembered.renew()
    lake.state["curated.a"] = "2"
    lake.remembered.renew()
    assert lake.asked == 2, "the build may go on changing it"
    lake.remembered.renew()
    assert lake.asked == 3, "once, and not what Bob asked a single time"
    lake.remembered.renew()
    assert [lake.ask(ANN), lake.ask(ANN)] == [[[3]], [[3]]]
    assert lake.asked == 3


def test_a_question_that_fails_unasked_is_left_to_whoever_asks_it() -> None:
    lake = Lake()
    lake.ask()
    lake.ask()

    def refused() -> Answer:
        lake.asked += 1
        raise PermissionError("You may not see the data behind this figure.")

    lake.remembered(ANN, SQL, refused)
    lake.state["curated.a"] = "2"
    for _ in range(4):
        lake.remembered.renew()
    assert lake.asked == 2, "tried once"
    assert lake.ask() == [[3]]
