"""What Spark says of the live job's queries when a batch has ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def watermark(done: Iterable[Mapping[str, Any]]) -> str | None:
    """Before when identities and windows of every stream are done with, as of the batches that ended last."""
    told = [str(progress.get("eventTime", {}).get("watermark", "")) for progress in done]
    return min((one for one in told if one and not one.startswith("1970-")), default=None)
