"""What no edit of the files may undo: dangerous numbers lead, doubt is narrow, steps fit what was found."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from labinterp.interpretation import interpret
from labinterp.model.codes import URGENCIES
from labinterp.model.rule import AnyOf, Compared, HistoryIs, SymptomIs
from labinterp.model.submission import Choices
from tests.build import (
    a_panel,
    a_result,
    interpreted,
    knowledge,
    result,
    rules,
    submission_of_example,
)

KNOWN = knowledge()
ADULT = {"age": "54 years", "sex": "female"}
PEOPLE = {
    "nothing known": {},
    "woman of 54": ADULT,
    "man of 85": {"age": "85 years", "sex": "male"},
    "third trimester": {
        "age": "30 years",
        "sex": "female",
        "pregnancy": "pregnant",
        "gestation_weeks": 34,
    },
    "pregnant, weeks unknown": {"age": "30 years", "sex": "female", "pregnancy": "pregnant"},
    "child of 9": {"age": "9 years", "sex": "male"},
    "three days old": {"age": "3 days"},
}


def urgency(answer):
    return URGENCIES.index(answer.urgency)


# ---- dangerous numbers


@pytest.mark.parametrize("about", PEOPLE.values(), ids=PEOPLE)
@pytest.mark.parametrize(
    ("sent", "rule"),
    [
        ("sodium 115 mmol/L", "u-na-critical-low"),
        ("sodium 165 mmol/L", "u-na-critical-high"),
        ("potassium 1.9 mmol/L", "u-k-critical-low"),
        ("potassium 7.2 mmol/L", "u-k-critical-high"),
        ("adjusted_calcium 1.6 mmol/L", "u-ca-critical-low"),
    ],
)
@pytest.mark.hazard("lost-critical")
def test_a_dangerous_number_leads_as_an_emergency_whoever_the_patient_is(sent, rule, about):
    answer = interpreted(sent, **about)
    assert answer.urgency == "emergency"
    assert rule in {one.rule for one in answer.urgency_findings if one.urgency == "emergency"}
    assert answer.next_steps[0].urgency == "emergency"


def _items(rule):
    """Each alternative that a symptomatic low magnesium may stand beside."""
    (either,) = [part for part in KNOWN.urgency_rules[rule].when.parts if isinstance(part, AnyOf)]
    for part in either.parts:
        if isinstance(part, SymptomIs):
            yield from ((f"symptom {one}", (), {"symptoms": [one]}) for one in part.symptoms)
        elif isinstance(part, HistoryIs):
            yield f"history {part.history}", (), {"history": [part.history]}
        else:
            assert isinstance(part, Compared)
            step = Decimal(0) if part.operator == "le" else Decimal("0.01")
            sent = f"{part.measurand} {part.limit - step} {part.unit}"
            yield sent, (sent,), {}


MAGNESIUM_ITEMS = list(_items("u-mg-low-symptomatic"))


def test_the_items_of_the_sheet_stand_beside_a_low_magnesium():
    named = " ".join(name for name, _, _ in MAGNESIUM_ITEMS)
    for item in (
        "tetany",
        "carpopedal-spasm",
        "seizure",
        "palpitations",
        "syncope",
        "laryngospasm",
    ):
        assert f"symptom {item}" in named
    for item in ("prolonged-qtc", "adjusted_calcium 1.89", "potassium 2.5"):
        assert item in named


@pytest.mark.parametrize(
    ("more", "about"), [one[1:] for one in MAGNESIUM_ITEMS], ids=[one[0] for one in MAGNESIUM_ITEMS]
)
def test_a_magnesium_of_0_3_is_an_emergency_with_each_item(more, about):
    answer = interpreted("magnesium 0.3 mmol/L", *more, **about, **ADULT)
    assert answer.urgency == "emergency"
    assert "u-mg-low-symptomatic" in rules(answer.urgency_findings)


@pytest.mark.parametrize("about", PEOPLE.values(), ids=PEOPLE)
def test_a_magnesium_of_0_3_alone_is_same_day(about):
    assert interpreted("magnesium 0.3 mmol/L", **about).urgency == "same_day"


@pytest.mark.parametrize(
    ("value", "symptoms", "expected"),
    [
        ("0.78", [], "emergency"),
        ("0.79", [], "same_day"),
        ("0.89", [], "same_day"),
        ("0.89", ["tetany"], "emergency"),
        ("0.89", ["seizure"], "emergency"),
        ("1.58", [], "same_day"),
    ],
)
def test_ionised_calcium_is_as_urgent_as_was_decided(value, symptoms, expected):
    answer = interpreted(f"ionized_calcium {value} mmol/L", symptoms=symptoms, **ADULT)
    assert answer.urgency == expected


def test_ionised_calcium_just_inside_its_limits_is_less_urgent():
    low = interpreted("ionized_calcium 0.90 mmol/L", **ADULT)
    assert "u-ca-ionised-severe-low" not in rules(low.urgency_findings)
    high = interpreted("ionized_calcium 1.57 mmol/L", **ADULT)
    assert "u-ca-ionised-critical-high" not in rules(high.urgency_findings)


# ---- critical limits, whatever the analyte


BEYOND = [
    pytest.param(measurand, limit, side, id=f"{name}-{limit.policy}-{n}-{side}")
    for name, measurand in KNOWN.measurands.items()
    for n, limit in enumerate(measurand.critical_limits)
    if limit.policy in KNOWN.critical_policies
    and not limit.unverified
    and limit.applies_to.other is None
    for side in ("low", "high")
    if getattr(limit, side) is not None
]


@pytest.mark.parametrize(("measurand", "limit", "side"), BEYOND)
@pytest.mark.hazard("lost-critical")
def test_any_critical_value_is_at_least_same_day(measurand, limit, side):
    bounds = getattr(limit, side)
    end = next(one for one in (bounds.lt, bounds.le, bounds.gt, bounds.ge) if one is not None)
    value = end * (Decimal("0.999") if side == "low" else Decimal("1.001"))
    start = limit.applies_to.age_from
    days = limit.applies_to.age_below
    age = (start or Decimal(0)) if days is not None else max(start or Decimal(0), Decimal(19724))
    written = a_result(f"{measurand.id} 1 {bounds.unit}", value=f"{value:f}")
    about = {"age": f"{age} days", "sex": limit.applies_to.sex or "female"}
    chosen = Choices(critical_policy=limit.policy)
    answer = interpret(a_panel(written, choices=chosen, **about), KNOWN)
    assert result(answer, measurand.id).standing == f"critically_{side}"
    assert urgency(answer) >= URGENCIES.index("same_day")
    assert "u-critical-limit" in rules(answer.urgency_findings)


def _silent():
    """Measurands on which the default policy is silent and another one speaks."""
    for name, measurand in KNOWN.measurands.items():
        spoken = {one.policy for one in measurand.critical_limits if not one.unverified}
        if spoken & set(KNOWN.critical_fallbacks) and KNOWN.defaults.critical_policy not in spoken:
            yield name


def test_haemoglobin_and_ph_have_critical_limits_although_the_default_policy_is_silent():
    assert {"haemoglobin", "ph"} <= set(_silent())
    assert urgency(interpreted("haemoglobin 40 g/L", **ADULT)) >= URGENCIES.index("same_day")
    assert urgency(interpreted("ph 7.05 [pH]", **ADULT)) >= URGENCIES.index("same_day")


# ---- artefacts doubt only what they could have produced


def _far(measurand, side):
    """A believable value well beyond the adult's interval on one side, in the canonical unit."""
    answer = KNOWN.measurands[measurand]
    rows = [one for one in answer.intervals if one.set == "uk-pathology-harmony" and one.usable]
    rows = [one for one in rows if one.applies_to.other is None]
    fitting = [one for one in rows if one.applies_to.sex in (None, ADULT["sex"])]
    row = next(iter(fitting), answer.fallback)
    if row is None or row.unverified or row.unit != answer.unit:
        return None
    end, factor = (row.low, Decimal("0.9")) if side == "low" else (row.high, Decimal("1.1"))
    return None if not end else f"{measurand} {end * factor} {row.unit}"


