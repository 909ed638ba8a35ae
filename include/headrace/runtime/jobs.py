"""The streaming jobs by name: what each is started with, and attach, start, judge and stop for whoever supervises them.

Airflow's operator and the command line use these same functions, so that one checkpoint never has two queries.
"""

from __future__ import annotations

import getpass
from pathlib import Path

from headrace.runtime.handle import Handle
from headrace.runtime.job_keeper import Job, JobBusy, JobHeld, Keeper
from headrace.runtime.job_state import Status
from headrace.settings import Settings, get_settings
from headrace.streams.landing import objects

__all__ = [
    "JOBS",
    "Job",
    "JobBusy",
    "JobHeld",
    "Keeper",
    "Status",
    "UnknownJob",
    "keeper",
    "registry",
    "start",
    "status",
    "stop",
]

JOBS = ("live", "lake")
"""The jobs of the platform; a site adds or replaces one with a file `etc/jobs/NAME.py` in the state folder."""


class UnknownJob(LookupError):
    """No streaming job has that name."""


def registry(settings: Settings) -> dict[str, Job]:
    folder = settings.repo / "spark_jobs"
    # Hadoop's own way to S3 is not used: Iceberg has one, in a jar that a lake in a folder does not need.
    lake_jars = ("spark-lake", "spark-s3") if objects.store(settings) else ("spark-lake",)
    return {
        "live": Job("live", folder / "live_windows.py", "live", java=25, jars=("spark-live",), driver_memory="768m"),
        "lake": Job("lake", folder / "lake.py", "main", java=21, jars=lake_jars, driver_memory="1g", can_wait=True),
        **{path.stem: Job(path.stem, path) for path in sorted((settings.etc / "jobs").glob("*.py"))},
    }


def keeper(name: str, settings: Settings | None = None) -> Keeper:
    settings = settings or get_settings()
    known = registry(settings)
    if name not in known:
        raise UnknownJob(f"No streaming job {name!r}; there are: {', '.join(known)}.")
    return Keeper(known[name], settings)


def status(name: str, settings: Settings | None = None) -> Status:
    """Judged by process and by progress; reads only."""
    return keeper(name, settings).status()


def start(name: str, settings: Settings | None = None) -> Handle:
    """The running job, for a person at this machine: also when somebody had stopped it."""
    try:
        person = getpass.getuser()
    except (KeyError, OSError):
        person = "a person at this machine"
    return keeper(name, settings).start(by=person)


def stop(name: str, grace: float | None = None, settings: Settings | None = None) -> bool:
    """Ends the job with everything it started; whether there was anything to end."""
    return keeper(name, settings).stop(grace)


def log_file(name: str, settings: Settings | None = None) -> Path:
    return keeper(name, settings).log_file
