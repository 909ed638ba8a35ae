"""Each metric says over a real lake what SQL by hand says, and the assistant finds it by the words of its definition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from headrace.semantics import MetricInfo, Request, catalogue, compile_sql, live_specs
from headrace.settings import Settings
from tests.parts.filled_lake import filled
from tests.parts.lake_home import Lake
from tests.parts.metrics_by_hand import BEGIN, BY_HAND, END


@pytest.fixture(scope="module")
def lake(start_parts: Callable[..., Settings]) -> Lake:
    found = filled(start_parts)
    live_specs.publish(found.settings)
    return found


def by_metricflow(lake: Lake, metric: MetricInfo) -> Any:
    """Of a metric that compares with a period before, the second period: the first has none before it."""
    request = Request(
        (metric.name,), start=BEGIN, end=END, grain=metric.by, order=("metric_time",) if metric.by else ()
    )
    rows = lake.query(compile_sql(request, lake.settings))
    return rows[1 if metric.by else 0][-1]


def test_every_metric_has_its_sql_by_hand(lake: Lake) -> None:
    assert set(BY_HAND) == set(catalogue(lake.settings).metrics)


@pytest.mark.parametrize("name", sorted(BY_HAND))
def test_a_metric_equals_sql_by_hand(lake: Lake, name: str) -> None:
    metric = catalogue(lake.settings).metrics[name]
    ((expected,),) = lake.query(BY_HAND[name])
    found = by_metricflow(lake, metric)
    assert expected, "a figure of nothing proves nothing"
    if metric.percentile:
        least, most = (float(bound) for bound in expected)
        assert least * 0.99 <= found <= most * 1.01, (found, expected)
    elif isinstance(found, float):
        assert found == pytest.approx(float(expected), rel=1e-9)
    else:
        assert found == expected
