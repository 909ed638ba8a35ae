"""Joins the house to the real stores. Nothing here waits for a server: each is reached when it is first needed."""

from __future__ import annotations

from headrace.log import get_logger

_LOG = get_logger(__name__)
_LIVE_SECONDS = 2.0
_COVERAGE_SECONDS = 2.0
STREAM = "transactions"
