"""The throughput benchmark on real Kafka, Spark, Flink and Quix Streams: all give the windows that must be there, to the cent.

It takes two minutes, and Flink is large: so it belongs to the long suite, and runs only where
`./headrace bench throughput` has fetched Flink before.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from headrace.runtime import artifacts
from headrace.settings import Settings, get_settings
from tests.conftest import headrace

EVENTS = 20_000


@pytest.mark.skipif(not artifacts.is_fetched(get_settings(), "flink"), reason="Flink is not fetched")
def test_every_engine_gives_the_same_windows(start_parts: Callable[..., Settings]) -> None:
    settings = start_parts("kafka")
    options = (
        "--events",
        str(EVENTS),
        "--fewer",
        str(EVENTS),
        "--runs",
        "1",
        "--batch",
        str(EVENTS // 2),
        "--variants",
        "with dedupe",
        "--engines",
        "spark,flink,quix",
    )
    said = headrace("bench", "throughput", *options, "--json", home=settings.home, check=False)
    assert said.returncode == 0, said.stderr + said.stdout
    result = json.loads(said.stdout)
    judged = {run["engine"]: run for run in result["runs"] if "equal" in run}
    assert judged.keys() == {"spark", "flink", "quix"}
    assert [run["differences"] for run in judged.values()] == [[], [], []]
    assert judged["spark"]["windows"] == judged["flink"]["windows"] > EVENTS / 10
    assert result["ratios"]["quix"]["with dedupe"]["running"]["median"] > 0
    assert result["outputs_equal"] is True
    assert result["ratio_to_flink"] > 0
    assert result["events"]["repeated"] > EVENTS / 50
    assert result["events"]["late"] > EVENTS / 100
