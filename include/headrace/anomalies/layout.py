"""How incidents lie in the live store."""

from __future__ import annotations

LIVE_KEY = "anomalies"
"""Hash: id → JSON, of incidents that are open or were opened in the last day."""
