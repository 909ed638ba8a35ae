"""Tidying deletes what is old and nothing else."""

from __future__ import annotations

import os
import time
from datetime import timedelta

from headrace.runtime import upkeep
from headrace.settings import Settings

DAY = 86400


def test_only_old_logs_go(settings: Settings) -> None:
    folder = settings.logs / "airflow" / "dag_id=x" / "run_id=y"
    folder.mkdir(parents=True)
    old, new = folder / "attempt=1.log", folder / "attempt=2.log"
    for path in (old, new):
        path.write_text("said")
    os.utime(old, (time.time() - 15 * DAY,) * 2)
    assert upkeep.delete_old_logs(settings) == 1
    assert not old.exists()
    assert new.exists()


def test_a_young_installation_has_nothing_old(settings: Settings) -> None:
    assert not upkeep.worth_it(settings)
    assert upkeep.worth_it(settings, after=timedelta(0))
