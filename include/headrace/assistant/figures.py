"""Puts parts of a period together exactly: additive components are joined, and only then are ratios made of them.

A part is a table: key (bucket, dimension values) -> component -> value. Sums and counts add, minima and maxima
compare; a ratio is never averaged. So the figure is the same wherever the period is cut.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from headrace.assistant.sketches import Distinct, Histogram, Sketch
from headrace.assistant.vocabulary import Agg, Metric, Vocabulary

Value = Decimal | None
Cell = Value | Sketch
Key = tuple[datetime | None, tuple[str | None, ...]]
Cells = dict[str, Cell]
Part = dict[Key, Cells]

_OPERATORS: dict[type[ast.operator], Callable[[Decimal, Decimal], Decimal]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


class NotAdditive(ValueError):
    """A component that cannot be put together from two parts was read from two parts."""


def combine(agg: Agg | None, left: Cell, right: Cell) -> Cell:
    if left is None or right is None:
        return right if left is None else left
    if isinstance(left, Distinct) and isinstance(right, Distinct):
        return left.joined(right)
    if isinstance(left, Histogram) and isinstance(right, Histogram):
        return left.joined(right)
    if isinstance(left, Sketch) or isinstance(right, Sketch):
        raise NotAdditive("a figure was read from two sides in two ways; ask for a period that one of them covers")
    if agg in ("sum", "count"):
        return left + right
    if agg in ("min", "max"):
        return min(left, right) if agg == "min" else max(left, right)
    raise NotAdditive("this figure cannot be added up from two parts; ask for a period that history covers")


def join(parts: Iterable[Part], components: Iterable[Metric]) -> Part:
    """One table from several; a key that only one part has keeps that part's values."""
    aggs = {metric.name: metric.agg for metric in components}
    joined: Part = {}
    for part in parts:
        for key, cells in part.items():
            row = joined.setdefault(key, {})
            for name, value in cells.items():
                row[name] = combine(aggs[name], row.get(name), value)
    return joined


def evaluate(name: str, cells: Mapping[str, Cell], vocabulary: Vocabulary) -> Value:
    """A metric from its components. Nothing to add up is zero; nothing to compare or to divide by is no figure."""
    metric = vocabulary.metrics[name]
    if metric.inputs:
        names = {alias: evaluate(inner, cells, vocabulary) for alias, inner in metric.inputs}
        return _calculate(metric.expr, names)
    value = cells.get(name)
    if value is not None:
        return finished(value)
    return Decimal(0) if metric.agg in ("sum", "count") or _distinct(metric) else None


def finished(cell: Cell) -> Value:
    return cell.figure() if isinstance(cell, Sketch) else cell


def _distinct(metric: Metric) -> bool:
    return metric.live is not None and metric.live.agg == "distinct"


def _calculate(expression: str, names: Mapping[str, Value]) -> Value:
    return _node(ast.parse(expression, mode="eval").body, names)


def _node(node: ast.expr, names: Mapping[str, Value]) -> Value:
    """Four operations, numbers, names, and SQL's nullif(x, 0): all that a derived metric may say."""
    match node:
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            a, b = _node(left, names), _node(right, names)
            if a is None or b is None or (isinstance(op, ast.Div) and b == 0):
                return None
            return _OPERATORS[type(op)](a, b)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            value = _node(operand, names)
            return None if value is None else -value
        case ast.Name(id=name):
            return names[name]
        case ast.Constant(value=int() | float() as number):
            return Decimal(str(number))
        case ast.Call(func=ast.Name(id="nullif" | "NULLIF"), args=[inner, _]):
            value = _node(inner, names)
            return None if value == 0 else value
    raise ValueError(f"a metric's expression may not hold {ast.unparse(node)!r}")
