"""Members of a panel that stand as plain texts in a table or above pasted results.

A text that cannot be read costs only itself: it becomes a problem, its member counts as unknown,
the results stay.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from labinterp.formats.characters import folded, quoted
from labinterp.formats.dates import Order, read_date, read_moment
from labinterp.formats.headings import AGE_UNIT_OF, PREGNANCY_OF, SEX_OF
from labinterp.formats.panel_schema import LONGEST_GESTATION, SPECIMEN_WORDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from labinterp.formats.ages import PlaceOfProblem

_AGE: Final = re.compile(r"([0-9]{1,6}(?:[.,][0-9]{1,3})?)\s{0,5}([^\W\d_]{0,10})\.?")
_NUMBER: Final = re.compile(r"[0-9]{1,6}(?:[.,][0-9]{1,6})?", re.ASCII)
_LIST_SIGNS: Final = re.compile(r"[;|\n]")
IDENTIFYING: Final = frozenset(("identifier", "birth_date", "sex", "family", "given", "name"))
"""What must agree in everything that is said of one patient."""
LISTS: Final = ("symptoms", "medications", "conditions", "history")
_SEVERITY: Final = {
    "": None,
    "no": "none",
    "0": "none",
    "+": "slight",
    "++": "moderate",
    "+++": "gross",
}


class Stated:
    """The panel as far as it was stated, and what of it could not be read."""

    def __init__(
        self,
        texts: Mapping[str, str],
        where: str,
        orders: Mapping[str, Order | None],
        *,
        zone: str = "",
    ) -> None:
        self._texts = {member: text.strip() for member, text in texts.items() if text.strip()}
        self._where, self._orders, self._zone = where, orders, zone
        self.problems: list[PlaceOfProblem] = []

    def panel(self) -> dict[str, Any]:
        """The panel's members but its results."""
        texts = self._texts
        members: dict[str, Any] = {
            "patient": self._patient(),
            "collected_at": self._collected_at(),
            "laboratory": _filled(
                name=texts.get("laboratory"), number=texts.get("laboratory_number")
            ),
            "requester": texts.get("requester"),
            "specimen": self._specimen(),
            "status": self._word("status", _STATUSES),
        }
        members |= {kind: _listed(texts[kind]) for kind in LISTS if kind in texts}
        return _filled(**members)

    def _patient(self) -> dict[str, Any]:
        texts = self._texts
        family, given = _names(texts)
        number = texts.get("identifier")
        return _filled(
            identifier=_filled(value=number, system=texts.get("issuer")) if number else None,
            family=family,
            given=given,
            birth_date=self._birth_date(),
            age=self._age(),
            sex=self._word("sex", SEX_OF),
            pregnancy=self._pregnancy(),
        )

    def _birth_date(self) -> str | None:
        text = self._texts.get("birth_date")
        if text is None:
            return None
        day, problem = read_date(text.partition("T")[0], self._orders.get("birth_date"))
        if problem:
            self._problem("birth_date", *problem)
        return day.isoformat() if day else None

    def _collected_at(self) -> str | None:
        text, clock = self._texts.get("collected_at"), self._texts.get("collected_time", "")
        if text is None:
            if clock:
                self._problem("collected_time", "bad-time", f"“{quoted(clock)}” has no date")
            return None
        moment = read_moment(text, clock, self._orders.get("collected_at"), zone=self._zone)
        if moment.problem:
            self._problem("collected_at", *moment.problem)
        return moment.text

    def _age(self) -> dict[str, str] | None:
        text = self._texts.get("age")
        if text is None:
            return None
        match = _AGE.fullmatch(text)
        unit = AGE_UNIT_OF.get(folded(match[2])) if match else None
        if match is None or unit is None:
            self._problem(
                "age", "bad-number", f"age “{quoted(text)}” cannot be read; write 54 years"
            )
            return None
        return {"value": match[1].replace(",", "."), "unit": unit}

    def _pregnancy(self) -> dict[str, Any] | None:
        status = self._word("pregnancy", PREGNANCY_OF)
        weeks = self._texts.get("gestation_weeks", "")
        if weeks and not (
            weeks.isascii() and weeks.isdigit() and int(weeks[:3]) <= LONGEST_GESTATION
        ):
            self._problem(
                "gestation_weeks", "bad-number", f"“{quoted(weeks)}” is not completed weeks"
            )
            weeks = ""
        if weeks:
            return {"status": status or "pregnant", "gestation_weeks": weeks}
        return {"status": status} if status else None

    def _specimen(self) -> dict[str, Any]:
        index = self._texts.get("haemolysis_index")
        if index is not None and not _NUMBER.fullmatch(index):
            self._problem("haemolysis_index", "bad-number", f"“{quoted(index)}” is not a number")
            index = None
        return _filled(
            material=self._texts.get("material"),
            haemolysis=self._word("haemolysis", _HAEMOLYSIS),
            haemolysis_index=index.replace(",", ".") if index else None,
            comment=self._texts.get("comment"),
        )

    def _word(self, member: str, words: Mapping[str, str | None]) -> str | None:
        text = self._texts.get(member)
        if text is None:
            return None
        key = folded(text)
        if key not in words:
            self._problem(
                member,
                "not-allowed",
                f"{member} “{quoted(text)}” is not known; it counts as unknown",
            )
        return words.get(key)

    def _problem(self, member: str, code: str, message: str) -> None:
        where = f"{self._where}, {member.replace('_', ' ')}" if self._where else member
        self.problems.append((where, code, message))


_STATUSES: Final[Mapping[str, str | None]] = {
    **{word: word for word in ("final", "preliminary", "corrected", "cancelled")},
    "canceled": "cancelled",
    "f": "final",
    "p": "preliminary",
    "c": "corrected",
}
_HAEMOLYSIS: Final[Mapping[str, str | None]] = {
    **{word: word for word in SPECIMEN_WORDS["haemolysis"]},
    **_SEVERITY,
}


def _filled(**members: Any) -> dict[str, Any]:
    return {name: member for name, member in members.items() if member not in (None, "", {}, [])}


def _listed(text: str) -> list[str]:
    """`omeprazole; furosemide` as a list; a comma separates only where no stronger sign does."""
    parts = _LIST_SIGNS.split(text)
    if len(parts) == 1:
        parts = text.split(",")
    return [part.strip() for part in parts if part.strip()]


def _names(texts: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Family and given name; `DOE, Jane` is split at its comma, anything else stays whole."""
    whole = texts.get("name", "")
    before, comma, after = whole.partition(",")
    family = texts.get("family") or (before.strip() if comma else whole) or None
    return family, texts.get("given") or (after.strip() if comma else None) or None
