"""The way of a question: understand, plan, policy, route, run, join, insight, chart, audit, answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from headrace.assistant.answer import Answer, Confidence, Quality
from headrace.assistant.chart import charts
from headrace.assistant.conversation import Conversations, Turn, completed
from headrace.assistant.evidence import Result
from headrace.assistant.insight import headline, insights
from headrace.assistant.model import ModelUnderstanding
from headrace.assistant.outcome import Asked, Declined, Level, Outcome, Understood
from headrace.assistant.permit import check, row_filters, vocabulary_of
from headrace.assistant.plan import Plan, Source, TimeRange
from headrace.assistant.rates import RatesUnknown
from headrace.assistant.route import NotKnown
from headrace.assistant.run import Runner
from headrace.assistant.suggest import suggest
from headrace.assistant.table import as_data, rows_of
from headrace.assistant.understand import Understanding
from headrace.assistant.vocabulary import Vocabulary
from headrace.policy import Identity
from headrace.policy.audit import Audit, Entry, write_or_log
from headrace.quality.figures import Verdict

_MOST_ROWS = 1000


@dataclass(frozen=True)
class Question:
    text: str
    conversation_id: str | None = None
    time: TimeRange | None = None
    limit: int | None = None
    source: Source | None = None


class Assistant:
    """One for a process; holds no figures, only the parts it asks."""

    def __init__(
        self,
        vocabulary: Callable[[], Vocabulary],
        runner: Runner,
        audit: Audit,
        *,
        model: ModelUnderstanding | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        quality: Callable[[tuple[str, ...]], list[Verdict]] = lambda _: [],
    ) -> None:
        """`quality` tells the newest verdicts on these tables, and never fails."""
        self._vocabulary, self._runner, self._audit = vocabulary, runner, audit
        self._model, self._clock, self._quality = model, clock, quality
        self._conversations = Conversations()
        self._rules: dict[int, tuple[Vocabulary, Understanding]] = {}

    def answer(self, identity: Identity, question: Question, correlation_id: str = "") -> Answer:
        """Raises AuditUnavailable rather than hand over figures that nobody recorded."""
        began = perf_counter()
        conversation_id, turn = self._conversations.open(identity.user, question.conversation_id)
        answer, turn = self._answer(identity, question, turn, correlation_id)
        self._conversations.keep(identity.user, conversation_id, turn)
        elapsed = round((perf_counter() - began) * 1000, 1)
        return answer.model_copy(
            update={"conversation_id": conversation_id, "correlation_id": correlation_id, "elapsed_ms": elapsed}
        )

    def _answer(self, identity: Identity, question: Question, turn: Turn, correlation_id: str) -> tuple[Answer, Turn]:
        text = completed(turn, question.text) or question.text
        outcome = self._understand(identity, text, turn.plan)
        note = {"correlation_id": correlation_id, "question": question.text[:2000]}
        if isinstance(outcome, Understood):
            plan = _with_options(outcome.plan, question)
            decision = check(identity, plan)
            if not decision.allowed:
                write_or_log(
                    self._audit, Entry(identity.user, "ask", question.text, False, {**note, "plan": plan.words()})
                )
                return self._decline(identity, Declined(decision.reason)), turn
            outcome = replace(outcome, plan=plan)
            answer = self._figures(identity, outcome)
        else:
            answer = self._asked(outcome) if isinstance(outcome, Asked) else self._decline(identity, outcome)
        detail: dict[str, Any] = {
            **note,
            "status": answer.status,
            "plan": answer.plan,
            "sql": [s.sql for s in answer.sql],
        }
        self._audit.write(Entry(identity.user, "ask", question.text, True, detail))
        return answer, _turn(text, outcome, turn)

    def _understand(self, identity: Identity, text: str, previous: Plan | None) -> Outcome:
        """By everything there is first, so that a refusal can be told from an unknown word; then by what is theirs."""
        whole = self._vocabulary()
        mine = vocabulary_of(identity, whole)
        now = self._clock()
        outcome = self._rules_of(whole).understand(text, now, previous)
        if not isinstance(outcome, Understood) and mine != whole:
            outcome = Understanding(mine).understand(text, now, previous)
        unsure = not isinstance(outcome, Understood) or outcome.level != "high"
        if self._model and unsure and not (isinstance(outcome, Declined) and outcome.final):
            return self._model.understand(text, now, previous, mine) or outcome
        return outcome

    def _rules_of(self, vocabulary: Vocabulary) -> Understanding:
        """The index of words is built once for each catalogue, not for each question."""
        known = self._rules.get(id(vocabulary))
        if known is None or known[0] is not vocabulary:
            self._rules = {id(vocabulary): (vocabulary, Understanding(vocabulary))}
            known = self._rules[id(vocabulary)]
        return known[1]

    def _figures(self, identity: Identity, understood: Understood) -> Answer:
        vocabulary = replace(self._vocabulary(), dimensions=vocabulary_of(identity, self._vocabulary()).dimensions)
        limits = row_filters(identity)
        try:
            result, before = self._runner.run(identity, understood.plan, vocabulary, limits)
        except (NotKnown, RatesUnknown) as error:
            plan = _plan_document(understood.plan, understood.plan.source)
            return self._decline(identity, Declined(str(error))).model_copy(update={"plan": plan})
        read = vocabulary.components(understood.plan.metrics) if result.source != "live" else ()
        tables = tuple(dict.fromkeys(table for metric in read for table in metric.tables))
        answer = _compose(understood, result, before, vocabulary, limited=bool(limits))
        # A verdict counts every row: who may see some is told none.
        return _with_quality(answer, self._quality(tables) if tables and not limits else [])

    def _asked(self, outcome: Asked) -> Answer:
        return Answer(status="asked", text=outcome.question, suggestions=list(outcome.options))

    def _decline(self, identity: Identity, outcome: Declined) -> Answer:
        mine = vocabulary_of(identity, self._vocabulary())
        return Answer(status="declined", text=outcome.reason, suggestions=list(suggest(mine)))


def _compose(
    understood: Understood, result: Result, before: Result | None, vocabulary: Vocabulary, *, limited: bool
) -> Answer:
    plan = understood.plan
    rows = rows_of(plan, result.part, vocabulary)
    old = rows_of(plan.model_copy(update={"order": None}), before.part, vocabulary) if before else None
    shown = rows[: min(plan.limit or _MOST_ROWS, _MOST_ROWS)]
    data = as_data(plan, shown, vocabulary)
    evidence = [result, *([before] if before else [])]
    notes = list(dict.fromkeys(note for r in evidence for note in r.notes))
    if result.late_events:
        notes.append(
            f"{result.late_events} events came late (long after they happened); they are counted in the live part"
        )
    if errors := [p.error for c in vocabulary.components(plan.metrics) if (p := c.percentile)]:
        notes.append(f"percentiles are read from buckets: within {max(errors):.0%} of the exact figure")
    if limited:
        notes.append("only the rows that you may see are counted")
    if len(shown) < len(rows) and not plan.limit:
        notes.append(f"the first {len(shown)} of {len(rows)} rows are shown")
    text = headline(plan, shown, vocabulary) + _capital(notes)
    level: Level = "medium" if result.notes and understood.level == "high" else understood.level
    return Answer(
        status="answered",
        text=text,
        data=data,
        charts=charts(plan, data),
        insights=insights(plan, rows, old, vocabulary),
        plan=_plan_document(plan, result.source),
        metrics=[_definition(name, vocabulary) for name in plan.metrics],
        sql=[sql for r in evidence for sql in r.sql],
        freshness=[f for r in evidence for f in r.freshness],
        confidence=Confidence(level=level, reasons=[*understood.reasons, *notes]),
    )


def _with_quality(answer: Answer, verdicts: list[Verdict]) -> Answer:
    """What falls short is a reason to trust the figures less; what is only late is counted all the same."""
    said = [Quality(table=v.table, day=v.day, state=v.state, sentence=v.sentence) for v in verdicts]
    short = [v for v in verdicts if any(f.state == "failed" and f.name != "timeliness" for f in v.figures)]
    confidence = answer.confidence
    if short and confidence:
        level: Level = "medium" if confidence.level == "high" else confidence.level
        confidence = Confidence(level=level, reasons=[*confidence.reasons, *(v.sentence for v in short)])
    return answer.model_copy(update={"quality": said, "confidence": confidence})


def _capital(notes: list[str]) -> str:
    return "".join(f" {note[0].upper()}{note[1:]}." for note in notes)


def _definition(name: str, vocabulary: Vocabulary) -> dict[str, str]:
    metric = vocabulary.metrics[name]
    parts = {"name": name, "label": metric.label, "description": metric.description, "owner": metric.owner}
    return {**parts, "type": metric.kind, "unit": metric.unit}


def _plan_document(plan: Plan, source: Source) -> dict[str, Any]:
    routed = plan.model_copy(update={"source": source})
    return {**routed.model_dump(mode="json"), "words": routed.words()}


def _with_options(plan: Plan, question: Question) -> Plan:
    """What the caller set beside the text holds over what the text says."""
    chosen = {"time": question.time, "limit": question.limit, "source": question.source}
    return plan.model_copy(update={name: value for name, value in chosen.items() if value is not None})


def _turn(text: str, outcome: Outcome, before: Turn) -> Turn:
    if isinstance(outcome, Understood):
        return Turn(outcome.plan)
    return Turn(before.plan, text, outcome if isinstance(outcome, Asked) else None)
