"""Figures that are kept by day, or compared with a period before: whole days, and a grain where nobody named one."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from headrace.assistant.catalogue import vocabulary
from headrace.assistant.evidence import HistoryRequest
from headrace.assistant.history import compiled
from headrace.assistant.lookups import Lookups
from headrace.assistant.outcome import Understood
from headrace.assistant.periods import Grain
from headrace.assistant.route import NotKnown, Stretch
from headrace.assistant.understand import Understanding
from headrace.assistant.vocabulary import Metric
from headrace.contracts.model import load_contracts
from headrace.semantics import manifest as manifests
from headrace.semantics.catalogue import build
from headrace.semantics.manifest import as_written
from headrace.settings import REPO, Settings
from tests.unit.assistant.world import NOW, VOCABULARY
from tests.unit.semantics.declared import raw_manifest

GROWTH = Metric(
    "sales_growth_from_week_before",
    "Growth of sales",
    synonyms=("week over week sales",),
    unit="share",
    finest="day",
    by="week",
)
TOTAL = Metric("cumulative_sales", "Cumulative sales", unit="USD", money=True, finest="day")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    made = Settings(home=tmp_path_factory.mktemp("home"))
    made.etc.mkdir()
    manifests.path(made).write_text(json.dumps(raw_manifest()))
    return made


def sql(settings: Settings, metric: Metric, start: str, end: str, grain: Grain | None = None) -> str:
    stretch = Stretch(*(datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (start, end)))
    return compiled(settings, HistoryRequest((metric,), (), (), stretch, grain))


def test_a_day_that_is_not_over_counts_as_far_as_it_is_known(settings: Settings) -> None:
    made = sql(settings, TOTAL, "2026-11-02T00:00", "2026-11-21T10:00")
    assert "< timestamp '2026-11-22 00:00:00 UTC'" in made and "minute" not in made


@pytest.mark.parametrize(("start", "grain"), [("2026-11-02T07:00", None), ("2026-11-02T00:00", "hour")])
def test_parts_of_days_are_not_made_up(settings: Settings, start: str, grain: Grain | None) -> None:
    with pytest.raises(NotKnown, match="Cumulative sales: known for whole days only"):
        sql(settings, TOTAL, start, "2026-11-03T00:00", grain)


def test_a_change_from_the_week_before_goes_by_week() -> None:
    known = replace(VOCABULARY, metrics={**VOCABULARY.metrics, GROWTH.name: GROWTH})
    for question, grain in [
        ("week over week sales last month", "week"),
        ("week over week sales by day last month", "day"),
    ]:
        outcome = Understanding(known).understand(question, NOW)
        assert isinstance(outcome, Understood), outcome
        assert (outcome.plan.metrics, outcome.plan.grain) == ((GROWTH.name,), grain)


def test_every_metric_is_found_by_its_own_words() -> None:
    """By rules alone, from the definitions as they are: nobody has to teach the assistant a new metric."""
    known = vocabulary(build(as_written(raw_manifest()), load_contracts(REPO / "include" / "contracts")), Lookups(), ())
    rules = Understanding(known)
    for metric in known.metrics.values():
        asked = [rules.understand(f"{phrase} last week", NOW) for phrase in metric.phrases]
        found = [one.plan.metrics for one in asked if isinstance(one, Understood)]
        assert (metric.name,) in found, metric.name
