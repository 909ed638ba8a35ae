"""Catalogues beside the lake by settings alone: a Delta table is read by whom settings let, Pinot's connector is there.

No Pinot runs here: what is seen is that its catalogue loads and that a question goes out to the controller that was set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from trino.exceptions import TrinoQueryError, TrinoUserError

from headrace.lake.trino import connect, fetch
from headrace.policy.users import save_user
from headrace.settings import Settings, get_settings

DELTA = """connector.name=delta_lake
hive.metastore=file
hive.metastore.catalog.dir=local:///metastore
fs.native-local.enabled=true
local.location=${ENV:HEADRACE_TEST_DELTA}
delta.enable-non-concurrent-writes=true
"""
PINOT = "connector.name=pinot\npinot.controller-urls=127.0.0.1:9\n"
ANALYST, VIEWER = "anna", "victor"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("delta")


@pytest.fixture(scope="module")
def settings(
    start_parts: Callable[..., Settings], folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    files = tmp_path_factory.mktemp("catalogues")
    (files / "sales_delta.properties").write_text(DELTA)
    (files / "clicks_pinot.properties").write_text(PINOT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADRACE_TRINO_CATALOGS", str(files))
        patch.setenv("HEADRACE_TRINO_CATALOG_ROLES", "analyst")
        patch.setenv("HEADRACE_TEST_DELTA", str(folder))
        get_settings.cache_clear()
        started = start_parts("trino")
        save_user(started, ANALYST, "unused-in-trino", ("analyst",))
        save_user(started, VIEWER, "unused-in-trino", ("viewer",))
        _ask(started, "create schema sales_delta.shop", service="admin")
        rows = "values ('user-1', 12.50, 'books'), ('user-2', 3.25, 'home')"
        made = f"create table sales_delta.shop.orders as select * from ({rows}) as t (user_id, amount, category)"
        _ask(started, made, service="admin")
        yield started
    get_settings.cache_clear()


def _ask(settings: Settings, sql: str, **who: Any) -> list[list[Any]]:
    with connect(settings, timeout=60, **who) as connection:
        return fetch(connection.cursor(), sql)


def test_a_delta_table_is_read(settings: Settings, folder: Path) -> None:
    assert list(folder.glob("metastore/shop/orders*/_delta_log/*.json")), "a table of Delta Lake, where settings say"
    sql = "select category, amount, user_id from sales_delta.shop.orders order by 1"
    found = _ask(settings, sql)
    assert [[category, str(amount), user] for category, amount, user in found] == [
        ["books", "12.50", "user-1"],
        ["home", "3.25", "user-2"],
    ]


def test_it_is_read_by_the_roles_that_were_set_under_their_masks(settings: Settings) -> None:
    sql = "select category, user_id from sales_delta.shop.orders order by 1"
    shown = _ask(settings, sql, as_user=ANALYST)
    assert [row[0] for row in shown] == ["books", "home"]
    assert not {row[1] for row in shown} & {"user-1", "user-2"}
    assert len({row[1] for row in shown}) == 2
    with pytest.raises(TrinoUserError, match="Access Denied"):
        _ask(settings, sql, as_user=VIEWER)
    assert ["sales_delta"] not in _ask(settings, "show catalogs", as_user=VIEWER)


@pytest.mark.parametrize("who", [{"as_user": ANALYST}, {"service": "bi_svc"}], ids=str)
def test_nobody_but_the_builders_writes_there(settings: Settings, who: dict[str, Any]) -> None:
    for sql in ("delete from sales_delta.shop.orders", "drop table sales_delta.shop.orders"):
        with pytest.raises(TrinoUserError, match="Access Denied"):
            _ask(settings, sql, **who)


def test_pinots_catalogue_loads_and_asks_the_controller_that_was_set(settings: Settings) -> None:
    assert ["clicks_pinot"] in _ask(settings, "show catalogs", as_user=ANALYST)
    with pytest.raises(TrinoQueryError) as error:
        _ask(settings, "select * from clicks_pinot.default.clicks", as_user=ANALYST)
    assert "127.0.0.1:9" in str(error.value) or "PINOT" in str(error.value.error_name), error.value
