"""Builds the locked Python environments before anything else of the project can be imported.

Only the standard library is used here: on a fresh machine there is nothing else. An environment's folder is named by
the hash of its lock file, the Python and the platform, so a changed lock builds a new one beside the old, and a
finished one (it holds `.complete`) is never written to again.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

REPO = Path(__file__).resolve().parents[3]
LOCKS = REPO / "requirements"
_WAIT_SECONDS = 1800


class Unprepared(RuntimeError):
    """The machine cannot be prepared; the message says what to do next."""


def cache_folder() -> Path:
    return Path(os.environ.get("HEADRACE_CACHE") or "~/.cache/headrace").expanduser().absolute()


def environment_folder(name: str) -> Path:
    kind = f"{sys.version_info[:2]}-{sys.platform}-{platform.machine()}"
    digest = hashlib.sha256((LOCKS / f"{name}.txt").read_bytes() + kind.encode()).hexdigest()[:12]
    return cache_folder() / "environments" / f"{name}-{digest}"


def is_complete(name: str) -> bool:
    return (environment_folder(name) / ".complete").is_file()


def python_of(name: str) -> Path:
    return environment_folder(name) / "bin" / "python"


@contextlib.contextmanager
def exclusive(path: Path, doing: str) -> Iterator[None]:
    """One process at a time; a second one waits and says for what."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.open("w")
    except OSError as error:
        raise Unprepared(
            f"The cache folder cannot be written ({error}).\n"
            f"Next: make it writable, or name another one: HEADRACE_CACHE=/path/with/8GB ./headrace up"
        ) from error
    with handle:
        deadline = time.monotonic() + _WAIT_SECONDS
        told = False
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Unprepared(f"Another headrace process has been {doing} for too long: end it.") from None
                if not told:
                    print(f"Another headrace process is {doing}; waiting for it.", file=sys.stderr)
                told = True
                time.sleep(0.5)
        yield


def run(command: list[str | Path], doing: str) -> None:
    environment = os.environ | {"UV_CACHE_DIR": str(cache_folder() / "uv-cache"), "UV_LINK_MODE": "hardlink"}
    environment.pop("VIRTUAL_ENV", None)
    result = subprocess.run([str(c) for c in command], env=environment, check=False)
    if result.returncode != 0:
        raise Unprepared(
            f"{doing} failed; the lines above say why. Next: check the network, then run the same command again."
        )


def uv() -> Path:
    """The pinned uv, fetched with pip into a folder of its own."""
    folder = environment_folder("uv")
    binary = folder / "bin" / "uv"
    if is_complete("uv"):
        return binary
    with exclusive(cache_folder() / "locks" / "uv", "fetching uv"):
        if is_complete("uv"):
            return binary
        print("Fetching uv, the installer of the locked Python packages.", file=sys.stderr)
        # --target works where the system's Python comes without venv or ensurepip.
        pip: list[str | Path] = [sys.executable, "-m", "pip"]
        if subprocess.run([str(c) for c in [*pip, "--version"]], capture_output=True, check=False).returncode != 0:
            with contextlib.suppress(subprocess.CalledProcessError):
                subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, capture_output=True)
            pip = [folder / "bin" / "python", "-m", "pip"]
            if not (folder / "bin" / "python").exists():
                raise Unprepared(
                    "This Python has neither pip nor venv.\nNext: install one (Debian: `apt install python3-pip`), "
                    "or name another Python: HEADRACE_PYTHON=/path/to/python3.12 ./headrace up"
                )
        run([*pip, "install", "--quiet", "--disable-pip-version-check", "--no-warn-script-location", "--upgrade",
             "--require-hashes", "--target", folder, "-r", LOCKS / "uv.txt"], "Fetching uv")  # fmt: skip
        (folder / ".complete").touch()
    return binary


def ensure_environment(name: str, *, target: bool = False) -> Path:
    """The folder of a locked environment, built if it is not there; `target` lays packages in a plain folder."""
    folder = environment_folder(name)
    if is_complete(name):
        return folder
    installer = uv()
    with exclusive(cache_folder() / "locks" / name, f"building the Python environment {name!r}"):
        if is_complete(name):
            return folder
        print(f"Building the locked Python environment {name!r} (once).", file=sys.stderr)
        where: list[str | Path] = ["--target", folder, "--python", sys.executable]
        if not target:
            where = ["--python", folder / "bin" / "python"]
            if not (folder / "bin" / "python").exists():
                run([installer, "venv", "--quiet", "--python", sys.executable, folder], f"Making {name}")
        install = [installer, "pip", "install", *where, "--require-hashes", "-r", LOCKS / f"{name}.txt"]
        try:
            run(install, f"Installing {name}")
        except Unprepared:
            print("Trying once more with fresh package lists.", file=sys.stderr)
            run([*install, "--refresh"], f"Installing {name}")
        (folder / ".complete").touch()
    return folder


def main() -> None:
    try:
        ensure_environment("main")
    except Unprepared as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("\nInterrupted; what was fetched is kept. Run the same command again to go on.")
    python = python_of("main")
    paths = [str(REPO / "include"), str(REPO)]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(paths),
        "HEADRACE_REPO": str(REPO),
        "PYTHONNOUSERSITE": "1",
    }
    os.execve(python, [str(python), "-m", "headrace.cli", *sys.argv[1:]], environment)


if __name__ == "__main__":
    main()
