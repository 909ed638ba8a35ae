"""Takes back what was claimed under a clock that was ahead, once it has gone back: records still come that are older."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg

from headrace.lake import coverage
from headrace.log import get_logger
from headrace.settings import Settings

log = get_logger(__name__)


class Clock:
    """Sees the clock go back, also while its process was down: `newest` is the latest moment that a predecessor told."""

    def __init__(self, settings: Settings, newest: datetime | None) -> None:
        self._settings, self._newest = settings, newest
        self._back_to: datetime | None = None

    def went_back(self, now: datetime | None = None) -> bool:
        """True as long as what was claimed under a later clock could not be taken back."""
        now = now or datetime.now(UTC)
        if self._newest and now < self._newest:
            self._back_to = min(now, self._back_to or now)
            log.error("the clock went back; what it claimed since is taken back", by=str(self._newest - now))
        self._newest = now
        return self._back_to is not None and self._take_back(self._back_to)

    def _take_back(self, moment: datetime) -> bool:
        """From now on records come that arrived after `moment`; those in time are no older than the lateness before it."""
        true = (moment - timedelta(minutes=self._settings.lateness_minutes)).replace(second=0, microsecond=0)
        try:
            coverage.withdraw(self._settings, true)
        except (psycopg.Error, OSError) as error:
            log.warning("the claim is not taken back yet; the next beat tries again", why=str(error)[:200])
        else:
            self._back_to = None
        return True
