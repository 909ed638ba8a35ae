"""Live specifications travel as a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from headrace.streams.spec import Accumulator, LiveSpec, SpecError, load_live_specs, save_live_specs

SPEC = LiveSpec("s", "transactions", 60, ("m",), (Accumulator("total", "sum", "amount", "decimal(28,2)", "usd_rate"),))


def test_there_and_back(tmp_path: Path) -> None:
    path = tmp_path / "etc" / "live_specs.json"
    save_live_specs(path, (SPEC,))
    assert load_live_specs(path) == (SPEC,)
    assert LiveSpec.from_json(SPEC.to_json()) == SPEC


@pytest.mark.parametrize("text", [None, "{", '[{"name": "x"}]'])
def test_what_cannot_be_read_says_what_to_do(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "live_specs.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SpecError, match=r"up|publish"):
        load_live_specs(path)
