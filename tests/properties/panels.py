"""Random panels: plausible ones that reach the rules, and hostile ones that try to break the engine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from labinterp.model.submission import (
    Choices,
    EarlierPanel,
    ReportedCode,
    ReportedInterval,
    ReportedResult,
    ReportedTerm,
    Submission,
)
from tests.build import RECEIVED, knowledge

RULED = (
    "magnesium", "calcium", "adjusted_calcium", "ionized_calcium", "potassium", "sodium", "vitamin_b12",
    "vitamin_d_25oh", "albumin", "phosphate", "pth", "creatinine", "egfr", "glucose", "chloride", "bicarbonate", "urea",
    "alp", "ph", "tsh",
)  # fmt: skip
"""Measurands that most rules ask about."""


def _terms(kind):
    return st.lists(st.sampled_from(sorted(knowledge().terms[kind])), max_size=4, unique=True)


def _as_terms(kind, ids, **more):
    return tuple(ReportedTerm(f"{kind}[{place}]", one, **more) for place, one in enumerate(ids))


@st.composite
def values(draw, measurand):
    """A number in a measurand's canonical unit, from impossible to impossible, often near its limits."""
    bounds = knowledge().measurands[measurand].plausibility
    low, high = (
        (bounds.reject_below, bounds.reject_above) if bounds else (Decimal("0.1"), Decimal(100))
    )
    low, high = low or Decimal("0.1"), high or Decimal(1000)
    part = draw(st.integers(-20, 1020))
    number = low + (high - low) * part / 1000
    return round(max(number, Decimal(0)), 2)


@st.composite
def results(draw, measurand, where):
    """A plausible result of this measurand in its canonical unit."""
    number = draw(values(measurand))
    sign = draw(st.sampled_from(["", "", "", "", "<", ">"]))
    unit = knowledge().measurands[measurand].unit
    return ReportedResult(where=where, value=f"{sign}{number:f}", unit=unit, name=measurand)


@st.composite
def submissions(draw, *, max_results=8, comparators=True):
    """A panel that could come from a laboratory."""
    names = draw(st.lists(st.sampled_from(RULED), min_size=1, max_size=max_results, unique=True))
    reported = tuple(draw(results(name, f"results[{place}]")) for place, name in enumerate(names))
    if not comparators:
        reported = tuple(
            ReportedResult(one.where, (one.value or "").lstrip("<>"), one.unit, one.name)
            for one in reported
        )
    return Submission(
        format="json",
        results=reported,
        received_at=RECEIVED,
        sex=draw(st.sampled_from(["female", "male", "unknown", "other"])),
        age_days=draw(
            st.none() | st.sampled_from([Decimal(2), Decimal(4000), Decimal(19000), Decimal(31000)])
        ),
        pregnancy=draw(st.sampled_from(["unknown", "unknown", "not_pregnant", "pregnant"])),
        gestation_weeks=draw(st.none() | st.integers(4, 40)),
        symptoms=_as_terms("symptoms", draw(_terms("symptom"))),
        medications=_as_terms("medications", draw(_terms("medication"))),
        conditions=_as_terms("conditions", draw(_terms("condition"))),
        history=_as_terms("history", draw(_terms("history"))),
        specimen_fields=draw(
            st.sampled_from(
                [{}, {"haemolysis": "gross"}, {"site": "drip-arm"}, {"type": "edta-plasma"}]
            )
        ),
    )


_texts = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.sampled_from(
        ["NaN", "1e400", "-5", "1_000", "٣", "inf", "-inf", "1,250", "<<3", "<", "", " ", "low", "positive", "0",
         "99999999999999999999", "1e-400", "0x10", "1.2.3", "2,4", "≤ 3", "> 2000", "+4.1", "-0", "\u200b4.2", "٤.٢",
         "1" * 500, "½", "10²", "４．２", "pending", "\ud800"]
    ),
)  # fmt: skip
_units = st.one_of(
    st.none(),
    st.text(max_size=8),
    st.sampled_from(
        ["mmol/L", "mg/dL", "mg", "mEq/L", "MEQ/L", "µmol/L", "μmol/L", "mmol / l", "%", "[pH]", "g/L", "IU", "Mg/dL",
         "ng/mL", "nmol/L", "pg/mL", "mol", "/", "(((", "mmol/L/L", "10*9/L", "{}", "mmol/(24.h)", "kg" * 60]
    ),
)  # fmt: skip
_FIRST, _LAST = (datetime(year, 1, 1, tzinfo=UTC).replace(tzinfo=None) for year in (1900, 2100))
_dates = st.none() | st.datetimes(_FIRST, _LAST, timezones=st.sampled_from([UTC, None]))


