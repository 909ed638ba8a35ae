"""Catalogues beside the lake: taken as they are, gone when they are taken away, and what cannot be one is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from headrace.lake import access, catalogues, trino_config
from headrace.lake.catalogues import CatalogueUnusable
from headrace.policy import Identity, Policy, load_policy
from headrace.settings import Settings
from tests.unit.lake.test_access import first
from tests.unit.lake.test_trino_config import SECRETS

DELTA = "connector.name=delta_lake\nhive.metastore=file\nlocal.location=${ENV:SOMEWHERE}\n"
ANNA = Identity("anna", ("analyst",))
VIC = Identity("vic", ("viewer",))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "home" / "secrets").mkdir(parents=True)
    for name in SECRETS:
        (tmp_path / "home" / "secrets" / name).write_text(f"{name}-value")
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "sales.properties").write_text(DELTA)
    return Settings(home=tmp_path / "home", trino_catalogs=tmp_path / "files", trino_catalog_roles=("analyst",))


def test_a_file_is_taken_as_it_is_with_its_plugin_and_goes_with_the_setting(settings: Settings) -> None:
    trino_config.render(settings)
    folder = trino_config.folder(settings) / "catalog"
    assert (folder / "sales.properties").read_text() == DELTA
    assert trino_config.plugins(settings) == (*trino_config.PLUGINS, "delta-lake")
    assert '"sales"' in (trino_config.folder(settings) / "rules.json").read_text()
    without = settings.model_copy(update={"trino_catalogs": None})
    trino_config.render(without)
    assert [path.name for path in folder.iterdir()] == ["lake.properties"]
    assert '"sales"' not in (trino_config.folder(settings) / "rules.json").read_text()
    assert trino_config.plugins(without) == trino_config.PLUGINS


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("lake", DELTA, "name the file otherwise"),
        ("Sales", DELTA, "name the file otherwise"),
        ("sales", "connector.name=oracle\n", "is oracle.\nNext: write one of delta_lake, iceberg, pinot"),
        ("sales", "# connector.name=pinot\n", "is missing"),
    ],
)
def test_what_cannot_be_a_catalogue_is_said(settings: Settings, name: str, text: str, said: str) -> None:
    assert settings.trino_catalogs
    (settings.trino_catalogs / f"{name}.properties").write_text(text)
    with pytest.raises(CatalogueUnusable, match=said.replace("(", r"\(")):
        catalogues.chosen(settings)


def test_an_empty_folder_and_an_unknown_role_are_said(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(CatalogueUnusable, match="HEADRACE_TRINO_CATALOGS"):
        catalogues.chosen(settings.model_copy(update={"trino_catalogs": tmp_path / "nowhere"}))
    with pytest.raises(CatalogueUnusable, match="no role annalist"):
        catalogues.chosen(settings.model_copy(update={"trino_catalog_roles": ("annalist",)}))


def _may(policy: Policy, person: Identity, roles: tuple[str, ...]) -> list[str]:
    found = access.rules(policy, [person], {}, "key", access.Beside(("sales", "clicks"), roles))
    who = {"user": person.user, "group": access.group_of(person), "catalog": "clicks", "schema": "a", "table": "b"}
    if first(found["catalogs"], **who).get("allow") != "read-only":
        return []
    privileges: list[str] = first(found["tables"], **who).get("privileges", [])
    return privileges


def test_roles_of_the_setting_read_and_others_do_not() -> None:
    policy = load_policy()
    assert _may(policy, ANNA, ("analyst",)) == ["SELECT"]
    assert _may(policy, VIC, ("analyst",)) == []
    assert _may(policy, ANNA, ()) == []
    rules = access.rules(policy, [ANNA], {}, "key", access.Beside(("sales",), ("analyst",)))["tables"]
    rule = first(rules, user="anna", group="analyst", catalog="sales", schema="a", table="b")
    assert "email" in {column["name"] for column in rule["columns"]}


def test_whoever_has_row_limits_gets_none() -> None:
    known = load_policy()
    limited = known.roles["analyst"].model_copy(update={"rows": {"region": ("europe",)}})
    policy = known.model_copy(update={"roles": known.roles | {"analyst": limited}})
    assert _may(policy, ANNA, ("analyst",)) == []
