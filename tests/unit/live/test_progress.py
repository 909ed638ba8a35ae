"""What is told of a live query's progress."""

from __future__ import annotations

from headrace.live.progress import boundary, watermark


def test_the_watermark_is_that_of_the_stream_that_is_furthest_behind() -> None:
    ahead, behind = "2026-01-30T12:00:05.000Z", "2026-01-30T11:59:00.000Z"
    done = [{"eventTime": {"watermark": ahead}}, {"eventTime": {"watermark": behind}}, {"eventTime": {}}, {}]
    assert watermark(done) == behind


def test_a_stream_without_events_has_none() -> None:
    assert watermark([{"eventTime": {"watermark": "1970-01-01T00:00:00.000Z"}}]) is None


def test_a_boundary_says_what_rows_waited_for() -> None:
    state = [
        {"allRemovalsTimeMs": 40, "commitTimeMs": 5, "allUpdatesTimeMs": 900},
        {"allRemovalsTimeMs": 2, "commitTimeMs": 6},
    ]
    progress = {
        "durationMs": {"queryPlanning": 210, "walCommit": 12, "commitOffsets": 9},
        "stateOperators": state,
    }
    assert boundary(progress) == {"planned_ms": 210, "forgot_ms": 42, "saved_ms": 11, "written_ms": 21}
    assert set(boundary({}).values()) == {0}
