"""Sessions come out the same in every order of the same events, and are final exactly when nothing in time can come."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from headrace.sessions.book import Book, Session, session_id

START = datetime(2027, 1, 15, 8, tzinfo=UTC)
GAP, LATENESS = timedelta(seconds=30), timedelta(minutes=5)
KINDS = ("page_view", "purchase")
Event = tuple[str, int, str]
events = st.lists(
    st.tuples(st.sampled_from(["ann", "bob"]), st.integers(0, 400), st.sampled_from(KINDS)), min_size=1, max_size=40
)


def _at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def _book(of: list[Event]) -> Book:
    book = Book("clicks", GAP, LATENESS)
    for number, (user, second, kind) in enumerate(of):
        book.add(user, _at(second), f"e{number:02d}", kind)
    return book


def _figures(sessions: list[Session]) -> list[tuple[object, ...]]:
    return sorted((s.user_id, s.started_at, s.ended_at, s.events, sorted(s.by_type.items())) for s in sessions)


def _by_hand(of: list[Event]) -> list[tuple[object, ...]]:
    """Sorted by time; a pause of 30 seconds or more begins anew."""
    found: list[tuple[object, ...]] = []
    for user in {event[0] for event in of}:
        island: list[Event] = []
        for event in [*sorted((e for e in of if e[0] == user), key=lambda e: e[1]), None]:
            if island and (event is None or event[1] - island[-1][1] >= 30):
                kinds = sorted(Counter(e[2] for e in island).items())
                found.append((user, _at(island[0][1]), _at(island[-1][1]), len(island), kinds))
                island = []
            island += [event] if event else []
    return sorted(found)


@given(events, st.randoms(use_true_random=False))
def test_any_order_gives_the_sessions_that_sorting_gives(of: list[Event], random: object) -> None:
    shuffled = list(of)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert _figures(list(_book(shuffled))) == _by_hand(of)


@given(events)
def test_what_is_gone_is_no_session_and_all_others_were_touched(of: list[Event]) -> None:
    book = _book(of)
    alive = {session.id for session in book}
    assert not alive & {gone for _, gone in book.gone}
    assert book.touched == {event[0] for event in of}


@given(events, st.integers(300, 800))
def test_a_closed_session_is_out_of_reach_of_every_event_in_time(of: list[Event], second: int) -> None:
    book, clock = _book(of), _at(second)
    closed = book.close(clock)
    earliest_in_time = clock - LATENESS
    assert all(earliest_in_time - session.ended_at >= GAP for session in closed)
    assert all(earliest_in_time - session.ended_at < GAP for session in book)
    assert _figures([*closed, *book]) == _by_hand(of)


def test_a_pause_of_exactly_the_gap_ends_a_session_and_one_event_joins_two() -> None:
    book = _book([("ann", 0, "page_view"), ("ann", 30, "page_view")])
    assert len(list(book)) == 2
    book.add("ann", _at(29.9), "e02", "purchase")
    (session,) = book
    assert (session.started_at, session.ended_at, session.events) == (_at(0), _at(30), 3)
    assert session.by_type == {"page_view": 2, "purchase": 1}
    assert book.gone == [("ann", session_id("clicks", "e01"))]


def test_the_id_is_that_of_the_first_event_in_any_order() -> None:
    of = [("ann", 10, "purchase"), ("ann", 5, "page_view"), ("ann", 5, "page_view")]
    book, turned = _book(of), Book("clicks", GAP, LATENESS)
    for number in (2, 1, 0):
        turned.add("ann", _at(of[number][1]), f"e{number:02d}", None)
    expected = hashlib.md5(b"clicks\x1fe01", usedforsecurity=False).hexdigest()
    assert [session.id for session in book] == [session.id for session in turned] == [expected]