@st.composite
def _hostile_results(draw, place):
    names = st.sampled_from(
        [*RULED, "Ca++", "MG", "Sodium, Serum", "BUN", "nonsense", "", "\u200bPotassium"]
    )
    codes = st.tuples(
        st.sampled_from(["http://loinc.org", "LN", "", "local"]),
        st.sampled_from(["2823-3", "19123-9", "26746-8", "2823-4", "1990-1", "x", "", "29265-6"]),
    )
    interval = st.builds(
        ReportedInterval,
        low=_texts,
        high=_texts,
        text=_texts | st.sampled_from(["3.5-5.3", "<5", "9-3"]),
        unit=_units,
    )
    return ReportedResult(
        where=f"results[{place}]",
        value=draw(_texts | st.decimals(-10, 500, places=2).map(str)),
        unit=draw(_units),
        name=draw(st.none() | names | st.text(max_size=20)),
        codes=tuple(ReportedCode(*one) for one in draw(st.lists(codes, max_size=2))),
        comparator=draw(st.none() | st.sampled_from(["<", ">", "<=", ">=", "?", "="])),
        interval=draw(st.none() | interval),
        flag=draw(st.none() | st.sampled_from(["L", "H", "LL", "HH", "AA", "N", "*", "?"])),
        status=draw(
            st.none()
            | st.sampled_from(["final", "preliminary", "cancelled", "entered-in-error", "?"])
        ),
        not_measured=draw(st.none() | st.text(max_size=8)),
        collected_at=draw(_dates),
        specimen=draw(
            st.none() | st.sampled_from([{"material": "urine"}, {"material": Decimal(3)}])
        ),
    )


@st.composite
def hostile_submissions(draw):
    """Anything a door could hand over."""
    count = draw(st.integers(0, 6))
    reported = tuple(draw(_hostile_results(place)) for place in range(count))
    anything = st.one_of(
        st.text(max_size=15), st.sampled_from(["tetany", "omeprazole 20 mg", "ckd", "normal-ecg"])
    )
    earlier = st.builds(
        EarlierPanel,
        collected_at=_dates,
        results=st.just(reported[:2]),
        where=st.just("previous[0]"),
    )
    choices = st.builds(
        Choices,
        range_set=st.none() | st.sampled_from(["us-conventional", "nordic", "nowhere", ""]),
        range_policy=st.none()
        | st.sampled_from(["lab-only", "service-only", "lab-then-service", "x"]),
        critical_policy=st.none() | st.sampled_from(["arup-2024", "nobody", "mayo"]),
        schemes=st.dictionaries(
            st.sampled_from(["vitamin_d_25oh", "zinc", "x"]), st.sampled_from(["iom-2011", "y"])
        ),
    )
    return Submission(
        format="json",
        results=reported,
        received_at=RECEIVED + timedelta(days=draw(st.integers(-3, 3))),
        collected_at=draw(_dates),
        status=draw(st.sampled_from(["final", "preliminary", "corrected", "cancelled"])),
        sex=draw(st.sampled_from(["female", "male", "other", "unknown"])),
        age_days=draw(st.none() | st.decimals(-10, 60000, places=3)),
        pregnancy=draw(st.sampled_from(["pregnant", "not_pregnant", "unknown"])),
        gestation_weeks=draw(st.none() | st.integers(-3, 90)),
        specimen_material=draw(st.none() | st.sampled_from(["serum", "Urine", "EDTA plasma", ""])),
        specimen_fields=draw(
            st.dictionaries(
                st.sampled_from(["haemolysis", "type", "separation_delay_hours", "site", "x"]),
                st.sampled_from(
                    ["gross", "unknown", Decimal("NaN"), Decimal(7), "edta-plasma", "drip-arm"]
                ),
            )
        ),
        symptoms=_as_terms(
            "symptoms", draw(st.lists(anything, max_size=3)), side="left", duration_days=30
        ),
        medications=_as_terms("medications", draw(st.lists(anything, max_size=3))),
        conditions=_as_terms("conditions", draw(st.lists(anything, max_size=3))),
        history=_as_terms("history", draw(st.lists(anything, max_size=3))),
        previous=tuple(draw(st.lists(earlier, max_size=2))),
        choices=draw(choices),
    )
