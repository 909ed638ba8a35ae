"""GET /anomalies: incidents that are open or recent, as far as this person may see them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from app.api.models import Anomalies, Anomaly
from app.api.parts import Parts
from headrace.assistant.permit import row_filters
from headrace.policy import Identity, Resource, allowed
from headrace.policy.decide import column_masks

_PERSON = "user_id"


def recent(parts: Parts, person: Identity, state: str | None) -> Anomalies:
    """Newest first. A person's name is shown to those who see it elsewhere, unmasked; the others learn only that there is more."""
    limits = {f.dimension: f.values for f in row_filters(person)}
    names = allowed(person, "live", Resource("dimension", _PERSON)).allowed and _PERSON not in column_masks(person)
    held = [found for found in parts.anomalies() if state in (None, found["state"])]
    shown = [found for found in held if _visible(found, limits) and (names or found["scope"] != "user")]
    shown.sort(key=lambda found: str(found["opened_at"]), reverse=True)
    return Anomalies(
        as_of=datetime.now(UTC), anomalies=[Anomaly.model_validate(one) for one in shown], hidden=len(held) - len(shown)
    )


def _visible(found: dict[str, Any], limits: dict[str, tuple[str, ...]]) -> bool:
    """Under a row limit only what lies wholly within it; what is of all merchants never does."""
    if not limits:
        return True
    rows = [one["keys"] for one in found["contributors"]]
    inside = all(row.get(name) in values for row in rows for name, values in limits.items())
    return bool(rows) and inside and found["scope"] != "platform"
