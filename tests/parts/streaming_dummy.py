"""A streaming job without Spark: it beats like one, and a file beside it makes it fall silent."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from headrace.settings import get_settings
from headrace.streams.heartbeat import Heartbeat, own_handle


def main() -> None:
    name = Path(sys.argv[0]).stem
    heart, batch = Heartbeat(get_settings()), 0
    while True:
        if not Path(sys.argv[0]).with_suffix(".silent").exists():
            batch += 1
            heart.beat(name, own_handle(), batch_id=batch, lag=0)
        time.sleep(0.2)


if __name__ == "__main__":
    main()
