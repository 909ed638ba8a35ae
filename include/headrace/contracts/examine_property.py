"""What is wrong with one property of a contract."""

from __future__ import annotations

import re
from difflib import get_close_matches
from math import isfinite
from typing import Any

from headrace.contracts.names import unusable_property
from headrace.contracts.outliers import outlier_of
from headrace.contracts.places import Document, Path_

TYPES = {
    "string": "string",
    "integer": "bigint",
    "number": "double",
    "boolean": "boolean",
    "timestamp": "timestamp",
    "date": "date",
}
"""The type in tables of each logical type."""
CLASSES = ("public", "internal", "confidential", "restricted")
_MEMBERS = (
    "name", "logicalType", "physicalType", "required", "description", "logicalTypeOptions", "classification",
    "customProperties", "primaryKey", "primaryKeyPosition",
)  # fmt: skip
_DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)")
_OPTIONS = {"string": ("minLength", "maxLength"), "integer": ("minimum", "maximum"), "number": ("minimum", "maximum")}
_PERSONAL = ("confidential", "restricted")
_WHOLE = range(-(2**63), 2**63)
"""What a bigint holds."""


def examine_property(document: Document, path: Path_, item: Any) -> None:
    """Notes every mistake of the property at this path."""
    if not isinstance(item, dict) or not item.get("name"):
        document.mistake(path, "A property has no name", "Write `- name: …` and its other members under it")
        return
    _Property(document, path, item).run()


