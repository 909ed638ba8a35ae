"""A chat model only fills in the form; what the catalogue does not know goes back to the rules."""

from __future__ import annotations

from typing import Any

import pytest

from headrace.assistant.model import Form, FormFilter, ModelUnderstanding
from headrace.assistant.outcome import Asked, Declined, Understood
from tests.unit.assistant.world import NOW, VOCABULARY


def model(form: Any) -> ModelUnderstanding:
    """A real LangChain chat model whose one answer is written beforehand."""
    from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
    from langchain_core.messages import AIMessage
    from langchain_core.output_parsers import PydanticOutputParser

    class Written(GenericFakeChatModel):
        def with_structured_output(self, schema: Any, **_: Any) -> Any:
            return self | PydanticOutputParser(pydantic_object=schema)

    text = form if isinstance(form, str) else form.model_dump_json()
    return ModelUnderstanding(Written(messages=iter([AIMessage(text)])), "fake:model")


def test_a_valid_form_becomes_a_plan() -> None:
    form = Form(
        metrics=["sales"],
        group_by=["region"],
        filters=[FormFilter(dimension="currency", values=["eur"])],
        period="last week",
    )
    outcome = model(form).understand("takings around the world", NOW, None, VOCABULARY)
    assert isinstance(outcome, Understood)
    assert outcome.by == "model"
    assert (
        outcome.plan.words()
        == "sales, by region, where currency EUR, last week (2026-11-09 00:00 to 2026-11-16 00:00 UTC)"
    )
    assert "chat model" in outcome.reasons[0]


@pytest.mark.parametrize(
    "form",
    [
        Form(metrics=["profit"]),
        Form(metrics=["sales"], group_by=["password"]),
        Form(metrics=["sales"], filters=[FormFilter(dimension="region", values=["atlantis"])]),
        Form(metrics=["sales"], period="when pigs fly"),
        Form(metrics=["sales"], period="next week"),
        Form(metrics=["sales"], limit=-1),
        "select * from users",
    ],
    ids=["metric", "dimension", "value", "period", "future", "limit", "not a form"],
)
def test_what_cannot_be_used_falls_back_to_the_rules(form: Any) -> None:
    assert model(form).understand("anything", NOW, None, VOCABULARY) is None


def test_it_may_ask_back_or_decline() -> None:
    assert isinstance(model(Form(ask_back="Gross or net?")).understand("x", NOW, None, VOCABULARY), Asked)
    assert isinstance(model(Form(cannot="no weather here")).understand("x", NOW, None, VOCABULARY), Declined)


def test_a_model_that_fails_is_not_the_end() -> None:
    class Broken:
        def with_structured_output(self, schema: Any) -> Any:
            return self

        def invoke(self, _: Any) -> Any:
            raise ConnectionError("no network")

    assert ModelUnderstanding(Broken(), "x:y").understand("sales", NOW, None, VOCABULARY) is None
