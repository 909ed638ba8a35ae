"""From when on things are kept: who deletes, who builds and who builds anew ask the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def kept_since(days: int) -> datetime | None:
    """The midnight (UTC) before which nothing is kept; None where everything is."""
    if not days:
        return None
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days)
