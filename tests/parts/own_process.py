"""A part as a process of its own, to be killed: without the supervisor, which would start it anew."""

from __future__ import annotations

import os
import subprocess
import sys

from headrace.settings import Settings


class OwnProcess:
    def __init__(self, settings: Settings, module: str) -> None:
        environment = os.environ | {"HEADRACE_HOME": str(settings.home), "PYTHONPATH": str(settings.repo / "include")}
        self.process = subprocess.Popen([sys.executable, "-m", module], env=environment)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> None:
        self.process.terminate()
        assert self.process.wait(20) == 0