EFFECTS = [
    pytest.param(artefact, measurand, direction, id=f"{name}-{measurand}")
    for name, artefact in KNOWN.artefacts.items()
    if any(example.expect == "found" for example in artefact.examples)
    for measurand, direction in artefact.effects.items()
    if _far(measurand, "low" if direction == "up" else "high")
]


def _doubts(artefact, sent):
    """What the artefact says of this result beside the rest of its own example."""
    example = next(one for one in artefact.examples if one.expect == "found")
    measurand = sent.split(" ")[0]
    if measurand in example.given:
        return None
    submission = submission_of_example(example.given)
    extra = a_result(sent, f"results[{len(submission.results)}]")
    answer = interpret(replace(submission, results=(*submission.results, extra)), KNOWN)
    found = {one.rule for one in answer.artefacts}
    if artefact.id not in found or len(found) > 1:
        return None
    return result(answer, measurand).doubts


def test_most_effects_of_artefacts_are_tried():
    tried = [one for one in EFFECTS if _opposite(*one.values) is not None]
    assert len(tried) > 30


def _opposite(artefact, measurand, direction):
    return _doubts(artefact, _far(measurand, "low" if direction == "up" else "high"))


@pytest.mark.parametrize(("artefact", "measurand", "direction"), EFFECTS)
@pytest.mark.hazard("artefact-hides")
def test_an_artefact_leaves_alone_what_it_could_not_have_produced(artefact, measurand, direction):
    against = _opposite(artefact, measurand, direction)
    assert not against
    along = _far(measurand, "high" if direction == "up" else "low")
    if along is not None and against is not None:
        assert _doubts(artefact, along)


