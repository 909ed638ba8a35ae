"""ClickHouse's own engine behind the little of its HTTP interface that the sink uses: `python FILE PORT FOLDER`.

No server of ClickHouse comes as a package; its engine does (chdb). This file is run by the environment that holds it, so it
knows nothing of the project.
"""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

from chdb import session


def main() -> None:
    port, folder = int(sys.argv[1]), sys.argv[2]
    engine = session.Session(folder)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            statement = parse_qs(urlsplit(self.path).query)["query"][0]
            body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
            try:
                code, text = 200, engine.query(f"{statement}\n{body}" if body else statement, "JSONEachRow").data()
            except Exception as error:  # noqa: BLE001 - as the server does: the answer says what is wrong
                code, text = 500, str(error)
            self.send_response(code)
            self.end_headers()
            self.wfile.write((text or "").encode())

        def log_message(self, *_: object) -> None: ...

    HTTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    main()
