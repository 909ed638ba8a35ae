"""The part `sinks`: a thread for each sink, one that measures, and one that folds latest metrics. `python -m headrace.runtime.sinks`.

It runs below the others: what is written here is for later, and must not take the processor from live figures. A changed
contract is written down, and the part ends to be started again with it: a new person's field must be known before its figures.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading

import psycopg

from headrace.contracts.model import ContractError
from headrace.keys.folding import latest_metrics
from headrace.live.projector import touch_alive
from headrace.log import configure, get_logger
from headrace.runtime.sampling import Sampler
from headrace.settings import Settings, get_settings
from headrace.sinks import configuration
from headrace.sinks.registry import worker
from headrace.streams.job import stop_signal

log = get_logger(__name__)
_NICE = 10
_JOIN_SECONDS = 10.0


def main() -> int:
    settings = get_settings()
    configure("sinks")
    os.nice(_NICE)
    stop = stop_signal()
    settings.run.mkdir(parents=True, exist_ok=True)
    known = _stamps(settings)
    threads = _threads(settings, stop)
    log.info("sinks begin", sinks=settings.running_sinks)
    for thread in threads:
        thread.start()
    alive = 0.0
    while not stop.wait(1.0):
        if (now := _stamps(settings)) != known and _in_step(settings):
            log.info("contracts changed; the part ends and is started again with them", files=len(now))
            stop.set()
            break
        if ended := [thread.name for thread in threads if not thread.is_alive()]:
            log.error("a thread ended; the part ends with it and is started again", threads=ended)
            stop.set()
            return 1
        alive = touch_alive(settings, alive, "sinks")
    for thread in threads:
        thread.join(_JOIN_SECONDS)
    return 0


def _stamps(settings: Settings) -> dict[str, int]:
    """A file that is being replaced may be gone for a moment."""
    found = {}
    for path in settings.contracts.glob("*.yaml"):
        with contextlib.suppress(FileNotFoundError):
            found[path.name] = path.stat().st_mtime_ns
    return found


def _in_step(settings: Settings) -> bool:
    """Whether the change was written down; a file that is not finished yet is looked at again."""
    try:
        configuration.keep_in_step(settings)
    except (ContractError, psycopg.Error) as error:
        log.warning("the changed contracts cannot be taken up yet", error=str(error))
        return False
    return True


def _threads(settings: Settings, stop: threading.Event) -> list[threading.Thread]:
    tasks = {name: worker(settings, name).run for name in settings.running_sinks}
    tasks |= {"measure": Sampler(settings).run, "latest": latest_metrics(settings).run}
    return [threading.Thread(target=task, args=(stop,), name=name, daemon=True) for name, task in tasks.items()]


if __name__ == "__main__":
    sys.exit(main())