# ---- spellings of real feeds


SPELLINGS = {
    "mmol/L": (
        "MMOL/L",
        "MMOLL",
        "mmol/l",
        "mmol/L ",
        " mmol / L",
        "ｍｍｏｌ／Ｌ",
        "mmol·L⁻¹",
        "mM",
    ),
    "meq/L": ("MEQ/L", "meq/l", "mEq/L", "mval/L", "MVAL/L", "mEq/L  "),
    "umol/L": ("umol/L", "µmol/L", "μmol/L", "UMOL/L", "UMOLL", "µmol/l\u00a0"),
    "ug/L": ("mcg/L", "MCG/L", "µg/L", "μg/L", "ug/l"),
    "ug/dL": ("ug/dL", "mcg/dL", "µg/dl", "UG/DL"),
    "g/dL": ("gm/dL", "GM/DL", "g/dl", "gm%", "g/100 mL"),
    "10*9/L": ("10⁹/L", "x10⁹/L", "10^9/L", "×10^9/L", "10*9/L"),
    "mL/min/{1.73_m2}": ("mL/min/1.73m²", "ML/MIN/1.73M2", "ml/min/1.73 m2"),
    "mg/dL": ("MG/DL", "mg/dl", "mg%", "mg/100 mL", "ｍｇ／ｄＬ"),
}


@pytest.mark.parametrize(
    ("ucum", "written"), [(ucum, one) for ucum, ones in SPELLINGS.items() for one in ones]
)
def test_a_unit_is_read_as_feeds_write_it_for_every_measurand_that_takes_it(ucum, written):
    takers = [
        one
        for one in KNOWN.measurands.values()
        if any(unit.ucum == ucum and not unit.only_when_named for unit in one.units)
        and not {unit.ucum for unit in one.units} & {"mg{N}/dL", "mg{urea}/dL"}
    ]
    assert takers
    for measurand in takers:
        sent = a_result(f"{measurand.id} 1 {ucum}", unit=written)
        answer = interpret(a_panel(sent, **ADULT), KNOWN)
        assert not {one.code for one in answer.problems} & {"unit-unknown", "unit-missing"}
        plain = interpret(a_panel(a_result(f"{measurand.id} 1 {ucum}"), **ADULT), KNOWN)
        assert answer.results[0].value == plain.results[0].value
        assert answer.results[0].standing == plain.results[0].standing


@pytest.mark.hazard("wrong-unit")
def test_two_milliequivalents_are_one_millimole_of_calcium_and_two_of_sodium():
    for name, moles in (("calcium", 1), ("ionized_calcium", 1), ("magnesium", 1), ("sodium", 2)):
        answer = interpret(a_panel(f"{name} 2 meq/L", **ADULT), KNOWN)
        factor = Fraction(moles, 2)
        assert answer.results[0].conversion is None or answer.results[0].conversion.factor == factor
