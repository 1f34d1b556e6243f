"""Builds the single files: sources, units, range sets, policies and the causal map."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from labinterp.model.knowledge import (
    CriticalPolicy,
    Defaults,
    PathStep,
    RangePick,
    RangeSet,
    Scheme,
    Source,
)
from labinterp.model.spelling import exact_unit, folded_unit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from labinterp.knowledge.entry import Entry
    from labinterp.model.knowledge import Formula
    from labinterp.model.measurand import Measurand
    from labinterp.model.rule import Condition


def sources(document: Entry) -> dict[str, Source]:
    """The bibliography, by id."""
    return {name: _source(name, row) for name, row in document.members("sources")}


def _source(name: str, row: Entry) -> Source:
    return Source(
        id=name,
        title=row.text("title"),
        publisher=row.text("publisher"),
        year=row.whole("year"),
        url=row.optional("url"),
        kind=row.text("kind"),
        access=row.text("access"),
        note=row.optional("where"),
    )


def unit_spellings(document: Entry) -> dict[str, str]:
    """Every folded spelling that means one unit for every measurand."""
    spellings: dict[str, str] = {}
    for row in document.rows("units"):
        code = row.text("ucum")
        for spelling in (code, row.text("printed"), *row.texts("spellings")):
            if spelling:
                spellings[folded_unit(spelling)] = code
    return spellings


def case_sensitive(document: Entry) -> dict[str, str]:
    """Exact spellings whose case changes their meaning."""
    return {exact_unit(name): code for name, code in document.words("case_sensitive").items()}


def printed_units(document: Entry) -> dict[str, str]:
    """UCUM code to the form we print."""
    return {row.text("ucum"): row.text("printed") for row in document.rows("units")}


def range_sets(document: Entry, measurands: dict[str, Measurand]) -> dict[str, RangeSet]:
    """Published and composed sets, by id."""
    plain = {n: _plain(n, row, measurands) for n, row in document.members("range_sets")}
    composed = {n: _composed(n, row) for n, row in document.members("composed_sets")}
    return plain | composed


def _plain(name: str, row: Entry, measurands: dict[str, Measurand]) -> RangeSet:
    """A published set; it ships only what somebody has seen and found usable."""
    holding = tuple(
        measurand.id
        for measurand in measurands.values()
        if any(i.set == name and i.usable and not i.unverified for i in measurand.intervals)
    )
    return RangeSet(
        id=name,
        title=row.text("title"),
        country=row.text("country"),
        kind=row.text("kind"),
        shipped=row.truth("shipped") and bool(holding),
        measurands=holding,
        note=row.optional("note"),
    )


def _composed(name: str, row: Entry) -> RangeSet:
    picks = {
        m: RangePick(item.texts("adult"), item.texts("child")) for m, item in row.members("picks")
    }
    return RangeSet(
        id=name,
        title=row.text("title"),
        country=row.text("country"),
        kind=row.text("kind"),
        shipped=True,
        measurands=tuple(picks),
        composed=True,
        picks=picks,
        others=row.texts("others"),
        schemes=row.words("schemes"),
        note=row.optional("note"),
    )


def defaults(document: Entry) -> Defaults:
    """What is used where nobody chose."""
    row = document.inner("defaults")
    return Defaults(
        range_set=row.text("range_set"),
        range_policy=row.text("range_policy"),
        critical_policy=row.text("critical_policy"),
        schemes=row.words("schemes"),
        named={name: tuple(ids) for name, ids in (row.data.get("named") or {}).items()},
    )


def critical_policies(document: Entry) -> dict[str, str]:
    """The policies that can be chosen, by id, as printed."""
    return {
        name: row.text("printed")
        for name, row in document.members("critical_policies")
        if row.truth("shipped")
    }


def titled(
    measurands: dict[str, Measurand], range_sets: dict[str, RangeSet], policies: Entry
) -> dict[str, Measurand]:
    """The measurands with the names that readers see on every interval and limit."""
    schemes = {name: row.text("title") for name, row in policies.members("decision_schemes")}
    lists = {name: row.text("printed") for name, row in policies.members("critical_policies")}
    sets = {one.id: one.title for one in range_sets.values()}
    return {
        measurand.id: replace(
            measurand,
            intervals=tuple(
                replace(one, set_title=sets.get(one.set, one.set)) for one in measurand.intervals
            ),
            decision_limits=tuple(
                replace(one, scheme_title=schemes.get(one.scheme, one.scheme))
                for one in measurand.decision_limits
            ),
            critical_limits=tuple(
                replace(one, policy_name=lists.get(one.policy, one.policy_name))
                for one in measurand.critical_limits
            ),
        )
        for measurand in measurands.values()
    }


def schemes(
    measurands: dict[str, Measurand], formulas: Iterable[Formula]
) -> dict[str, tuple[str, ...]]:
    """Measurand to the schemes and equations that can be chosen: verified throughout."""
    equations = {
        one.id: tuple(name for name, other in one.equations.items() if not other.unverified)
        for one in formulas
    }
    choices = {m.id: (*_selectable(m), *equations.get(m.id, ())) for m in measurands.values()}
    return {name: found for name, found in choices.items() if found}


def _selectable(measurand: Measurand) -> tuple[str, ...]:
    doubtful = {limit.scheme for limit in measurand.decision_limits if limit.unverified}
    known = dict.fromkeys(limit.scheme for limit in measurand.decision_limits)
    return tuple(name for name in known if name not in doubtful)


def decision_schemes(document: Entry, measurands: dict[str, Measurand]) -> dict[str, Scheme]:
    """Every scheme with its regions, by id."""
    return {
        name: Scheme(
            id=name,
            title=row.text("title"),
            about=row.text("about"),
            selectable=tuple(m.id for m in measurands.values() if name in _selectable(m)),
            limits={
                m.id: found
                for m in measurands.values()
                if (found := tuple(one for one in m.decision_limits if one.scheme == name))
            },
        )
        for name, row in document.members("decision_schemes")
    }


def policies(document: Entry, measurands: dict[str, Measurand]) -> dict[str, CriticalPolicy]:
    """Every list of critical limits, by id."""
    return {
        name: CriticalPolicy(
            id=name,
            title=row.text("printed"),
            selectable=row.truth("shipped"),
            limits={
                m.id: found
                for m in measurands.values()
                if (found := tuple(one for one in m.critical_limits if one.policy == name))
            },
        )
        for name, row in document.members("critical_policies")
    }


def twitch_rules(document: Entry) -> dict[str, tuple[str, tuple[str, ...]]]:
    """The rules of the verdict, each with its sources."""
    return {
        name: (row.text("rule"), row.texts("sources"))
        for name, row in document.members("twitch_rules")
    }


def named_conditions(document: Entry) -> dict[str, Condition]:
    """Conditions that the engine itself asks."""
    return {name: row.condition("when") for name, row in document.members("named_conditions")}


def finding_codes(document: Entry) -> dict[str, dict[str, str]]:
    """Measurand to the terms of its low and high."""
    return {
        name: {k: str(v) for k, v in row.data.items()}
        for name, row in document.members("finding_codes")
    }


def path_steps(document: Entry) -> tuple[PathStep, ...]:
    """The edges of the causal map."""
    return tuple(
        PathStep(
            id=row.text("id"),
            start=row.text("from"),
            end=row.text("to"),
            sentence=row.text("sentence"),
            sources=row.texts("sources"),
            mechanism=row.optional("mechanism"),
            opposes=row.truth("opposes"),
        )
        for row in document.rows("edges")
    )


def specimen_fields(document: Entry) -> dict[str, tuple[str, ...]]:
    """Specimen field to its words; an empty tuple for a number."""
    return {
        name: () if values == "number" else tuple(cast("Any", values))
        for name, values in (document.data.get("fields") or {}).items()
    }
