"""The chat: each kind of answer, and the ways on from it."""

from __future__ import annotations

import pytest
from steps import sign_in
from streamlit.testing.v1 import AppTest
from stub_api import Stub, problem


def ask(app: AppTest, question: str) -> AppTest:
    return app.chat_input[0].set_value(question).run()


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.main.button]


def said(app: AppTest) -> str:
    return "\n".join(element.value for element in app.main.markdown).replace("\\", "")


def test_the_empty_page_teaches_with_three_examples(signed_in: AppTest) -> None:
    assert len(labels(signed_in)) == 3 and "Refunds this month" in labels(signed_in)


def test_without_a_catalogue_there_are_examples_still(app: AppTest, stub: Stub) -> None:
    stub.no_catalogue = True
    signed_in = sign_in(app)
    assert len(labels(signed_in)) == 3 and "What were sales today?" in labels(signed_in)


def test_an_example_asks(signed_in: AppTest, stub: Stub) -> None:
    signed_in.main.button[0].click().run()
    assert stub.asked[0]["query"] == "What were sales today?"
    assert signed_in.metric[0].label == "Sales" and signed_in.metric[0].value == "$48,213.57"


def test_an_answer_carries_its_evidence(signed_in: AppTest) -> None:
    ask(signed_in, "What were sales today?")
    evidence = signed_in.expander[0]
    text = "\n".join(element.value for element in evidence.markdown).replace("\\", "")
    assert evidence.label == "Evidence"
    assert "Period: today (00:00 UTC to" in text and "Read from: live windows and history" in text
    assert "History (curated.fct_transactions): through" in text and "All data tests" in text
    assert "sum(amount * usd_rate)" in evidence.code[0].value
    assert "0123456789abcdef0123456789abcdef" in evidence.caption[0].value


def test_more_rows_are_a_table_with_units_and_a_chart(signed_in: AppTest) -> None:
    ask(signed_in, "Sales by region in the last 7 days")
    frame = signed_in.dataframe[0].value
    assert list(frame.columns) == ["region", "sales", "transactions"] and len(frame) == 4
    assert len(signed_in.get("vega_lite_chart")) == 1 and not signed_in.metric


def test_an_ambiguous_question_offers_choices_that_ask_in_the_same_conversation(signed_in: AppTest, stub: Stub) -> None:
    ask(signed_in, "sales")
    assert "For which period?" in said(signed_in)
    next(b for b in signed_in.main.button if b.label == "Sales today").click().run()
    assert stub.asked[1] == {"query": "Sales today", "conversation_id": "c1"}


def test_only_the_newest_answer_offers_buttons(signed_in: AppTest) -> None:
    ask(ask(signed_in, "sales"), "What were sales today?")
    assert "Sales this month" not in labels(signed_in) and "Sales today by region" in labels(signed_in)


def test_a_declined_question_says_why_and_what_to_ask(signed_in: AppTest) -> None:
    ask(signed_in, "profit this year")
    assert "no metric for profit" in signed_in.warning[0].value and "What were sales today?" in labels(signed_in)


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        ((500, {}), "The API failed (500)"),
        ((503, problem("Trino is starting.", "Wait a minute.")), "Wait a minute."),
        ((429, {}), "Too many questions"),
        ((403, problem("Sales are not for you.", "")), "Ask an administrator"),
        ((502, ["a proxy"]), "The API failed (502)"),
    ],
)
def test_an_error_gives_its_sentence_its_id_and_a_second_try(
    signed_in: AppTest, stub: Stub, reply: tuple[int, dict[str, object]], sentence: str
) -> None:
    stub.fail_with = reply
    ask(signed_in, "What were sales today?")
    assert sentence in signed_in.error[0].value.replace("\\", "")
    assert "Correlation id" in signed_in.main.caption[0].value
    stub.fail_with = None
    signed_in.main.button[0].click().run()
    assert signed_in.metric[0].value == "$48,213.57"


def test_a_new_conversation_starts_empty(signed_in: AppTest, stub: Stub) -> None:
    ask(signed_in, "What were sales today?")
    next(b for b in signed_in.main.button if b.label == "New conversation").click().run()
    assert len(labels(signed_in)) == 3
    ask(signed_in, "sales")
    assert stub.asked[-1]["conversation_id"] is None


def test_markup_in_a_question_is_shown_not_obeyed(signed_in: AppTest) -> None:
    ask(signed_in, "![x](http://example.com/x.png) **sales** today")
    assert r"\!\[x\]\(http" in signed_in.main.markdown[0].value
