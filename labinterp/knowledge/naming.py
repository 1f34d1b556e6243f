"""Ids, names, codes, terms and spellings each mean one thing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labinterp.knowledge import walking
from labinterp.knowledge.walking import Shelf, Spot
from labinterp.model.spelling import folded_name, folded_unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from labinterp.errors import Place


def ids_are_file_names(shelf: Shelf) -> Iterator[Place]:
    """An id is its file's name; so it is also unique in its folder."""
    for document in shelf.documents:
        folder, _, name = document.name.rpartition("/")
        expected = name.removesuffix(".yaml")
        if folder in ("", "vocabulary") or folder.startswith("texts/"):
            continue
        if document.data.get("id") != expected:
            message = f"the id is “{document.data.get('id')}”, the file's name “{expected}”"
            yield document.place(("id",), message)


def measurands_are_unique(shelf: Shelf) -> Iterator[Place]:
    """One measurand, one entry."""
    yield from _repeated(
        (Spot(row.document, (*row.where, "id"), row.value["id"]) for row in shelf.measurand_rows()),
        "the measurand",
    )


def names_are_unique(shelf: Shelf) -> Iterator[Place]:
    """One test name, folded, is one measurand; what could be several is listed as ambiguous."""
    seen: dict[str, str] = {}
    for row in shelf.measurand_rows():
        owner = row.value["id"]
        names = [owner, row.value["name"], *row.value["names"]]
        for name in dict.fromkeys(map(folded_name, names)):
            other = seen.setdefault(name, owner)
            if other != owner:
                yield row.place(f"the name “{name}” is also {other}'s")
            if name in shelf.knowledge.ambiguous_names:
                yield row.place(f"the name “{name}” is listed as ambiguous")


def codes_are_unique(shelf: Shelf) -> Iterator[Place]:
    """One code is one measurand; a code of another measurand is no measurand's own."""
    own = list(walking.rows(shelf.folder("analytes"), "codes"))
    spots = (
        Spot(code.document, code.where, code.value["code"])
        for code in own
        if not code.value.get("is_other")
    )
    yield from _repeated(spots, "the code")
    for code in own:
        if loinc_check_digit(code.value["code"]) != code.value["code"][-1]:
            yield code.place(f"{code.value['code']} fails LOINC's check digit")


def terms_are_unique(shelf: Shelf) -> Iterator[Place]:
    """One term, folded, means one entry; only a medicine may belong to several classes."""
    for document in shelf.folder("vocabulary"):
        seen: dict[str, str] = {}
        has_classes = document.data.get("kind") == "medication"
        for row in walking.rows([document], "terms"):
            names = [row.value["id"], row.value["label"]]
            names += [] if has_classes else row.value["synonyms"]
            for name in dict.fromkeys(map(folded_name, names)):
                other = seen.setdefault(name, row.value["id"])
                if other != row.value["id"]:
                    yield row.place(f"“{name}” is also {other}'s")


def spellings_are_unique(shelf: Shelf) -> Iterator[Place]:
    """One spelling of a unit, folded, is one UCUM code."""
    seen: dict[str, str] = {}
    for row in walking.rows(shelf.single("units.yaml"), "units"):
        code = row.value["ucum"]
        for spelling in (code, row.value["printed"], *row.value.get("spellings", ())):
            other = seen.setdefault(folded_unit(spelling), code) if spelling else code
            if other != code:
                yield row.place(f"“{spelling}” is also {other}'s")
    for row in walking.rows(shelf.folder("analytes"), "units"):
        yield from _own_spellings(row, seen)


def _own_spellings(row: Spot, seen: Mapping[str, str]) -> Iterator[Place]:
    code = row.value["ucum"]
    if seen.get(folded_unit(code)) != code:
        yield row.place(f"the unit {code} is not in units.yaml")
    if row.value.get("only_when_named"):
        return
    for spelling in row.value.get("spellings", ()):
        if seen.get(folded_unit(spelling), code) != code:
            yield row.place(f"“{spelling}” is {seen[folded_unit(spelling)]} everywhere else")


def loinc_check_digit(code: str) -> str:
    """The check digit LOINC codes end with (mod 10, Luhn)."""
    total = 0
    for n, digit in enumerate(reversed(code.partition("-")[0])):
        doubled = int(digit) * (2 if n % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled  # noqa: PLR2004 - Luhn's own nine
    return str(-total % 10)


def _repeated(spots: Iterator[Spot], what: str) -> Iterator[Place]:
    seen: dict[str, Spot] = {}
    for spot in spots:
        first = seen.setdefault(spot.value, spot)
        if first is not spot:
            line = first.document.line(first.where)
            yield spot.place(f"{what} {spot.value} stands also in {first.document.name}:{line}")
