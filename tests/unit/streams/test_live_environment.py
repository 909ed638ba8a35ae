"""The live job runs in an environment of its own, with fewer packages than everything else has."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from headrace.settings import REPO

_IMPORT = """
import importlib.metadata, importlib.util, re, sys
allowed = set(sys.argv[2].split(","))
spelled = lambda name: re.sub("[-_.]+", "-", name).lower()
for module, packages in importlib.metadata.packages_distributions().items():
    if module not in ("headrace", "_distutils_hack") and not {spelled(name) for name in packages} & allowed:
        sys.modules.setdefault(module, None)
spec = importlib.util.spec_from_file_location("job", sys.argv[1])
spec.loader.exec_module(importlib.util.module_from_spec(spec))
"""


def test_the_live_job_imports_nothing_that_its_environment_lacks() -> None:
    locked = (REPO / "requirements" / "live.txt").read_text()
    allowed = {name.lower() for name in re.findall(r"^([\w.-]+)==", locked, re.MULTILINE)}
    assert {"pyspark", "pyyaml"} <= allowed
    assert "msgspec" not in allowed, "then this test proves less than it did"
    command = [sys.executable, "-c", _IMPORT, str(REPO / "spark_jobs" / "live_windows.py"), ",".join(allowed)]
    environment = os.environ | {"PYTHONPATH": str(REPO / "include")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
