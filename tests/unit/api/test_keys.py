"""One thing by its key over HTTP: who sees what of it, where it came from, and that each read is recorded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from headrace.keys.features import AsOf
from headrace.live.either import LiveNotFilled
from headrace.live.records import Record, version_of
from headrace.policy.users import save_user
from headrace.semantics.features import FeatureSet
from tests.unit.api.test_api import Api

AT = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


@pytest.fixture
def api(tmp_path: Path) -> Api:
    made = Api(tmp_path)
    event = {"event_id": "e1", "user_id": "u1", "merchant_id": "m1", "amount": "12.50", "region": "asia"}
    customer = {"customer_id": "c1", "name": "Ann", "email": "a@example.com", "region": "asia"}
    merchant = {"merchant_id": "m1", "name": "Shop", "region": "asia"}
    for stream, document in (("transactions", event), ("customers", customer), ("merchants", merchant)):
        key = next(iter(document.values()))
        made.records.known[key] = Record(stream, key, version_of(AT), AT, AT, dict(document), "processed")
    for role in ("analyst", "viewer"):
        save_user(made.settings, role, "a long password", (role,))
    return made


def test_an_event_by_its_id_and_its_person_under_a_pseudonym(api: Api) -> None:
    found = api.call("GET", "/events/e1").json()
    assert (found["stream"], found["source"], found["document"]["user_id"]) == ("transactions", "processed", "u1")
    masked = api.call("GET", "/events/e1", person="analyst").json()["document"]
    assert len(masked["user_id"]) == 64 and masked["amount"] == "12.50"
    assert api.call("GET", "/events/e1", person="viewer").status_code == 403
    assert api.call("GET", "/events/nobody").status_code == 404
    assert api.call("GET", "/events/e1?stream=orders").status_code == 404
    assert "transactions" in api.call("GET", "/events/e1?stream=nonsense").json()["error"]["next_step"]


def test_reference_data_of_persons_is_for_those_who_see_persons(api: Api) -> None:
    assert api.call("GET", "/reference/customers/c1").json()["document"]["name"] == "Ann"
    for role in ("analyst", "viewer"):
        assert api.call("GET", "/reference/customers/c1", person=role).status_code == 403
        assert api.call("GET", "/reference/merchants/m1", person=role).json()["document"]["name"] == "Shop"
    assert api.call("GET", "/reference/customers/c2").status_code == 404
    assert "customers" in api.call("GET", "/reference/transactions/e1").json()["error"]["next_step"]


def test_every_read_is_recorded_or_withheld(api: Api) -> None:
    api.call("GET", "/reference/customers/c1")
    api.call("GET", "/reference/customers/c1", person="analyst")
    assert [(e.actor, e.subject, e.allowed) for e in api.audit.entries] == [
        ("admin", "customers c1", True),
        ("analyst", "curated.dim_customers", False),
    ]
    api.audit.broken = True
    assert api.call("GET", "/events/e1").status_code == 503


def test_the_latest_value_comes_from_its_key_else_from_the_windows_else_from_curated(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    kept: dict[str, Any] = {"metric": "sales", "minutes": 5, "unit": "USD", "start": now, "end": now, "as_of": now}
    api.kept["sales", 5, None] = kept | {"value": 3.5}
    assert api.call("GET", "/metrics/sales/latest").json()["value"] == 3.5
    folded = api.call("GET", "/metrics/sales/latest?minutes=10").json()
    assert (folded["source"], folded["value"]) == ("windows", 19.0)
    split = api.call("GET", "/metrics/transactions/latest?minutes=10&by=region").json()
    assert split["values"] == {"europe": 3}
    assert api.call("GET", "/metrics/nonsense/latest").status_code == 404
    assert api.call("GET", "/metrics/sales/latest?by=user_id", person="viewer").status_code == 403

    def filling(*_: Any, **__: Any) -> Any:
        raise LiveNotFilled("being filled")

    monkeypatch.setattr(api.store, "windows", filling)
    api.history.events = list(api.events)
    api.covered = now + timedelta(minutes=1)
    past = api.call("GET", "/metrics/sales/latest?minutes=10").json()
    assert (past["source"], past["value"]) == ("curated", 19.0)


class FakeFeatures:
    def sets(self) -> dict[str, FeatureSet]:
        return {
            "customer": FeatureSet("customer", "customers", ("sales",), (5,)),
            "merchant": FeatureSet("merchant", "merchants", ("sales",), (5,)),
        }

    def columns(self, features: FeatureSet) -> set[str]:
        return {"user_id" if features.entity == "customer" else "merchant_id"}

    def live(self, features: FeatureSet, entity_id: str, now: datetime) -> tuple[dict[str, float], str]:
        if entity_id == "old":
            raise LiveNotFilled("being filled")
        return {"sales_5m": 1.5}, "live"

    def asof(self, features: FeatureSet, asked: list[tuple[str, datetime]]) -> list[AsOf]:
        return [AsOf(id_, at, {"sales_5m": 2.5}, at < AT) for id_, at in asked]

    def covered(self, features: FeatureSet) -> datetime:
        return AT


def test_features_are_for_those_who_see_whose_they_are(api: Api) -> None:
    api.features = FakeFeatures()
    found = api.call("GET", "/features/customer/c1").json()
    assert (found["source"], found["features"]) == ("live", {"sales_5m": 1.5})
    old = api.call("GET", "/features/customer/old").json()
    assert (old["source"], old["features"], old["as_of"]) == ("lake", {"sales_5m": 2.5}, "2026-11-21T10:00:00Z")
    for role in ("analyst", "viewer"):
        assert api.call("GET", "/features/customer/c1", person=role).status_code == 403
        assert api.call("GET", "/features/merchant/m1", person=role).status_code == 200
    assert "customer" in api.call("GET", "/features/nobody/c1").json()["error"]["next_step"]


def test_features_as_of_moments_say_what_may_still_come_and_nothing_of_the_future(api: Api) -> None:
    api.features = FakeFeatures()
    rows = [{"id": "c1", "at": (AT - timedelta(hours=1)).isoformat()}, {"id": "c1", "at": AT.isoformat()}]
    found = api.call("POST", "/features/customer/as-of", json={"rows": rows}).json()
    assert [row["complete"] for row in found["rows"]] == [True, False]
    ahead = {"id": "c1", "at": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}
    assert api.call("POST", "/features/customer/as-of", json={"rows": [ahead]}).status_code == 422
    without_zone = {"id": "c1", "at": "2026-11-21T10:00:00"}
    assert api.call("POST", "/features/customer/as-of", json={"rows": [without_zone]}).status_code == 422
