"""The last minutes of every live row, in arrays of a fixed length."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from headrace.anomalies.score import Array

MINUTES = 66
"""An hour, the minute that fills, and what may already be there of later ones."""
SHOWN = 60
_MOST = 50_000


class Cell(NamedTuple):
    """The key of a live row."""

    merchant: str
    transaction_type: str
    currency: str
    region: str


class Ring:
    """Rows are added and never removed while the part runs; `full` says when no more fit."""

    def __init__(self) -> None:
        self.cells: list[Cell] = []
        self.newest = 0
        self._index: dict[Cell, int] = {}
        self.n = np.zeros((64, MINUTES), np.int32)
        self.total, self.largest = np.zeros((64, MINUTES), np.float32), np.zeros((64, MINUTES), np.float32)
        self.last = np.zeros(64)
        """When each row's newest event happened, in epoch seconds."""
        self._watched: set[int] = set()

    @property
    def full(self) -> bool:
        return len(self.cells) >= _MOST

    def row(self, cell: Cell) -> int:
        """The place of a cell, made when it is new; -1 when none is left."""
        place = self._index.get(cell)
        if place is not None:
            return place
        if self.full:
            return -1
        place = self._index[cell] = len(self.cells)
        self.cells.append(cell)
        if place == len(self.n):
            for name in ("n", "total", "largest", "last"):
                values = getattr(self, name)
                setattr(self, name, np.concatenate([values, np.zeros_like(values)]))
        return place

    def put(self, cell: Cell, minute: int, n: int, total: float, largest: float, last: float) -> None:
        """Rows only grow: a count that begins anew passes through smaller figures, which say nothing."""
        place = self.row(cell)
        if place < 0 or not self.reach(minute):
            return
        column = minute % MINUTES
        if n > self.n[place, column]:
            self.n[place, column] = n
            self.total[place, column], self.largest[place, column] = total, largest
            self.last[place] = max(self.last[place], last)

    def add(self, rows: Array, minute: int, n: Array, total: Array, largest: Array, last: Array) -> None:
        """Many rows at once, each with what came on top of what is there."""
        if self.reach(minute):
            column = minute % MINUTES
            self.n[rows, column] += n.astype(np.int32)
            self.total[rows, column] += total.astype(np.float32)
            self.largest[rows, column] = np.maximum(self.largest[rows, column], largest)
            self.last[rows] = np.maximum(self.last[rows], last)

    def watch(self, minute: int) -> None:
        """A minute without any row counts as quiet only when somebody was there to see it."""
        self.reach(minute)
        self._watched.add(minute)
        self._watched = {known for known in self._watched if known > minute - MINUTES}

    def columns(self, minute: int) -> Array:
        """Places of the last hour's minutes, this one first."""
        return np.arange(minute, minute - SHOWN, -1) % MINUTES

    def on(self, minute: int) -> Array:
        """Which of those minutes the platform was at work, this one first; the first after a pause is not whole."""
        held: Array = np.asarray(self.n[: len(self.cells)].any(axis=0))
        oldest = self.newest - MINUTES
        lit = [
            m > oldest and (m in self._watched or bool(held[m % MINUTES]))
            for m in range(minute, minute - SHOWN - 1, -1)
        ]
        return np.array([this and before for this, before in itertools.pairwise(lit)])

    def reach(self, minute: int) -> bool:
        """Makes room for a minute; false for one that is gone."""
        if minute <= self.newest - MINUTES:
            return False
        if minute > self.newest:
            fresh = np.arange(max(self.newest + 1, minute - MINUTES + 1), minute + 1) % MINUTES
            for values in (self.n, self.total, self.largest):
                values[:, fresh] = 0
            self.newest = minute
        return True
