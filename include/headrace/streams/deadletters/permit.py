"""What a person needs to look at dead letters, to settle them, and to see them in full."""

from __future__ import annotations

from headrace.policy import Identity, column_masks, row_limits

READ, SETTLE = "read_letters", "settle_letters"


def sees_persons(person: Identity) -> bool:
    """The original bytes may name a person: only those see them from whom no column is masked and no row is kept."""
    return not column_masks(person) and not row_limits(person)
