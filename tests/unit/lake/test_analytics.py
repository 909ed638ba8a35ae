"""Which build and which days Spark's figures are compared over, and how a difference is said."""

from __future__ import annotations

import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from headrace.lake import access
from headrace.lake.analytics.outcome import Compared, Differs, Scope, document, said, whole_from
from headrace.policy import Identity, load_policy
from headrace.runtime import analytics, tools
from headrace.runtime.job_keeper import Job
from headrace.settings import Settings

BUILT = datetime(2026, 3, 2, 10, 7, 30, tzinfo=UTC)


def scope(through: datetime, days: int, since: datetime | None = None) -> Scope:
    return Scope.of(through, BUILT, days, since)


def test_days_end_with_the_last_whole_minute() -> None:
    found = scope(datetime(2026, 3, 2, 9, 55, 30, tzinfo=UTC), 3)
    assert found.through == datetime(2026, 3, 2, 9, 55, tzinfo=UTC)
    assert found.first_day == date(2026, 2, 28)
    assert (found.start, found.end_of_days) == (datetime(2026, 2, 28, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC))


def test_a_claim_up_to_midnight_has_nothing_of_the_new_day() -> None:
    found = scope(datetime(2026, 3, 2, tzinfo=UTC), 1)
    assert found.first_day == date(2026, 3, 1)
    assert found.end_of_days == found.through


def test_days_begin_where_events_are_still_kept() -> None:
    since = datetime(2026, 2, 20, tzinfo=UTC)
    assert scope(BUILT, 90, since).first_day == since.date()
    assert scope(BUILT, 7, since).first_day == date(2026, 2, 24)


def test_events_are_whole_from_the_first_or_from_what_is_kept() -> None:
    first = date(2026, 1, 5)
    assert whole_from(first, None) == first
    assert whole_from(first, datetime(2026, 2, 1, tzinfo=UTC)) == date(2026, 2, 1)
    assert whole_from(first, datetime(2025, 2, 1, tzinfo=UTC)) == first


def test_one_row_that_differs_is_said_with_its_place() -> None:
    found = [Compared("retention_cohorts", 1234, 0), Compared("user_activity_by_minute", 9, 1, "2026-03-01 10:00:00")]
    outcome = document(scope(BUILT, 1), found)
    assert not outcome["agrees"]
    assert said(outcome) == (
        "retention_cohorts: all 1,234 rows are equal. user_activity_by_minute: 1 rows differ and 9 are equal; the first is "
        "of 2026-03-01 10:00:00. Compare lake.analytics.user_activity_by_minute with lake.curated.user_activity_by_minute "
        "there."
    )
    assert document(scope(BUILT, 1), found[:1])["agrees"]


def test_nobody_but_administrators_reads_these_tables() -> None:
    people = [Identity("anna", ("analyst",)), Identity("vic", ("viewer",))]
    rules = access.rules(load_policy(), people, {}, "key")["tables"]
    assert not [rule for rule in rules if "group" in rule and rule["schema"] == "analytics"]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def ending(monkeypatch: pytest.MonkeyPatch, settings: Settings, code: str) -> None:
    script = settings.home / "job.py"
    script.write_text(code)
    monkeypatch.setattr(tools, "python_of", lambda _: Path(sys.executable))
    monkeypatch.setattr(analytics, "_job", lambda _: Job("analytics", script))


def outcome_of(differing: int) -> dict[str, Any]:
    return document(scope(BUILT, 1), [Compared("retention_cohorts", 5, differing, "2026-03-01")])


def test_what_the_job_printed_is_the_result(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    ending(monkeypatch, settings, f"import sys; print({json.dumps(outcome_of(0))!r}); print('noise', file=sys.stderr)")
    assert analytics.run(settings, 1) == outcome_of(0)


def test_a_difference_fails_and_says_where(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    ending(monkeypatch, settings, f"import sys; print({json.dumps(outcome_of(2))!r}); sys.exit(1)")
    with pytest.raises(Differs, match="2 rows differ and 5 are equal; the first is of 2026-03-01"):
        analytics.run(settings, 1)


def test_a_job_that_breaks_is_no_difference(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    ending(monkeypatch, settings, "raise SystemExit('no such catalogue')")
    with pytest.raises(analytics.AnalyticsFailed, match=r"status 1.*\n.*no such catalogue"):
        analytics.run(settings, 1)


def test_a_job_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    ending(monkeypatch, settings, "import time; time.sleep(600)")
    with pytest.raises(analytics.AnalyticsFailed, match="was ended"):
        analytics.run(settings, 1, seconds=1)
