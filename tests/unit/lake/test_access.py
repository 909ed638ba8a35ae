"""The rules that Trino reads, from the policy and the people of the moment."""

from __future__ import annotations

import re
from typing import Any

from headrace.lake import access
from headrace.lake.trino_config import declared_columns
from headrace.policy import Identity, Policy, load_policy
from headrace.settings import REPO

ADMIN = Identity("admin", ("admin",))
ANNA = Identity("anna.o'hara", ("analyst",))
VIC = Identity("vic", ("viewer",))
BOTH = Identity("bo", ("viewer", "analyst"))
BOSS = Identity("boss", ("viewer", "admin"))
COLUMNS = declared_columns(REPO / "dbt" / "models")


def rules(*people: Identity, policy: Policy | None = None) -> dict[str, Any]:
    return access.rules(policy or load_policy(), people, COLUMNS, "key")


def first(found: list[dict[str, Any]], **who: str) -> dict[str, Any]:
    """As Trino does it: the first rule that matches in full decides."""

    def matches(rule: dict[str, Any]) -> bool:
        return all(
            re.fullmatch(rule[key], who.get(key, "")) is not None
            for key in ("user", "group", "catalog", "schema", "table", "original_user", "new_user")
            if key in rule
        )

    return next((rule for rule in found if matches(rule)), {})


def table(found: dict[str, Any], person: Identity, name: str) -> dict[str, Any]:
    schema, _, bare = name.partition(".")
    who = {"user": person.user, "group": access.group_of(person), "catalog": "lake", "schema": schema, "table": bare}
    return first(found["tables"], **who)


def test_roles_read_what_the_policy_lists_and_nothing_else() -> None:
    found = rules(ADMIN, ANNA, VIC)
    assert table(found, ANNA, "curated.dim_customers")["privileges"] == ["SELECT"]
    assert table(found, VIC, "curated.fct_transactions")["privileges"] == ["SELECT"]
    for name in (
        "curated.dim_customers",
        "curated.dim_accounts",
        "processed.transactions",
        "raw.transactions",
        "curatedx.a",
    ):
        assert not table(found, VIC, name)
    assert not table(found, ANNA, "raw.transactions")
    assert not table(found, Identity("stranger", ()), "curated.dim_date")


def test_masks_follow_the_role() -> None:
    masks = {c["name"]: c["mask"] for c in table(rules(ANNA), ANNA, "curated.dim_customers")["columns"]}
    assert masks["email"] == "cast(null as varchar)"
    assert "hmac_sha256" in masks["customer_id"]
    assert masks["customer_id"].replace("customer_id", "user_id") == masks["user_id"], "or joins would find nothing"


def test_two_roles_add_up_as_they_do_in_the_application() -> None:
    found = rules(BOTH)
    rule = table(found, BOTH, "processed.transactions")
    assert rule["privileges"] == ["SELECT"]
    assert [c["name"] for c in rule["columns"]] == ["user_id"], "only what both roles mask"
    assert access.groups(load_policy(), [BOTH, VIC]) == "analyst_and_viewer:bo\nviewer:vic\n"


def test_only_readers_can_be_impersonated_and_only_by_the_service() -> None:
    found = rules(ADMIN, ANNA, VIC, BOSS, Identity("dbt", ("viewer",)))["impersonation"]

    def may(original: str, new: str) -> bool:
        return bool(first(found, original_user=original, new_user=new)["allow"])

    assert may("bi_svc", "vic")
    assert may("bi_svc", "anna.o'hara")
    refused = [
        ("bi_svc", "admin"),
        ("bi_svc", "boss"),
        ("bi_svc", "dbt"),
        ("bi_svc", "annaXo'hara"),
        ("dbt", "vic"),
        ("vic", "anna.o'hara"),
    ]
    assert not [pair for pair in refused if may(*pair)]


def test_with_nobody_known_nobody_gets_in() -> None:
    found = rules(ADMIN)
    assert not first(found["impersonation"], original_user="bi_svc", new_user="anyone")["allow"]
    assert not first(found["catalogs"], user="anyone", group="", catalog="lake")


def test_a_row_limit_hides_tables_that_lack_its_column() -> None:
    policy = load_policy()
    limited = policy.roles["viewer"].model_copy(update={"rows": {"region": ("$region",)}, "tables": ("curated.*",)})
    policy = policy.model_copy(update={"roles": {**policy.roles, "viewer": limited}})
    person = Identity("eu", ("viewer",), {"region": ("europe", "o'land")})
    found = rules(person, VIC, policy=policy)
    assert table(found, person, "curated.fct_transactions")["filter"] == "\"region\" in ('europe', 'o''land')"
    assert table(found, person, "curated.dim_products")["privileges"] == []
    assert table(found, VIC, "curated.fct_transactions")["filter"] == '"region" in (null)', "no attribute, no rows"


def test_nobody_may_set_session_properties_but_the_limits_set_for_them() -> None:
    found = rules(VIC)["system_session_properties"]
    allowed = next(r for r in found if r.get("property"))
    assert set(allowed["property"].split("|")) == {"query_max_execution_time", "query_max_scan_physical_bytes"}
    assert found[-1] == {"allow": False}


def test_an_alias_is_the_name_of_the_table() -> None:
    assert "curated.exchange_rates" in COLUMNS
    assert "user_id" in COLUMNS["curated.fct_transactions"]
