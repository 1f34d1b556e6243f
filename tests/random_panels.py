"""Panels as nobody orders them, made quickly and the same from the same number.

Every accepted unit and some that are not, comparators, missing parts, intervals that belong to
another unit, unlike duplicates, earlier results, patients of every kind. What is interesting lies
at the limits of the knowledge, so most values are drawn there.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

from labinterp.interpretation import conditions
from labinterp.model.rule import Compared
from labinterp.model.submission import (
    Choices,
    EarlierPanel,
    ReportedCode,
    ReportedInterval,
    ReportedResult,
    ReportedTerm,
    Submission,
)
from tests.build import COLLECTED, RECEIVED, knowledge

if TYPE_CHECKING:
    from collections.abc import Iterable

    from labinterp.model.measurand import Measurand

_UNITS = ("", "mmol/l", "MG/DL", "µmol/L", "g/L", "furlong", "1", "mEq/L", "IU/L", "% (calculated)")
_WORDS = (
    "normal",
    "LOW",
    "positive",
    "pending",
    "haemolysed",
    "1,234",
    "2,4",
    "",
    "<",
    "1e400",
    "-3",
)
_FLAGS = ("L", "H", "LL", "HH", "N", "AA", "A", "h ")
_STATUSES = ("final", "preliminary", "cancelled", "F", "corrected", "odd")
_COMPARATORS = ("<", ">", "<=", "≥")
_AGES = ("0.2", "10", "200", "3000", "6574", "6575", "9000", "19723", "30000")
_NAMES_APART = ("Kalium", "ionised calcium", "BUN", "unknown test", "Ca", "Vit D", "mg")
_MOST = 24


def submission_of(number: int) -> Submission:
    """The panel with this number, whatever was made before it."""
    chance = random.Random(number)  # noqa: S311 - no secret, and the same each time
    chosen = dict.fromkeys(chance.sample(_measurands(), chance.choice((1, 3, 6, 8, 12, 16, _MOST))))
    results = [_result(chance, one, f"results[{place}]") for place, one in enumerate(chosen)]
    results += _again(chance, results)
    age = chance.choice((None, *_AGES, "19723", "19723", "19723"))
    pregnancy = chance.choice(("unknown",) * 6 + ("pregnant", "not_pregnant"))
    return Submission(
        format="json",
        results=tuple(results),
        received_at=RECEIVED,
        collected_at=chance.choice(
            (COLLECTED, COLLECTED, COLLECTED, None, RECEIVED + timedelta(days=3))
        ),
        status=chance.choice(("final",) * 20 + ("preliminary", "cancelled")),
        sex=chance.choice(("female", "male", "female", "male", "unknown", "other")),
        age_days=None if age is None else Decimal(age),
        age_text=None if age is None or chance.random() < 0.3 else f"{age} days",
        pregnancy=pregnancy,
        gestation_weeks=chance.choice((None, 9, 20, 33)) if pregnancy == "pregnant" else None,
        laboratory=chance.choice((None, "Lab A")),
        specimen_material=chance.choice((None, None, "serum", "Heparin plasma", "urine")),
        specimen_fields=_specimen(chance),
        haemolysis_index=chance.choice((None, None, None, Decimal(250))),
        symptoms=_terms(chance, "symptom", "symptoms", 3),
        medications=_terms(chance, "medication", "medications", 2),
        conditions=_terms(chance, "condition", "conditions", 2),
        history=_terms(chance, "history", "history", 1),
        previous=_previous(chance, chosen),
        choices=_choices(chance),
    )


@cache
def _measurands() -> tuple[Measurand, ...]:
    """Each once, those that rules speak of three times."""
    every = tuple(knowledge().measurands.values())
    return (*every, *(one for one in every if one.core), *(one for one in every if one.core))


@cache
def _limits() -> dict[str, tuple[tuple[Decimal, str], ...]]:
    """Numbers at which something may change, by measurand, each with its unit."""
    found: dict[str, set[tuple[Decimal, str]]] = {}
    known = knowledge()
    for rules in (known.artefacts, known.patterns, known.mechanisms, known.urgency_rules):
        for rule in rules.values():
            for leaf in conditions.leaves(rule.when):
                if isinstance(leaf, Compared):
                    found.setdefault(leaf.measurand, set()).add((leaf.limit, leaf.unit))
    for one in known.measurands.values():
        ends = found.setdefault(one.id, set())
        for row in one.intervals:
            ends |= {(end, row.unit) for end in (row.low, row.high) if end is not None}
        for limit in one.critical_limits:
            ends |= {
                (end, side.unit)
                for side in (limit.low, limit.high)
                if side is not None
                for end in (side.lt, side.le, side.gt, side.ge)
                if end is not None
            }
        ends |= {(Decimal(number), one.unit) for number in (1, 10, 100)}
    return {name: tuple(sorted(ends)) for name, ends in found.items()}


def _number(chance: random.Random, measurand: Measurand) -> tuple[str, str]:
    near, unit = chance.choice(_limits()[measurand.id])
    kind = chance.random()
    if kind < 0.25:
        return f"{near:f}", unit
    if kind < 0.95:
        scaled = near * Decimal(str(round(chance.uniform(0.4, 1.8), 2)))
        return f"{round(scaled, chance.choice((1, 2, 2, 3))):f}", unit
    return f"{near * chance.choice((Decimal('0.001'), Decimal(1000), Decimal(12))):f}", unit


def _result(chance: random.Random, measurand: Measurand, where: str) -> ReportedResult:
    value, ucum = _number(chance, measurand)
    unit = measurand.accepted(ucum)
    if unit is None or chance.random() < 0.15:
        unit = chance.choice(measurand.units) if measurand.units else None
    printed = None
    if unit is not None:
        printed = chance.choice((unit.ucum, unit.printed, unit.printed, *unit.spellings))
    if chance.random() < 0.08:
        printed = chance.choice((None, *_UNITS))
    if measurand.qualitative and chance.random() < 0.9:
        value, printed = chance.choice(measurand.qualitative), None
    elif chance.random() < 0.04:
        value = chance.choice(_WORDS)
    sign = chance.choice(_COMPARATORS) if chance.random() < 0.08 else ""
    codes = [one for one in measurand.codes if chance.random() < 0.1][:2]
    names = (measurand.id, measurand.name, measurand.name, *measurand.names)
    name = chance.choice(names) if not codes or chance.random() < 0.7 else None
    if chance.random() < 0.02:
        name = chance.choice(_NAMES_APART)
    is_apart = chance.random() < 0.3
    return ReportedResult(
        where=where,
        value=value if is_apart else f"{sign}{value}",
        unit=printed,
        name=name,
        codes=tuple(ReportedCode(one.system, one.code) for one in codes),
        comparator=sign or None if is_apart else None,
        interval=_interval(chance, measurand, printed),
        flag=chance.choice(_FLAGS) if chance.random() < 0.1 else None,
        note="a note" if chance.random() < 0.05 else None,
        status=chance.choice(_STATUSES) if chance.random() < 0.08 else None,
        not_measured="broken tube" if chance.random() < 0.01 else None,
        collected_at=COLLECTED - timedelta(days=chance.choice((0, 1, 30, 120)))
        if chance.random() < 0.06
        else None,
    )


def _interval(
    chance: random.Random, measurand: Measurand, unit: str | None
) -> ReportedInterval | None:
    kind = chance.random()
    if kind < 0.4:
        return None
    usable = [one for one in measurand.intervals if one.low is not None and one.high is not None]
    if usable and kind < 0.9:
        alike = [row for row in usable if unit in (row.unit, None)] or usable
        row = chance.choice(alike)
        low, high = f"{row.low:f}", f"{row.high:f}"
    else:
        low, high = sorted((_number(chance, measurand)[0] for _ in range(2)), key=Decimal)
    if kind > 0.97:
        low, high = high, low
    form = chance.random()
    if form < 0.4:
        return ReportedInterval(low=low, high=high)
    if form < 0.5:
        return ReportedInterval(text=f"<{high}")
    if form < 0.6:
        return ReportedInterval(text=f"{low} - {high} {unit or ''}")
    if form < 0.65:
        return ReportedInterval(text=chance.choice(("see text", "0-" + high, "up to " + high)))
    if form < 0.7 and measurand.units:
        return ReportedInterval(low=low, high=high, unit=chance.choice(measurand.units).printed)
    return ReportedInterval(text=f"{low}-{high}")


def _again(chance: random.Random, results: list[ReportedResult]) -> list[ReportedResult]:
    """Now and then one of the results a second time, alike or not."""
    if not results or chance.random() > 0.08:
        return []
    one = replace(chance.choice(results), where=f"results[{len(results)}]")
    return [one if chance.random() < 0.4 else replace(one, value=f"{chance.randint(1, 300)}")]


def _terms(chance: random.Random, kind: str, member: str, most: int) -> tuple[ReportedTerm, ...]:
    ids = _ids(kind)
    named = chance.sample(ids, min(len(ids), chance.choice((0, 0, *range(1, most + 1)))))
    return tuple(
        ReportedTerm(
            f"{member}[{place}]",
            one if chance.random() < 0.97 else "no such thing",
            onset=chance.choice((None, "sudden", "gradual")),
            side=chance.choice((None, None, "left", "both")),
            duration_days=chance.choice((None, None, 3, 200)),
        )
        for place, one in enumerate(named)
    )


@cache
def _ids(kind: str) -> tuple[str, ...]:
    return tuple(knowledge().terms[kind])


def _specimen(chance: random.Random) -> dict[str, str | Decimal]:
    if chance.random() < 0.6:
        return {}
    fields = knowledge().specimen_fields
    names = chance.sample(sorted(fields), chance.choice((1, 2)))
    return {
        name: chance.choice(fields[name]) if fields[name] else Decimal(chance.randint(0, 300))
        for name in names
    }


def _previous(chance: random.Random, chosen: Iterable[Measurand]) -> tuple[EarlierPanel, ...]:
    if chance.random() < 0.7:
        return ()
    results = tuple(
        _result(chance, one, f"previous[0].results[{place}]")
        for place, one in enumerate(tuple(chosen)[:3])
    )
    when = chance.choice((None, COLLECTED - timedelta(days=chance.choice((1, 5, 40, 400)))))
    return (EarlierPanel(when, results, "previous[0]", chance.choice(("request", "store"))),)


def _choices(chance: random.Random) -> Choices:
    if chance.random() < 0.7:
        return Choices()
    known = knowledge()
    measurand = chance.choice(sorted(known.schemes))
    return Choices(
        range_set=chance.choice((None, *known.range_sets, "nowhere")),
        range_policy=chance.choice((None, "lab-then-service", "lab-only", "service-only")),
        critical_policy=chance.choice((None, *known.critical_policies)),
        schemes={measurand: chance.choice(known.schemes[measurand])}
        if chance.random() < 0.5
        else {},
    )
