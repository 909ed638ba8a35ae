"""On a busy machine the live path goes first: what may wait runs at a lower priority.

Priorities count within a session only where the kernel groups by session (as desktops do), so the leader of one lowers
its group too. A process may always lower its own; nothing here needs root.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

NICE = 5


def let_live_go_first(pid: int = 0) -> None:
    """Lowers the priority of a process, by default this one, and of all that it will start."""
    pid = pid or os.getpid()
    with contextlib.suppress(ProcessLookupError):
        os.setpriority(os.PRIO_PROCESS, pid, NICE)
        if os.getsid(pid) == pid:
            with contextlib.suppress(OSError):
                Path(f"/proc/{pid}/autogroup").write_text(str(NICE))
