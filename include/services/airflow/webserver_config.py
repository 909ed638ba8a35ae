"""Sign-in of Airflow's own pages: local accounts of FAB; OIDC replaces AUTH_TYPE here when a company has one."""

from __future__ import annotations

from flask_appbuilder.const import AUTH_DB

AUTH_TYPE = AUTH_DB
WTF_CSRF_ENABLED = True
# One api-server process answers on loopback: counting sign-in attempts in its memory is enough.
RATELIMIT_STORAGE_URI = "memory://"
