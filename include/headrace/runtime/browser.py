"""A Chromium for the browser tests: the person's choice, the machine's own, or one that npm brings.

Playwright's own download comes from an address that companies often block; a package registry rarely is. So where no
browser is installed, the build that `@sparticuz/chromium` carries is unpacked once into the cache, its checksum pinned.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from headrace.log import get_logger
from headrace.settings import Settings

PACKAGE = "@sparticuz/chromium"
VERSION = "147.0.0"
SHA256 = "18fe5404ce845594cd7d592fc07f37a19514079ba4d9c27192ad8b908743f16b"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Nothing but the page under test may use the network, and a container's small /dev/shm must not end a tab.
QUIET = ("--disable-background-networking", "--disable-component-update", "--no-first-run", "--disable-dev-shm-usage")
FETCH_SECONDS = 480
_ARCHIVES = ("swiftshader.tar", "al2023.tar", "fonts.tar")
_UNPACK = """
const fs = require('fs'), zlib = require('zlib');
for (const name of fs.readdirSync('.').filter(n => n.endsWith('.br')))
  fs.createReadStream(name).pipe(zlib.createBrotliDecompress()).pipe(fs.createWriteStream(name.slice(0, -3)));
"""


class NoBrowser(LookupError):
    """There is no Chromium here and none can be fetched; the message says what to install or set."""


@dataclass(frozen=True)
class Browser:
    """What Playwright needs to start it: `launch(executable_path=…, args=…, env=…)`."""

    executable: Path
    arguments: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)


def find(settings: Settings, *, fetch: bool = True) -> Browser:
    """The browser to test with, or NoBrowser with the next step."""
    if settings.browser:
        return _chosen(settings.browser)
    if (own := _on_path()) is not None:
        return Browser(own, _arguments())
    folder = settings.cache / "browser" / VERSION
    if not _complete(folder):
        if not fetch:
            raise NoBrowser(f"No Chromium on this machine and none in {folder}: install one, or set HEADRACE_BROWSER.")
        _fetch(folder)
    return _unpacked(folder)


def _chosen(path: Path) -> Browser:
    if not os.access(path, os.X_OK):
        raise NoBrowser(f"HEADRACE_BROWSER names {path}, which is no program: correct it or remove it.")
    return Browser(path, _arguments())


def _on_path() -> Path | None:
    return next((Path(found) for name in NAMES if (found := shutil.which(name))), None)


def _arguments() -> tuple[str, ...]:
    # Chromium's sandbox refuses root, and many containers run as root.
    return (*QUIET, "--no-sandbox") if os.geteuid() == 0 else QUIET


def _complete(folder: Path) -> bool:
    return (folder / "chromium").is_file()


def _unpacked(folder: Path) -> Browser:
    environment = {"LD_LIBRARY_PATH": str(folder / "lib")}
    if not Path("/etc/fonts/fonts.conf").exists():
        environment["FONTCONFIG_PATH"] = str(folder)
    # An unpacked browser has no set-uid helper, so it has no sandbox for anybody.
    return Browser(folder / "chromium", (*QUIET, "--no-sandbox", "--no-zygote"), environment)


def _fetch(folder: Path) -> None:
    """Download, check and unpack beside the final place, then appear there at once."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if not npm or not node:
        raise NoBrowser(
            "No Chromium and no npm to fetch one: install Chromium, or set HEADRACE_BROWSER to its program."
        )
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        raise NoBrowser(f"{PACKAGE} is for Linux on x86_64: install Chromium, or set HEADRACE_BROWSER to its program.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    get_logger(__name__).info("fetching a browser", package=f"{PACKAGE}@{VERSION}", into=str(folder))
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="unpack-") as scratch:
        work = Path(scratch)
        parts = _take_apart(_download(npm, work), work)
        _decompress(node, parts)
        _assemble(parts)
        if not _complete(folder):
            shutil.rmtree(folder, ignore_errors=True)
            parts.rename(folder)


def _run(command: list[str], cwd: Path) -> str:
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=FETCH_SECONDS, check=True)
    except subprocess.TimeoutExpired:
        raise NoBrowser(f"`{command[0]}` took over {FETCH_SECONDS} s: look at the network, then repeat.") from None
    except subprocess.CalledProcessError as error:
        reason = (error.stderr or "").strip().splitlines()
        raise NoBrowser(f"`{Path(command[0]).name}` failed: {reason[-1] if reason else error}") from error
    return done.stdout.strip()


def _download(npm: str, work: Path) -> Path:
    name = _run([npm, "pack", f"{PACKAGE}@{VERSION}", "--ignore-scripts", "--loglevel=error"], work).splitlines()[-1]
    archive = work / name
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != SHA256:
        raise NoBrowser(f"{name} has checksum {digest}, not {SHA256}: the download is not the pinned one, repeat it.")
    return archive


def _take_apart(archive: Path, work: Path) -> Path:
    with tarfile.open(archive) as tar:
        members = [m for m in tar.getmembers() if m.name.startswith("package/bin/")]
        tar.extractall(work, members=members, filter="data")
    return work / "package" / "bin"


def _decompress(node: str, parts: Path) -> None:
    """npm never comes without Node, and Node can Brotli: no further package is needed."""
    _run([node, "-e", _UNPACK], parts)
    for packed in parts.glob("*.br"):
        packed.unlink()


def _assemble(parts: Path) -> None:
    for name in _ARCHIVES:
        with tarfile.open(parts / name) as tar:
            tar.extractall(parts, filter="data")
        (parts / name).unlink()
    (parts / "chromium").chmod(0o755)
