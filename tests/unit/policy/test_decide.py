"""No by default; yes only where a role says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from headrace.policy import Identity, Policy, PolicyError, Resource, allowed, column_masks, load_policy, row_limits

POLICY = Policy.model_validate(
    {
        "version": 1,
        "roles": {
            "boss": {"actions": ["ask"], "metrics": ["*"], "dimensions": ["*"], "tables": ["*.*"]},
            "clerk": {
                "actions": ["ask"],
                "metrics": ["sales*"],
                "dimensions": ["*"],
                "denied_dimensions": ["user*"],
                "tables": ["curated.*"],
                "masks": {"user_id": "hide", "email": "hide"},
                "rows": {"region": ["$region"]},
            },
            "nurse": {"actions": ["ask"], "masks": {"user_id": "pseudonym"}, "rows": {"region": ["asia"]}},
        },
    }
)
CLERK = Identity("c", ("clerk",), {"region": ("europe",)})


@pytest.mark.parametrize(
    ("who", "kind", "name", "expected"),
    [
        (CLERK, "metric", "sales", True),
        (CLERK, "metric", "sales_net", True),
        (CLERK, "metric", "refunds", False),
        (CLERK, "dimension", "region", True),
        (CLERK, "dimension", "user_id", False),
        (CLERK, "table", "curated.orders", True),
        (CLERK, "table", "raw.orders", False),
        (Identity("b", ("boss",)), "table", "raw.orders", True),
        (Identity("n", ()), "metric", "sales", False),
        (Identity("x", ("unheard_of",)), "metric", "sales", False),
        (Identity("cb", ("clerk", "boss")), "dimension", "user_id", True),
    ],
)
def test_decision(who: Identity, kind: str, name: str, expected: bool) -> None:
    decision = allowed(who, "ask", Resource(kind, name), policy=POLICY)  # type: ignore[arg-type]
    assert decision.allowed is expected
    assert decision.reason


def test_an_action_nobody_was_given_is_refused() -> None:
    assert not allowed(Identity("b", ("boss",)), "manage", policy=POLICY).allowed


def test_a_column_is_masked_only_where_every_role_masks_it() -> None:
    assert column_masks(CLERK, policy=POLICY) == {"user_id": "hide", "email": "hide"}
    assert column_masks(Identity("m", ("clerk", "nurse")), policy=POLICY) == {"user_id": "pseudonym"}
    assert column_masks(Identity("m", ("clerk", "boss")), policy=POLICY) == {}


def test_row_limits_follow_the_person() -> None:
    assert row_limits(CLERK, policy=POLICY) == {"region": ("europe",)}
    both = Identity("m", ("clerk", "nurse"), {"region": ("europe",)})
    assert row_limits(both, policy=POLICY) == {"region": ("asia", "europe")}
    assert row_limits(Identity("m", ("clerk", "boss")), policy=POLICY) == {}
    assert row_limits(Identity("c", ("clerk",)), policy=POLICY) == {"region": ()}


def test_the_shipped_policy_reads_and_keeps_persons_from_viewers() -> None:
    assert {"admin", "analyst", "viewer", "producer"} <= set(load_policy().roles)
    viewer = Identity("v", ("viewer",))
    assert allowed(viewer, "ask", Resource("metric", "sales")).allowed
    assert not allowed(viewer, "ask", Resource("dimension", "user_id")).allowed
    assert not allowed(viewer, "ask", Resource("table", "raw.transactions")).allowed
    assert column_masks(viewer) == {"user_id": "pseudonym"}
    assert not allowed(Identity("k", ("producer",)), "ask").allowed


def test_a_spelling_mistake_in_the_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("version: 1\nroles: {a: {metricks: ['*']}}\n")
    with pytest.raises(PolicyError, match="metricks"):
        load_policy(path)
