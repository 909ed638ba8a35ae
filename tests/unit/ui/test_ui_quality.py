"""The pages of quality and lineage: figures with their counts, a picture, what teaches, and an API that refuses."""

from __future__ import annotations

import pytest
from steps import RUN_SECONDS
from streamlit.testing.v1 import AppTest
from stub_api import Stub, problem

from app.ui.models import Lineage
from app.ui.views.lineage import picture

SOURCE = """
from app.ui.views import {0}
{0}.show()
"""


def _page(signed_in: AppTest, name: str) -> AppTest:
    page = AppTest.from_string(SOURCE.format(name), default_timeout=RUN_SECONDS)
    page.session_state["token"] = signed_in.session_state["token"]
    return page.run()


def test_figures_show_counts_verdict_and_history(signed_in: AppTest) -> None:
    page = _page(signed_in, "quality")
    text = "\n".join(element.value for element in page.markdown).replace("\\", "")
    assert not page.exception
    assert "99.7 % (997 of 1,000 events); asked for: 99.99 %" in text
    assert "0 of 1 tables" in text and "Nothing to measure that day" in text
    assert "completeness 99.7 %" in page.warning[0].value.replace("\\", "")
    assert len(page.get("vega_lite_chart")) == 1, "five days of one figure; the empty one has no picture"


def test_live_and_lake_stand_side_by_side(signed_in: AppTest) -> None:
    page = _page(signed_in, "quality")
    assert page.expander[0].label == "Live and lake: 1 of 2 metrics agree" and page.expander[0].proto.expanded
    rows = page.dataframe[0].value.to_dict("records")
    assert [(row["metric"], row["late"], row["relative"], row["agree but for late"]) for row in rows] == [
        ("sales", "5", "20.833%", "yes"), ("refunds", "5", "20.833%", "no"),
    ]  # fmt: skip


def test_lineage_is_drawn_and_said(signed_in: AppTest) -> None:
    page = _page(signed_in, "lineage")
    text = "\n".join(element.value for element in page.markdown).replace("\\", "")
    assert not page.exception
    assert page.selectbox[0].value == "curated.fct_transactions"
    assert "Made directly of** processed.transactions" in text and "Read directly by** sales" in text
    assert len(page.get("graphviz_chart")) == 1


@pytest.mark.parametrize(("name", "command"), [("quality", "quality --measure"), ("lineage", "lineage --collect")])
def test_nothing_yet_teaches_how_to_fill_it(signed_in: AppTest, stub: Stub, name: str, command: str) -> None:
    stub.live_empty = True
    page = _page(signed_in, name)
    assert page.info and command in page.code[0].value and not page.exception


@pytest.mark.parametrize("name", ["quality", "lineage"])
def test_a_refusal_says_what_to_do(signed_in: AppTest, stub: Stub, name: str) -> None:
    stub.fail_with = (503, problem("PostgreSQL rests.", "Wake it."))
    page = _page(signed_in, name)
    assert "PostgreSQL rests" in page.error[0].value and not page.exception


def test_a_name_cannot_draw_anything_but_itself() -> None:
    found = Lineage.model_validate({"nodes": [{"name": 'a"]; evil [x="', "kind": "table"}], "edges": []})
    assert '"a\\"]; evil [x=\\""' in picture(found, "")
