"""The way from a task in Airflow to the log of the job it keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.models.taskinstancekey import TaskInstanceKey
    from airflow.sdk import BaseOperator


class JobLogLink(BaseOperatorLink):
    name = "Log of the job"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        from headrace.settings import get_settings

        return f"{get_settings().airflow_url}/headrace/streams/{getattr(operator, 'job', '')}/log"
