"""The gate as one Trino query, so that a dbt model is the gate and not a copy of it."""

from __future__ import annotations

from headrace.contracts.model import Contract
from headrace.streams.correcting import marks
from headrace.streams.dialect import TRINO
from headrace.streams.gate import columns, given, reason, refusal, rules, texts

PROVENANCE = (
    "topic",
    '"partition"',
    '"offset"',
    "arrived_at",
    "landed_at",
    "correlation_id",
    "contract_version",
    "origin",
)


def trino_model(contract: Contract, relation: str, *, where: str = "true", future_minutes: int = 1) -> str:
    """Every record of `relation` with its typed fields, the rule that refuses it (or null), the reason and what was corrected.

    `relation` and `where` may be Jinja; `where` reads the columns of the raw table.
    """
    found = rules(contract, TRINO, future_minutes)
    kept = (*PROVENANCE, "value", "json_text", "document")
    names = [field.name for field in contract.fields]
    verdict = {
        "refusal": refusal(found, TRINO),
        "reason": reason(found, TRINO),
        "corrected": marks(contract, TRINO),
    }
    steps = {
        "prepared": _select([*PROVENANCE, "value", *_named(TRINO.prepared())], relation, where),
        "given": _select([*kept, *_named(given(contract, TRINO))], "prepared"),
        "texts": _select(["*", *_named(texts(contract, TRINO))], "given"),
        "typed": _select(["*", *_named(columns(contract, TRINO))], "texts"),
        "judged": _select([*PROVENANCE, "value", *names, *_named(verdict)], "typed"),
    }
    ctes = ",\n".join(f"{name} AS (\n{body}\n)" for name, body in steps.items())
    return f"WITH {ctes}\nSELECT * FROM judged"


def _named(expressions: dict[str, str]) -> list[str]:
    return [f"{sql} AS {name}" for name, sql in expressions.items()]


def _select(items: list[str], source: str, where: str | None = None) -> str:
    body = "    SELECT\n        " + ",\n        ".join(items) + f"\n    FROM {source}"
    return f"{body}\n    WHERE {where}" if where else body
