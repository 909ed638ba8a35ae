"""One DAG for each streaming job, the platform's and a site's own, which keeps it running."""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.sdk import DAG
from headrace_airflow.operator import StreamingJobOperator

from headrace.runtime import jobs
from headrace.settings import get_settings

_WHAT = {
    "live": "Real-Time Mode: one-minute windows to `metrics_realtime`. Without it live figures stand still.",
    "lake": "Micro-batches: every record to the raw tables, accepted ones to `processed_…`, refused ones to "
    "`dead_letters`. Without it nothing new reaches the lake; events wait in Kafka, none is lost.",
}

_RUNBOOK = """
### Keeps the streaming job `{job}` running
{what}

**How.** The task attaches to the running job or starts it, then waits in the triggerer. A dead or stalled job is
replaced within seconds, inside the same task. Restarting Airflow does not disturb the job. Once a day the run ends well
and the next one attaches to the same process.

**Red?** The job failed eight times in ten minutes. Open *Log of the job* on the task (or `./headrace logs {job}`), mend the
cause; the next run starts it again. *Browse → Streams* shows state, lag and the reason of the last restart.

**Restarted without a failure?** A contract or a live metric was published (`./headrace stream apply`): the job ends by
itself and is started anew with it.

**Stop it, or start it again.** *Browse → Streams*, by roles with `run_streams`: stopped there it stays stopped, and this
task waits, until somebody presses Start. `./headrace restart {job}` and clearing the task replace the job at once, with the
code of that moment.

**Who cares.** The platform team.
"""

for _job in jobs.registry(get_settings()):
    with DAG(
        f"stream_{_job}",
        description=f"Keeps the streaming job {_job} running",
        schedule="@continuous",
        start_date=datetime(2025, 1, 1),
        catchup=False,
        max_active_runs=1,
        tags=["stream", "platform"],
        default_args={"owner": "platform", "retries": 5, "retry_delay": timedelta(seconds=5)},
        doc_md=_RUNBOOK.format(job=_job, what=_WHAT.get(_job, "A job that this site added.")),
    ):
        StreamingJobOperator(task_id=f"keep_{_job}", job=_job, execution_timeout=None)
