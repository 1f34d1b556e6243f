"""Which measurand each reported result is: by its codes first, then by its name; never by guessing.

A name is matched whole. Where code and name contradict each other the result is not read as
either: a calcium code
beside another test's name is that other test, and only the sender can say which.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from labinterp.interpretation.keeping import kept
from labinterp.interpretation.lookup import Lookup, code_system, compact_key, name_key
from labinterp.model.codes import LOINC
from labinterp.model.panel import Problem
from labinterp.model.submission import ReportedCode, ReportedResult

if TYPE_CHECKING:
    from decimal import Decimal

    from labinterp.model.measurand import Code, Measurand

_LOINC_FORM: Final = re.compile(r"([0-9]{1,7})-([0-9])")
_SERUM_TAIL: Final = re.compile(
    r"[\s,(/]+(?:serum|plasma|s|p|ser/plas|serum/plasma|serum or plasma|level|levels)\)?$"
)
_UNIT_TAIL: Final = re.compile(r"\s*[\[(][^\])]{0,30}/[^\])]{0,30}[\])]\s*$")
"""`(pmol/L)` behind a name is the unit, not part of the name."""
_URINE: Final = re.compile(r"\burin")
_LONGEST_SHOWN: Final = 60
_LONGEST_KEPT: Final = 200
_MOST_KEPT: Final = 14


@dataclass(frozen=True, slots=True)
class Identified:
    """What a reported result is of, how that is known, and the code it came with."""

    measurand: Measurand
    matched_by: str
    code: Code | None = None

    @property
    def molar_mass(self) -> Decimal | None:
        """The molar mass [g/mol] that mass and substance of this result are converted with."""
        if self.code is not None and self.code.molar_mass is not None:
            return self.code.molar_mass
        return self.measurand.molar_mass


@dataclass(frozen=True, slots=True)
class _CodeReading:
    """What the codes say: a measurand, a refusal in words, or nothing."""

    measurand: Measurand | None = None
    code: Code | None = None
    refusal: str | None = None
    invalid: tuple[str, ...] = ()


def identify(
    reported: ReportedResult, lookup: Lookup, *, material: str | None = None
) -> tuple[Identified | None, tuple[Problem, ...]]:
    """The measurand of a reported result, and what stood in the way.

    Args:
        reported: the result as sent.
        lookup: the spellings of the knowledge.
        material: the panel's material, where one was stated: a bare name in urine is no serum
            result.
    """
    stated = str((reported.specimen or {}).get("material") or material or "")
    if _is_short(reported, stated):
        found = _identified(lookup, reported.codes, reported.name, stated)
        if found is not None:
            return found, ()
    return _identify(reported, lookup, stated)


def _is_short(reported: ReportedResult, material: str) -> bool:
    """Does it take little room to keep? What is longer is looked up each time."""
    sent = [reported.name or "", material]
    sent += [text for one in reported.codes for text in (one.system, one.code, one.display or "")]
    return len(sent) <= _MOST_KEPT and max(map(len, sent)) <= _LONGEST_KEPT


@kept()
def _identified(
    lookup: Lookup, codes: tuple[ReportedCode, ...], name: str | None, material: str
) -> Identified | None:
    """The measurand, where nothing has to be said about it."""
    bare = ReportedResult("", None, None, name, codes)
    found, problems = _identify(bare, lookup, material)
    return None if problems else found


def _identify(
    reported: ReportedResult, lookup: Lookup, material: str
) -> tuple[Identified | None, tuple[Problem, ...]]:
    by_code = _by_codes(reported.codes, lookup)
    named = _by_name(reported.name, lookup)
    invalid = tuple(Problem("code-invalid", text, reported.where) for text in by_code.invalid)
    if by_code.measurand is not None:
        return _agreeing(by_code, named, reported, invalid)
    if by_code.refusal is not None:
        return None, (*invalid, Problem("unmapped-code", by_code.refusal, reported.where))
    if len(named) == 1:
        return _in_system(named[0], reported, lookup, material, invalid)
    if named:
        return None, (*invalid, _ambiguous(reported, named))
    return None, (*invalid, _unknown(reported, lookup))


def _agreeing(
    by_code: _CodeReading,
    named: tuple[Measurand, ...],
    reported: ReportedResult,
    invalid: tuple[Problem, ...],
) -> tuple[Identified | None, tuple[Problem, ...]]:
    measurand, code = by_code.measurand, by_code.code
    if measurand is None or code is None:
        return None, invalid
    if named and measurand.id not in {one.id for one in named}:
        return None, (*invalid, _conflict(reported, code, measurand, named))
    return Identified(measurand, f"code {code.code}", code), invalid


def _by_codes(codes: tuple[ReportedCode, ...], lookup: Lookup) -> _CodeReading:
    """The first coding that names one of our measurands; else why a coding must not be read."""
    refusal: str | None = None
    invalid: list[str] = []
    for reported in codes:
        system = code_system(reported.system, reported.code)
        if system == LOINC and not is_valid_loinc(reported.code.strip()):
            invalid.append(
                f"{reported.code[:_LONGEST_SHOWN]!r} is no LOINC code: its check digit is wrong"
            )
            continue
        entries = lookup.codes.get((system, reported.code.strip()), ())
        for measurand, code in entries:
            if not code.is_other:
                return _CodeReading(measurand, code, invalid=tuple(invalid))
        if entries and refusal is None:
            measurand, code = entries[0]
            refusal = (
                f"{code.code} is {code.name} ({code.role}), which is not "
                f"{measurand.name} and has no "
                "intervals here; it was not interpreted"
            )
    return _CodeReading(refusal=refusal, invalid=tuple(invalid))


def is_valid_loinc(code: str) -> bool:
    """Has this code LOINC's form and the right check digit?

    Modulus 10: every second digit from the right is doubled, beginning with the last.
    """
    match = _LOINC_FORM.fullmatch(code)
    if match is None or not code.isascii():
        return False
    total = 0
    for place, digit in enumerate(reversed(match[1])):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled // 10 + doubled % 10
    return (10 - total % 10) % 10 == int(match[2])


def _by_name(name: str | None, lookup: Lookup) -> tuple[Measurand, ...]:
    """The measurands a name means: as it stands, without a serum tail, without separators."""
    if name is None or not name.strip():
        return ()
    key = name_key(name)
    short = _SERUM_TAIL.sub("", key)
    plain = name_key(_UNIT_TAIL.sub("", name))
    for index, wanted in (
        (lookup.names, key),
        (lookup.names, short),
        (lookup.names, plain),
        (lookup.compact, compact_key(key)),
        (lookup.code_names, key),
    ):
        if wanted and (found := index.get(wanted)):
            return found
    return ()


def _in_system(
    measurand: Measurand,
    reported: ReportedResult,
    lookup: Lookup,
    material: str,
    invalid: tuple[Problem, ...],
) -> tuple[Identified | None, tuple[Problem, ...]]:
    """A bare name means serum or plasma.

    In a specimen of urine it means the urine measurand, or nothing.
    """
    if not _URINE.search(material.casefold()) or "urine" in measurand.system:
        return Identified(measurand, f"name {reported.name}"), invalid
    in_urine = lookup.names.get(name_key(f"urine_{measurand.id}"), ())
    if len(in_urine) == 1:
        return Identified(in_urine[0], f"name {reported.name} in urine"), invalid
    message = f"{measurand.name} in urine has no entry here; it was not read as a serum result"
    return None, (*invalid, Problem("unmapped-code", message, reported.where))


def _conflict(
    reported: ReportedResult, code: Code, measurand: Measurand, named: tuple[Measurand, ...]
) -> Problem:
    names = " or ".join(one.name for one in named)
    return Problem(
        "code-name-conflict",
        f"code {code.code} means {measurand.name}, but the name {_shown(reported.name)} "
        f"means {names}; "
        "the result was not interpreted. Which of the two was measured?",
        reported.where,
        measurand.id,
    )


def _ambiguous(reported: ReportedResult, named: tuple[Measurand, ...]) -> Problem:
    names = " or ".join(one.name for one in named)
    return Problem(
        "unmapped-code",
        f"{_shown(reported.name)} could mean {names}; send a LOINC code or the full name",
        reported.where,
    )


def _unknown(reported: ReportedResult, lookup: Lookup) -> Problem:
    sent = _shown(reported.name) if reported.name else _codes_shown(reported)
    near = _near(reported.name, lookup)
    guess = f"; did you mean {' or '.join(near)}?" if near else ""
    return Problem("unmapped-code", f"no test here is called {sent}{guess}", reported.where)


def _near(name: str | None, lookup: Lookup) -> tuple[str, ...]:
    """Names that look alike, for the question; they are never taken."""
    if not name:
        return ()
    keys = difflib.get_close_matches(
        name_key(name)[:_LONGEST_SHOWN], lookup.names, n=3, cutoff=0.75
    )
    return tuple(dict.fromkeys(one.name for key in keys for one in lookup.names[key]))[:3]


def _codes_shown(reported: ReportedResult) -> str:
    codes = ", ".join(one.code[:_LONGEST_SHOWN] for one in reported.codes)
    return f"code {codes}" if codes else "anything: it has neither a name nor a code"


def _shown(text: str | None) -> str:
    return repr((text or "")[:_LONGEST_SHOWN])
