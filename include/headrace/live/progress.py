"""What Spark says of the live job's queries when a batch has ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def watermark(done: Iterable[Mapping[str, Any]]) -> str | None:
    """Before when identities and windows of every stream are done with, as of the batches that ended last."""
    told = [str(progress.get("eventTime", {}).get("watermark", "")) for progress in done]
    return min((one for one in told if one and not one.startswith("1970-")), default=None)


def boundary(progress: Mapping[str, Any]) -> dict[str, int]:
    """Milliseconds of what stands still between two batches: rows wait for all of it."""
    took, state = progress.get("durationMs", {}), progress.get("stateOperators", [])
    return {
        "planned_ms": int(took.get("queryPlanning", 0)),
        "forgot_ms": sum(int(one.get("allRemovalsTimeMs", 0)) for one in state),
        "saved_ms": sum(int(one.get("commitTimeMs", 0)) for one in state),
        "written_ms": int(took.get("walCommit", 0)) + int(took.get("commitOffsets", 0)),
    }
