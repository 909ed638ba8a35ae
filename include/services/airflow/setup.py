"""Makes Airflow's database ready in one process: tables, roles, the administrator, the pool of the lake build.

Run by `headrace.runtime.airflow.prepare` with Airflow's environment. One process instead of four commands, because
importing Airflow is what takes the time.
"""

from __future__ import annotations

from airflow.models.pool import Pool
from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder  # noqa: TID253
from airflow.utils.db import upgradedb
from airflow.utils.providers_configuration_loader import providers_configuration_loaded

from headrace.settings import get_settings

ADMIN = "admin"


def _administrator() -> None:
    password = get_settings().secret("admin_password")
    with get_application_builder() as builder:
        manager = builder.sm
        manager.sync_roles()
        if user := manager.find_user(ADMIN):
            manager.reset_password(user.id, password)
        elif not manager.add_user(ADMIN, "Head", "Race", "admin@localhost", manager.find_role("Admin"), password):
            raise SystemExit("Airflow refused to create the user admin; its reason is in the lines above.")


@providers_configuration_loaded
def main() -> None:
    upgradedb()
    _administrator()
    Pool.create_or_update_pool(
        "dbt", slots=1, description="One dbt build of the lake at a time.", include_deferred=False
    )


if __name__ == "__main__":
    main()
