"""The policy as questions meet it: what a person may ask about, why not, and which rows are theirs."""

from __future__ import annotations

from dataclasses import replace

from headrace.assistant.plan import Filter, Plan
from headrace.assistant.vocabulary import Vocabulary
from headrace.policy import Decision, Identity, Resource, allowed, column_masks, row_limits


def vocabulary_of(identity: Identity, vocabulary: Vocabulary) -> Vocabulary:
    """What this person may see. A masked column is read from history only, where Trino masks it."""
    metrics = [n for n in vocabulary.metrics if allowed(identity, "ask", Resource("metric", n)).allowed]
    axes = [n for n in vocabulary.dimensions if allowed(identity, "ask", Resource("dimension", n)).allowed]
    seen = vocabulary.only(metrics, axes)
    masked = column_masks(identity)
    return replace(
        seen, dimensions={n: replace(d, live_key=None) if n in masked else d for n, d in seen.dimensions.items()}
    )


def check(identity: Identity, plan: Plan) -> Decision:
    """The first thing in the plan that this person may not ask for, or yes."""
    dimensions = (*plan.group_by, *(f.dimension for f in plan.filters))
    resources = [*(Resource("metric", m) for m in plan.metrics), *(Resource("dimension", d) for d in dimensions)]
    for resource in resources:
        decision = allowed(identity, "ask", resource)
        if not decision.allowed:
            return decision
    empty = [column for column, values in row_limits(identity).items() if not values]
    if empty:
        return Decision(False, f"{identity.user} may see rows of a certain {empty[0]} only, and none is set.")
    return allowed(identity, "ask")


def row_filters(identity: Identity) -> tuple[Filter, ...]:
    """Added to every plan of this person, live and historical; Trino has the same limits of its own."""
    return tuple(Filter(dimension=d, values=values) for d, values in row_limits(identity).items())
