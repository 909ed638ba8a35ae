"""Scores have the tails they claim, and chance does not pass the limit."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np
import pytest
import sqlglot

from headrace.anomalies import season
from headrace.anomalies.baseline import recent_counts, robust_rate
from headrace.anomalies.common import common
from headrace.anomalies.measures import MEASURES, Measure
from headrace.anomalies.score import count_score, mean_score, tail, threshold


def _exact_tail(seen: int, mean: float) -> float:
    """Of a Poisson count, on the side of what was seen."""
    chance = [math.exp(-mean + k * math.log(mean) - math.lgamma(k + 1)) for k in range(200)]
    return sum(chance[seen:]) if seen > mean else sum(chance[: seen + 1])


@pytest.mark.parametrize(("seen", "mean"), [(0, 12.5), (2, 15.0), (27, 7.5), (9, 1.0), (60, 30.0), (5, 0.2)])
def test_a_counts_score_has_the_tail_of_the_count(seen: int, mean: float) -> None:
    score = float(count_score(np.array([seen]), np.array([mean]), np.array([0.0]))[0])
    assert math.copysign(1, score) == (1 if seen > mean else -1)
    assert 0.5 < tail(score) / _exact_tail(seen, mean) < 2.6


def test_doubt_about_the_rate_lowers_the_score() -> None:
    scores = [float(count_score(np.array([60.0]), np.array([30.0]), np.array([d]))[0]) for d in (0.0, 0.01, 0.1)]
    assert scores == sorted(scores, reverse=True)


def test_far_out_an_average_scores_less_than_its_distance() -> None:
    assert float(mean_score(np.array(0.5), np.array(1.0))) == pytest.approx(0.5, rel=0.05)
    assert float(mean_score(np.array(20.0), np.array(1.0))) < 10


def test_ten_thousand_ordinary_series_pass_no_limit() -> None:
    rng = np.random.default_rng(1)
    scores = rng.normal(size=10_000)
    assert threshold(scores, 1e-3) == math.inf
    assert threshold(np.append(scores, 7.0), 1e-3) == 7.0


def test_a_rate_is_robust_to_bad_hours_and_exact_for_rare_events() -> None:
    rng = np.random.default_rng(2)
    for mean in (0.3, 2.0, 40.0):
        windows = rng.poisson(mean, 400)
        windows[:20] *= 10
        rate = float(robust_rate(windows.mean(), np.median(windows)))
        assert rate == pytest.approx(mean, abs=0.7)
    quiet = rng.poisson(0.1, 4000)
    assert float(robust_rate(quiet.mean(), np.median(quiet))) == pytest.approx(0.1, rel=0.2)


def test_the_last_hour_stands_in_once_it_holds_half_an_hour() -> None:
    by_minute, on = np.full((1, 60), 3.0), np.zeros(60, bool)
    on[:30] = True
    assert np.isnan(recent_counts(by_minute, on)[0])
    on[:40] = True
    assert float(recent_counts(by_minute, on)[0][0]) == pytest.approx(3)


def test_what_all_do_is_common_and_one_burst_is_not() -> None:
    expected = np.full(41, 10.0)
    expected[0] = 400
    burst = expected.copy()
    burst[7] = 500
    found = common(burst, expected)
    assert found
    assert found.factor == pytest.approx(1)
    doubled = common(expected * 2, expected)
    assert doubled
    assert doubled.factor == pytest.approx(2)
    assert common(burst[:10], expected[:10]) is None


@pytest.mark.parametrize("measure", MEASURES)
def test_what_trino_is_asked_is_one_statement(measure: Measure) -> None:
    (statement,) = sqlglot.parse(season.query(measure, datetime(2026, 5, 3, 17, 20, tzinfo=UTC)), dialect="trino")
    assert isinstance(statement, sqlglot.exp.Select)
    assert "2026-05-03 17:00:00 UTC" in statement.sql(dialect="trino")
