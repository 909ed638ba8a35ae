"""Serves the documentation that dbt makes of the project: models, columns, lineage. Started as a part of its own.

Files come from `docs/` in the state folder, which the first build of the lake fills, and a later one fills anew
after a change of the project; until then a page says what is coming.
"""

from __future__ import annotations

import sys
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from headrace.log import configure, get_logger
from headrace.settings import Settings, get_settings

_LOG = get_logger(__name__)
_SOON = """<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="15">
<title>dbt docs</title><body style="font-family:system-ui;max-width:36rem;margin:15vh auto;line-height:1.6;padding:0 1rem">
<h1>The docs are being built</h1><p>They appear here by themselves after the first build of the lake, some minutes after
the first start. Airflow's DAG <code>first_build</code> shows how far it is.</p></body></html>"""


def folder(settings: Settings) -> Path:
    return settings.home / "docs"


class DocsHandler(SimpleHTTPRequestHandler):
    """Files of one folder; nothing else, and no listing of it."""

    server_version = "headrace-docs"
    sys_version = ""

    def do_GET(self) -> None:
        if self.path == "/health":
            self._text(HTTPStatus.OK, "ok\n", "text/plain")
        elif self.path.split("?")[0] in ("/", "/index.html") and not (Path(self.directory) / "index.html").is_file():
            self._text(HTTPStatus.OK, _SOON, "text/html; charset=utf-8")
        else:
            super().do_GET()

    def end_headers(self) -> None:
        # The files change with the project, under the same names.
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def list_directory(self, path: Any) -> None:
        self.send_error(HTTPStatus.NOT_FOUND)

    def log_message(self, format: str, *args: Any) -> None:
        _LOG.debug("request", line=format % args)

    def _text(self, status: HTTPStatus, text: str, kind: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def server(settings: Settings) -> ThreadingHTTPServer:
    target = folder(settings)
    target.mkdir(parents=True, exist_ok=True)

    def handler(*args: Any) -> DocsHandler:
        return DocsHandler(*args, directory=str(target))

    return ThreadingHTTPServer((settings.bind, settings.ports.docs), handler)


def main() -> int:
    configure("docs")
    settings = get_settings()
    with server(settings) as running:
        _LOG.info("docs_served", url=settings.docs_url)
        try:
            running.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
