"""Profiles in PostgreSQL: the baseline is what was seen, for as long as it is worth comparing with."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import psycopg
from psycopg.types.json import Jsonb

from headrace.quality.profile import Profile
from headrace.settings import Settings

MOST = 288
"""Profiles that a new one is compared with: a day of five minutes."""
_KEPT_DAYS = 14
_INSERT = """
insert into profiles (subject, window_start, seconds, records, shares, levels) values (%s, %s, %s, %s, %s, %s)
on conflict (subject, window_start) do update set
    seconds = excluded.seconds, records = excluded.records, shares = excluded.shares, levels = excluded.levels
"""
_SELECT = """
select subject, extract(epoch from window_start)::bigint, seconds, records, shares, levels from (
    select profiles.*, row_number() over (partition by subject order by window_start desc) as place
    from profiles where subject = any(%s) and window_start < %s
) as numbered where place <= %s order by window_start
"""


class History:
    """One connection; what is too old is forgotten when it is opened."""

    def __init__(self, settings: Settings) -> None:
        self._connection = psycopg.connect(
            settings.postgres_dsn("headrace"),
            autocommit=True,
            connect_timeout=3,
            options="-c timezone=UTC -c statement_timeout=20000",
        )
        self._connection.execute(
            "delete from profiles where window_start < now() - make_interval(days => %s)", [_KEPT_DAYS]
        )

    def before(self, subjects: Iterable[str], start: int) -> dict[str, list[Profile]]:
        """Of each subject the profiles that began before this moment, oldest first."""
        found: dict[str, list[Profile]] = {subject: [] for subject in subjects}
        for row in self._connection.execute(_SELECT, [list(found), datetime.fromtimestamp(start, UTC), MOST]):
            found[row[0]].append(_profile(row))
        return found

    def keep(self, profiles: Iterable[Profile]) -> None:
        rows = [
            (p.subject, datetime.fromtimestamp(p.start, UTC), p.seconds, p.count, Jsonb(p.shares), Jsonb(p.levels))
            for p in profiles
        ]
        self._connection.cursor().executemany(_INSERT, rows)

    def close(self) -> None:
        self._connection.close()


def _profile(row: tuple) -> Profile:  # type: ignore[type-arg]
    subject, start, seconds, records, shares, levels = row
    pairs = {name: (int(k), int(n)) for name, (k, n) in shares.items()}
    return Profile(subject, start, seconds, records, pairs, {name: (v, int(n)) for name, (v, n) in levels.items()})
