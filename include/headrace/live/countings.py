"""When a counting that began anew is shown: once it has reached the present and nothing older of it is on its way."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from headrace.live.layout import PRESENT, SHOW
from headrace.live.rows import Row
from headrace.log import get_logger

log = get_logger(__name__)


class Countings:
    """Over a Valkey client whose answers are text."""

    def __init__(self, client: Any) -> None:
        self._client, self._show = client, client.register_script(SHOW)
        self._behind: set[tuple[str, int]] = set()
        self._watched = False

    def saw(self, rows: Iterable[Row]) -> None:
        """One partition of its topic may have reached the present while another is still far behind."""
        self._behind.update((row.spec, row.version[0]) for row in rows if not row.present)

    def settle(self, *, whole: bool = False) -> None:
        """Between two calls the rows are watched; `whole` says that all there are have been written."""
        found: dict[str, set[int]] = {}
        for name in self._client.smembers(PRESENT) if self._watched or whole else ():
            spec, _, generation = name.rpartition("@")
            found.setdefault(spec, set()).add(int(generation))
        for spec, generations in found.items():
            ready = [number for number in generations if whole or (spec, number) not in self._behind]
            if ready:
                self._put_first(spec, max(ready), generations)
        self._behind.clear()
        self._watched = True

    def _put_first(self, spec: str, generation: int, known: set[int]) -> None:
        self._show(args=[spec, generation])
        if older := [f"{spec}@{number}" for number in known if number < generation]:
            self._client.srem(PRESENT, *older)
        log.info("a counting has reached the present and is shown", spec=spec, generation=generation)