class _Property:
    def __init__(self, document: Document, path: Path_, item: dict[str, Any]) -> None:
        self.document, self.path, self.item, self.name = document, path, item, item["name"]

    def note(self, member: str, what: str, fix: str) -> None:
        self.document.mistake((*self.path, member), what, fix)

    def run(self) -> None:
        if reason := unusable_property(self.name):
            what, _, fix = reason.partition(": ")
            self.note("name", what, (fix or "choose another")[:1].upper() + (fix or "choose another")[1:])
        for member in self.item:
            if member not in _MEMBERS and (near := get_close_matches(str(member), _MEMBERS, n=1, cutoff=0.8)):
                self.note(str(member), f"{self.name}: {member} is no member of a property", f"Did you mean {near[0]}")
        if self.item.get("required") not in (None, True, False):
            self.note("required", f"{self.name}: required is {self.item['required']!r}", "Write true or false")
        if not isinstance(self.item.get("description", ""), str):
            self.note("description", f"{self.name}: description is no text", "Write a sentence, in quotes if need be")
        self._type()
        self._classes()
        self._values()
        self._outlier()

    def _type(self) -> None:
        kind = self.item.get("logicalType")
        if kind not in TYPES:
            near = get_close_matches(str(kind), TYPES, n=1)
            what = (
                f"{self.name}: logicalType is missing" if kind is None else f"{self.name}: unknown logicalType {kind!r}"
            )
            self.note(
                "logicalType", what, (f"Did you mean {near[0]}? " if near else "") + f"There are {', '.join(TYPES)}"
            )
            return
        if (physical := self.item.get("physicalType")) is not None:
            self._physical(str(kind), str(physical))
        self._options(str(kind))

    def _physical(self, kind: str, physical: str) -> None:
        found = _DECIMAL.fullmatch(physical)
        if kind != "number" or not found:
            if physical != TYPES[kind]:
                fix = "Only a number has one, such as decimal(18,2): leave it out elsewhere"
                self.note("physicalType", f"{self.name}: physicalType {physical!r} does not fit a {kind}", fix)
        elif not (1 <= int(found[1]) <= 38 and int(found[2]) <= int(found[1])):
            self.note(
                "physicalType",
                f"{self.name}: {physical} is not possible",
                "A decimal has 38 digits at most, and no more places than digits",
            )

    def _options(self, kind: str) -> None:
        options = self.item.get("logicalTypeOptions")
        if options is None:
            return
        if not isinstance(options, dict):
            self.note(
                "logicalTypeOptions", f"{self.name}: logicalTypeOptions is no mapping", "Write such as {minimum: 0}"
            )
            return
        allowed, one = _OPTIONS.get(kind, ()), f"an {kind}" if kind == "integer" else f"a {kind}"
        for name, value in options.items():
            if name not in allowed:
                known = " and ".join(allowed) or "no options"
                self.document.mistake(
                    (*self.path, "logicalTypeOptions", name),
                    f"{self.name}: {name} is no option of {one}",
                    f"{one.capitalize()} has {known}",
                )
            elif isinstance(value, bool) or not isinstance(value, int | float):
                self.document.mistake(
                    (*self.path, "logicalTypeOptions", name),
                    f"{self.name}: {name} is {value!r}, which is no number",
                    "Write a number without quotes",
                )
            elif fix := _unusable(name, kind, value):
                self.document.mistake((*self.path, "logicalTypeOptions", name), f"{self.name}: {name} is {value}", fix)
        for low, high in (("minimum", "maximum"), ("minLength", "maxLength")):
            least, most = options.get(low), options.get(high)
            if isinstance(least, int | float) and isinstance(most, int | float) and least > most:
                what = f"{self.name}: {low} {least} is greater than {high} {most}, so no event could pass"
                self.document.mistake((*self.path, "logicalTypeOptions", low), what, "Swap them, or correct one")

    def _classes(self) -> None:
        kind = self.item.get("classification")
        if kind not in CLASSES:
            near = get_close_matches(str(kind), CLASSES, n=1)
            what = f"{self.name}: classification is {'missing' if kind is None else repr(kind)}"
            self.note(
                "classification",
                what,
                (f"Did you mean {near[0]}? " if near else "") + f"There are {', '.join(CLASSES)}",
            )
        elif self._custom("person") is True and kind not in _PERSONAL:
            self.note("classification", f"{self.name} names a person and is {kind}", "Write confidential or restricted")

    def _values(self) -> None:
        values = self._custom("values")
        if values is None:
            return
        if not isinstance(values, list) or not values or not all(isinstance(v, str) for v in values):
            self.note(
                "customProperties",
                f"{self.name}: values must be a list of texts",
                "Write such as [new, done], with quotes around numbers, yes and no",
            )
        elif len(set(values)) < len(values):
            self.note("customProperties", f"{self.name}: a value is listed twice", "Keep one of the two")
        elif self.item.get("logicalType") != "string":
            self.note(
                "customProperties",
                f"{self.name}: only a string has values",
                "Make it a string, or use minimum and maximum",
            )
        else:
            self._lengths(values)

    def _lengths(self, values: list[str]) -> None:
        options = self.item.get("logicalTypeOptions")
        given = options if isinstance(options, dict) else {}
        least, most = given.get("minLength", 0), given.get("maxLength", float("inf"))
        if not (isinstance(least, int | float) and isinstance(most, int | float)):
            return  # It is told of already.
        for value in values:
            if not least <= len(value) <= most:
                what = f"{self.name}: the listed value {value!r} has {len(value)} characters, so no event with it could pass"
                self.note("customProperties", what, "Mend the value, or minLength and maxLength")

    def _outlier(self) -> None:
        try:
            outlier_of(self._custom("outlier"))
        except ValueError as error:
            self.note("customProperties", f"{self.name}: {error}", "Write such as {maximum: 500}")

    def _custom(self, name: str) -> Any:
        items = self.item.get("customProperties")
        found = (
            [i.get("value") for i in items if isinstance(i, dict) and i.get("property") == name]
            if isinstance(items, list)
            else []
        )
        return found[0] if found else None


def _unusable(option: str, kind: str, value: float) -> str | None:
    """Why this number cannot be this option: what is to be written instead."""
    if not isfinite(value):
        return "Write a finite number, or leave the option out"
    if kind == "string" and (value != int(value) or value < 0):
        return "Write a whole number that is not below zero"
    if kind == "integer" and not (value == int(value) and int(value) in _WHOLE):
        return "Write a whole number, of 64 bits at most"
    return None
