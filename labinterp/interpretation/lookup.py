"""Every spelling the knowledge accepts, ready to be looked up.

Made once for each knowledge, not for each panel.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from labinterp.interpretation.keeping import kept
from labinterp.model.codes import LOINC
from labinterp.model.spelling import exact_unit, folded_name, folded_unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from labinterp.model.knowledge import Knowledge, Term
    from labinterp.model.measurand import AcceptedUnit, Code, Measurand

_INVISIBLE: Final = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")
_LOINC_TAIL: Final = re.compile(r"\s*\[[^\]]*\]\s*(in\b.*)?$", re.IGNORECASE)
_OF_BLOOD: Final = re.compile(
    r"in\b(?!.*\b(?:urine|cells?|fluid|stool|hair)\b).*\b(?:serum|plasma|blood|ser|plas|bld[av]?)\b",
    re.IGNORECASE,
)
_SEPARATORS: Final = re.compile(r"[^\w+]+|_")
_LOINC_NAMES: Final = frozenset(
    {LOINC, "ln", "loinc", "urn:oid:2.16.840.1.113883.6.1", "2.16.840.1.113883.6.1", "https://loinc.org"}
)  # fmt: skip
_LONGEST_NAME: Final = 200


@dataclass(frozen=True, slots=True)
class UnitSpellings:
    """How one measurand's units are written: exactly, and with case and spaces folded."""

    exact: Mapping[str, tuple[AcceptedUnit, ...]]
    folded: Mapping[str, tuple[AcceptedUnit, ...]]


@dataclass(frozen=True, slots=True)
class Lookup:
    """The indexes of one knowledge.

    Attributes:
        codes: (system, code) to each measurand that lists it, with its entry.
        names: folded name to the measurands it names.
        code_names: the same of the names that codes have, as `Sodium [Moles/volume] in Urine`.
        compact: as `names`, without any separator, for `VitaminB12`.
        units: measurand to its unit spellings.
        spelled: every folded unit spelling to the UCUM code it means for whatever takes it.
        terms: kind, then folded spelling, to the vocabulary ids it means.
        term_codes: kind, then (system, code), to the vocabulary id.
    """

    codes: Mapping[tuple[str, str], tuple[tuple[Measurand, Code], ...]]
    names: Mapping[str, tuple[Measurand, ...]]
    code_names: Mapping[str, tuple[Measurand, ...]]
    compact: Mapping[str, tuple[Measurand, ...]]
    units: Mapping[str, UnitSpellings]
    spelled: Mapping[str, str]
    terms: Mapping[str, Mapping[str, tuple[Term, ...]]]
    term_codes: Mapping[str, Mapping[tuple[str, str], Term]]


@kept(most=8)
def lookup_of(knowledge: Knowledge) -> Lookup:
    """The indexes of this knowledge, made at first use."""
    return _make(knowledge)


def name_key(text: str) -> str:
    """A test's name folded for comparison: no case, accents or invisible characters.

    Of a LOINC name only what says nothing else goes: `[Moles/volume] in Serum or Plasma`; that it
    is `in Urine` stays.
    """
    return _name_key(text[:_LONGEST_NAME])


@lru_cache(maxsize=8192)
def _name_key(text: str) -> str:
    plain = _LOINC_TAIL.sub(_system_kept, _INVISIBLE.sub("", text))
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", plain))
    return folded_name("".join(sign for sign in letters if not unicodedata.combining(sign)))


def _system_kept(tail: re.Match[str]) -> str:
    system = tail[1]
    return f" {system}" if system and not _OF_BLOOD.match(system) else ""


def compact_key(folded: str) -> str:
    """A folded name without any separator."""
    return _SEPARATORS.sub("", folded)


def code_system(system: str, code: str) -> str:
    """The system's one name here; a bare code in LOINC's form counts as LOINC."""
    folded = system.strip().casefold()
    if folded in _LOINC_NAMES or (not folded and re.fullmatch(r"[0-9]{1,7}-[0-9]", code.strip())):
        return LOINC
    return system.strip()


def _make(knowledge: Knowledge) -> Lookup:
    measurands = tuple(knowledge.measurands.values())
    names = _names(measurands, knowledge)
    compact: dict[str, tuple[Measurand, ...]] = {}
    for key, named in names.items():
        short = compact_key(key)
        compact[short] = tuple(dict.fromkeys(compact.get(short, ()) + named))
    return Lookup(
        codes=_codes(measurands),
        names=names,
        code_names=_code_names(measurands),
        compact=compact,
        units={measurand.id: _unit_spellings(measurand, knowledge) for measurand in measurands},
        spelled=knowledge.unit_spellings,
        terms={kind: _terms(terms.values()) for kind, terms in knowledge.terms.items()},
        term_codes={
            kind: {pair: term for term in terms.values() for pair in term.codes}
            for kind, terms in knowledge.terms.items()
        },
    )


def _codes(
    measurands: Iterable[Measurand],
) -> dict[tuple[str, str], tuple[tuple[Measurand, Code], ...]]:
    codes: dict[tuple[str, str], tuple[tuple[Measurand, Code], ...]] = {}
    for measurand in measurands:
        for code in measurand.codes:
            key = (code_system(code.system, code.code), code.code)
            codes[key] = (*codes.get(key, ()), (measurand, code))
    return codes


def _names(
    measurands: Iterable[Measurand], knowledge: Knowledge
) -> dict[str, tuple[Measurand, ...]]:
    names: dict[str, list[Measurand]] = {}
    for measurand in measurands:
        for name in (measurand.id, measurand.name, *measurand.names):
            names.setdefault(name_key(name), []).append(measurand)
    for name, ids in knowledge.ambiguous_names.items():
        names[name_key(name)] = [
            knowledge.measurands[one] for one in ids if one in knowledge.measurands
        ]
    return {key: tuple({one.id: one for one in named}.values()) for key, named in names.items()}


def _code_names(measurands: Iterable[Measurand]) -> dict[str, tuple[Measurand, ...]]:
    names: dict[str, dict[str, Measurand]] = {}
    for measurand in measurands:
        for code in measurand.codes:
            if not code.is_other:
                names.setdefault(name_key(code.name), {})[measurand.id] = measurand
    return {key: tuple(named.values()) for key, named in names.items()}


def _unit_spellings(measurand: Measurand, knowledge: Knowledge) -> UnitSpellings:
    exact: dict[str, dict[str, AcceptedUnit]] = {}
    folded: dict[str, dict[str, AcceptedUnit]] = {}
    for unit in measurand.units:
        for spelling in (unit.ucum, unit.printed, *unit.spellings):
            exact.setdefault(exact_unit(spelling), {})[unit.ucum] = unit
            folded.setdefault(folded_unit(spelling), {})[unit.ucum] = unit
    for table, target in (
        (knowledge.case_sensitive_spellings, exact),
        (knowledge.unit_spellings, folded),
    ):
        for spelling, ucum in table.items():
            accepted = measurand.accepted(ucum)
            if accepted is not None and spelling not in target:
                target[spelling] = {ucum: accepted}
    return UnitSpellings(
        {key: tuple(units.values()) for key, units in exact.items()},
        {key: tuple(units.values()) for key, units in folded.items()},
    )


def _terms(terms: Iterable[Term]) -> dict[str, tuple[Term, ...]]:
    """Folded spelling to terms. A medicine may belong to two classes: then both are meant."""
    found: dict[str, dict[str, Term]] = {}
    for term in terms:
        for spelling in (term.id, term.label, *term.synonyms):
            found.setdefault(name_key(spelling), {})[term.id] = term
    return {key: tuple(named.values()) for key, named in found.items()}
