"""Question to Plan by rules: complete without a language model, and it says what it assumed or did not understand."""

from __future__ import annotations

from datetime import datetime

from headrace.assistant.cues import refusal
from headrace.assistant.defaults import current_like, default_time, previous_of, trend_grain
from headrace.assistant.draft import Draft, read
from headrace.assistant.followup import inherits, merge
from headrace.assistant.lexicon import Lexicon
from headrace.assistant.outcome import Asked, Declined, Level, NeedsAnswer, Outcome, Understood
from headrace.assistant.plan import Order, Plan, TimeRange
from headrace.assistant.stopwords import AGGREGATES, GENERAL
from headrace.assistant.suggest import suggest
from headrace.assistant.vocabulary import Vocabulary

_DEFAULT_LIMIT = 10
_MOST_LABELS = 30


class Understanding:
    """The rules bound to one person's vocabulary."""

    def __init__(self, vocabulary: Vocabulary, lexicon: Lexicon | None = None) -> None:
        self.vocabulary = vocabulary
        self.lexicon = lexicon or Lexicon(vocabulary)

    def understand(self, question: str, now: datetime, previous: Plan | None = None) -> Outcome:
        if reason := refusal(question):
            return Declined(reason, self.suggestions(), final=True)
        try:
            draft = read(question, self.lexicon, self.vocabulary, now)
            if any(p.future for p in draft.periods):
                return Declined(
                    "That period lies in the future; I only know what has happened.", self.suggestions(), True
                )
            follows = previous is not None and inherits(question, draft)
            if outcome := self._gaps(draft, follows):
                return outcome
            plan = merge(previous, draft) if follows and previous else self._plan(draft, now)
            self._refuse_contradiction(plan)
            self._refuse_strangers(plan)
            return self._with_confidence(plan, draft, follows)
        except NeedsAnswer as needs:
            return needs.asked
        except ValueError as error:
            return Declined(f"I cannot make a plan of that: {error}", self.suggestions())

    def suggestions(self) -> tuple[str, ...]:
        return suggest(self.vocabulary)

    def _labels(self) -> tuple[str, ...]:
        """As many as a person reads, those that are kept live first."""
        known = sorted(
            self.vocabulary.metrics.values(),
            key=lambda m: not any(c.live for c in self.vocabulary.components([m.name])),
        )
        return tuple(m.label for m in known[:_MOST_LABELS])

    def _rest(self) -> str:
        more = len(self.vocabulary.metrics) - _MOST_LABELS
        return f" and {more} other figures" if more > 0 else ""

    def _gaps(self, draft: Draft, follows: bool) -> Outcome | None:
        labels = self._labels()
        if draft.per_metric:
            return Asked(f"No figure is defined per {draft.per_metric}. I have these; which one?", labels)
        wanted = [w for w in (*draft.unknown, *draft.governed) if w.lower() in AGGREGATES]
        if wanted and draft.metrics:
            have = " and ".join(self.vocabulary.metrics[m].label for m in draft.metrics)
            return Asked(f"I have {have}, but no “{wanted[0]}” of it. Which of these figures helps?", labels, wanted[0])
        if draft.governed and (draft.metrics or follows):
            return self._unknown_limit(draft.governed[0])
        if draft.metrics or follows:
            return None
        strange = [w for w in (*draft.unknown, *draft.governed) if w.lower() not in GENERAL]
        if strange and not (draft.group_by or draft.filters):
            named = ", ".join(f"“{w}”" for w in strange[:3])
            return Declined(
                f"I have no figure for {named}. I can answer about: {', '.join(labels)}{self._rest()}.",
                self.suggestions(),
            )
        return Asked("Which figure do you mean?", labels)

    def _unknown_limit(self, word: str) -> Asked:
        known = [f"{d.label}: {', '.join(d.values[:8])}" for d in self.vocabulary.dimensions.values() if d.values]
        hint = "; ".join(known) or "no values are listed"
        return Asked(
            f"I do not know “{word}”, and the figure without it would be another one. I know {hint}.", (), word
        )

    def _refuse_strangers(self, plan: Plan) -> None:
        """Each figure can be split by its own dimensions only, several figures by what they share."""
        for name in (*plan.group_by, *(f.dimension for f in plan.filters)):
            if self.vocabulary.qualified(name, plan.metrics) is None:
                labels = " and ".join(self.vocabulary.metrics[m].label for m in plan.metrics)
                axes = self.vocabulary.dimensions
                others = tuple(a.label for a in axes.values() if self.vocabulary.qualified(a.name, plan.metrics))
                raise NeedsAnswer(Asked(f"{labels} cannot be split by {axes[name].label}. By what else?", others))

    def _refuse_contradiction(self, plan: Plan) -> None:
        """Sales counts purchases only, so "sales for refunds" would be zero whatever happened: ask instead."""
        for name in plan.metrics:
            live = self.vocabulary.metrics[name].live
            for key, counted in live.only if live else ():
                wanted = next((f for f in plan.filters if f.dimension == key and not f.negated), None)
                if wanted and not set(wanted.values) & set(counted):
                    label = self.vocabulary.metrics[name].label
                    others = tuple(m.label for m in self.vocabulary.metrics.values() if m.name != name)
                    text = (
                        f"{label} counts {' and '.join(counted)} only, so none of it is {' or '.join(wanted.values)}."
                    )
                    raise NeedsAnswer(Asked(f"{text} Which figure do you mean?", others))

    def _plan(self, draft: Draft, now: datetime) -> Plan:
        # A change from the week before is a figure of weeks, whether or not the question says so.
        draft.cues.grain = draft.cues.grain or next(
            (by for m in draft.metrics if (by := self.vocabulary.metrics[m].by)), None
        )
        time, compare = self._times(draft, now)
        grain = draft.cues.grain or (trend_grain(time) if draft.cues.trend else None)
        group_by = list(draft.group_by)
        if draft.cues.compare_at is not None and not compare and not group_by:
            group_by = [f.dimension for f in draft.filters if len(f.values) > 1][:1]
            if not group_by:
                compare = previous_of(time)
        order, limit = None, None
        if draft.rank:
            order = Order(by=draft.metrics[0], descending=draft.rank.descending)
            limit = draft.rank.limit or _DEFAULT_LIMIT
            if not group_by and not grain:
                draft.notes.append(
                    f"“{'highest' if order.descending else 'lowest'}” of what was not said, so it is not ranked"
                )
                order, limit = None, None
        return Plan(
            metrics=tuple(draft.metrics), group_by=tuple(group_by), filters=tuple(draft.filters), time=time, compare=compare,
            grain=grain, order=order, limit=limit, source=draft.cues.source, chart=draft.cues.chart,
        )  # fmt: skip

    def _times(self, draft: Draft, now: datetime) -> tuple[TimeRange, TimeRange | None]:
        distinct = list({(p.time.start, p.time.end): p.time for p in draft.periods}.values())
        at = draft.cues.compare_at
        if len(distinct) > 2:
            raise NeedsAnswer(Asked("You named more than two periods; which one, or which two to compare?"))
        if len(distinct) == 2:
            first, second = distinct
            return first, second
        values_compared = any(len(f.values) > 1 for f in draft.filters)
        if distinct and at is not None and draft.periods[0].start > at and not values_compared:
            return current_like(distinct[0], now), distinct[0]
        if distinct:
            return distinct[0], previous_of(distinct[0]) if draft.cues.compare_previous else None
        time = default_time(draft.cues.grain or ("day" if draft.cues.trend else None), now)
        draft.notes.append(f"no period was named, so I took: {time.label}")
        return time, previous_of(time) if draft.cues.compare_previous else None

    def _with_confidence(self, plan: Plan, draft: Draft, follows: bool) -> Understood:
        unknown = [w for w in draft.unknown if w.lower() not in GENERAL]
        level: Level = "low" if unknown else "medium" if draft.notes else "high"
        reasons = [*draft.notes]
        if unknown:
            reasons.insert(0, "not understood and left out: " + ", ".join(f"“{w}”" for w in unknown))
        if follows:
            reasons.append("continues the question before")
        return Understood(plan, level, tuple(reasons or ["every word was understood"]))
