"""Downloads survive what networks do, and never keep a byte that was not locked."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import stamina

from headrace.runtime import artifacts
from headrace.runtime.artifacts import Artifact, ChecksumMismatch, FetchError
from headrace.settings import get_settings

CONTENT = bytes(range(256)) * 4096
ARTIFACT = Artifact("org.example:tool:1.0:jar", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))


class _Repository:
    """A Maven repository that can break off, refuse and lie."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.break_off_after: int | None = None
        self.failures = 0
        self.content = CONTENT
        repository = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                start = int(re.sub(r"\D", "", self.headers.get("Range", "0")) or 0)
                repository.requests.append(f"{self.path} from {start}")
                if not self.path.endswith("tool-1.0.jar"):
                    self.send_error(404)
                    return
                if repository.failures:
                    repository.failures -= 1
                    self.send_error(503)
                    return
                body = repository.content[start:]
                self.send_response(206 if start else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if repository.break_off_after is not None:
                    body, repository.break_off_after = body[: repository.break_off_after], None
                self.wfile.write(body)

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def repository() -> Iterator[_Repository]:
    repository = _Repository()
    with stamina.set_testing(True, attempts=4):
        yield repository
    repository.server.shutdown()


def _download(repository: _Repository, store: Path, artifact: Artifact = ARTIFACT) -> None:
    artifacts.download(repository.url, artifact, store, lambda *_: None, threading.Event())


def test_a_file_arrives_whole(repository: _Repository, tmp_path: Path) -> None:
    _download(repository, tmp_path)
    assert (tmp_path / "tool-1.0.jar").read_bytes() == CONTENT
    assert repository.requests == ["/org/example/tool/1.0/tool-1.0.jar from 0"]


def test_a_broken_download_goes_on_where_it_broke(repository: _Repository, tmp_path: Path) -> None:
    repository.break_off_after = 300_000
    _download(repository, tmp_path)
    assert (tmp_path / "tool-1.0.jar").read_bytes() == CONTENT
    assert len(repository.requests) == 2
    assert int(repository.requests[1].rsplit(" ", 1)[1]) > 0


def test_an_interrupted_download_goes_on_the_next_time(repository: _Repository, tmp_path: Path) -> None:
    (tmp_path / "tool-1.0.jar.part").write_bytes(CONTENT[:1000])
    _download(repository, tmp_path)
    assert (tmp_path / "tool-1.0.jar").read_bytes() == CONTENT
    assert repository.requests == ["/org/example/tool/1.0/tool-1.0.jar from 1000"]


def test_a_server_in_trouble_is_asked_again(repository: _Repository, tmp_path: Path) -> None:
    repository.failures = 2
    _download(repository, tmp_path)
    assert len(repository.requests) == 3


def test_altered_bytes_are_thrown_away_and_said(repository: _Repository, tmp_path: Path) -> None:
    repository.content = b"x" * len(CONTENT)
    with pytest.raises(ChecksumMismatch, match="run the same command again"):
        _download(repository, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_file_is_one_clear_message(repository: _Repository, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match=r"answers 404.*HEADRACE_MAVEN_URL"):
        _download(repository, tmp_path, Artifact("org.example:other:1.0:jar", "0" * 64, 1))


def test_the_repository_is_the_one_that_ivy_knows() -> None:
    address = artifacts.repository(get_settings())
    assert address.startswith("https://")
    assert address.endswith("/maven2/")


def test_every_locked_file_has_a_checksum_and_a_size() -> None:
    locked = artifacts.locked()
    assert {"kafka", "trino", "registry", "spark-live", "spark-lake"} <= set(locked)
    for item in (item for group in locked.values() for item in group):
        assert re.fullmatch(r"[0-9a-f]{64}", item.sha256), item.coordinates
        assert item.size > 0
