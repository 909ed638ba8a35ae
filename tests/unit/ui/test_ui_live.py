"""The live page: figures, the empty state, the pause, and an API that goes away for a moment."""

from __future__ import annotations

import pytest
from steps import RUN_SECONDS
from streamlit.testing.v1 import AppTest
from stub_api import Stub, problem

SOURCE = """
from app.ui import session
from app.ui.views import live
live.show()
"""


@pytest.fixture
def page(signed_in: AppTest) -> AppTest:
    page = AppTest.from_string(SOURCE, default_timeout=RUN_SECONDS)
    page.session_state["token"] = signed_in.session_state["token"]
    return page


def test_figures_carry_their_currency(page: AppTest) -> None:
    page.run()
    assert [metric.label for metric in page.metric] == ["Sales", "Transactions", "Refunds"]
    assert page.metric[0].value.startswith("$") and page.metric[1].value[0].isdigit()
    assert len(page.get("vega_lite_chart")) == 2 and not page.exception


def test_splits_name_regions_types_and_merchants(page: AppTest) -> None:
    page.run()
    text = "\n".join(element.value for element in page.markdown).replace("\\", "")
    for expected in ("South America", "Purchase", "m-0001", "Shop 2"):
        assert expected in text


def test_what_is_missing_is_said(page: AppTest, stub: Stub) -> None:
    stub.live_notes = ("No exchange rate is known yet for EUR.",)
    page.run()
    assert "EUR" in page.warning[0].value


def test_nothing_yet_teaches_how_to_fill_it(page: AppTest, stub: Stub) -> None:
    stub.live_empty = True
    page.run()
    assert "No events" in page.info[0].value and "simulate" in page.code[0].value and not page.metric


def test_a_pause_keeps_the_figures(page: AppTest, stub: Stub) -> None:
    before = page.run().metric[0].value
    page.toggle[0].set_value(True).run()
    stub.fail_with = (500, {})
    page.run()
    assert page.metric[0].value == before and not page.error


def test_the_last_figures_stay_when_the_api_is_away(page: AppTest, stub: Stub) -> None:
    page.run()
    stub.fail_with = (503, problem("Not now.", "Wait."))
    page.run()
    assert "Not now" in page.error[0].value and page.metric
    assert any("last figures" in caption.value for caption in page.caption)


def test_another_period_asks_for_it(page: AppTest) -> None:
    page.run()
    thirty = page.metric[1].value
    page.segmented_control[0].set_value(60).run()
    assert page.metric[1].value != thirty
