"""The one door to pint: exact factors, valence, molar mass, and what is never converted."""

from decimal import Decimal
from fractions import Fraction

import pytest

from labinterp.model.units import UnitError, factor, is_unit, kind

MAGNESIUM, CALCIUM = Decimal("24.305"), Decimal("40.078")


@pytest.mark.parametrize(
    "case",
    [
        ("2.0", "mg/dL", "mmol/L", "24.305", 2, "0.822876"),
        ("2.0", "meq/L", "mg/dL", "24.305", 2, "2.4305"),
        ("10.0", "mg/dL", "mmol/L", "40.078", 2, "2.49513"),
        ("5.0", "meq/L", "mg/dL", "40.078", 2, "10.0195"),
        ("4.0", "meq/L", "mmol/L", "39.0983", 1, "4"),
        ("140", "meq/L", "mmol/L", "22.98977", 1, "140"),
        ("200", "pg/mL", "pmol/L", "1355.37", None, "147.561"),
        ("258", "pmol/L", "ng/L", "1355.37", None, "349.685"),
        ("20", "ng/mL", "nmol/L", "400.64", None, "49.9201"),
        ("125", "nmol/L", "ng/mL", "400.64", None, "50.08"),
        ("3.5", "mg/dL", "mmol/L", "30.974", None, "1.12998"),
        ("1.0", "mg/dL", "umol/L", "113.12", None, "88.4017"),
        ("13.5", "g/dL", "g/L", None, None, "135"),
        ("65", "mg{N}/dL", "mmol/L", "28.014", None, "23.2027"),
        ("40", "mg/(24.h)", "mmol/(24.h)", "40.078", 2, "0.998054"),
        ("23.6", "mm[Hg]", "kPa", None, None, "3.14641"),
        ("1305", "10*3/uL", "10*9/L", None, None, "1305"),
        ("1", "ukat/L", "U/L", None, None, "60"),
        ("1", "u[IU]/mL", "m[IU]/L", None, None, "1"),
        ("290", "mosm/kg", "mmol/kg", None, None, "290"),
        ("90", "fL", "um3", None, None, "90"),
    ],
)
def test_the_conversion_cases_of_the_sheet(case):
    value, source, target, mass, valence, gives = case
    found = Fraction(value) * factor(source, target, Decimal(mass) if mass else None, valence)
    digits = Decimal(gives)
    tolerance = Fraction(1, 2) * Fraction(10) ** int(digits.as_tuple().exponent)
    assert abs(found - Fraction(digits)) <= tolerance


@pytest.mark.hazard("wrong-unit")
def test_there_and_back_is_exact():
    assert factor("mg/dL", "mmol/L", MAGNESIUM, 2) * factor("mmol/L", "mg/dL", MAGNESIUM, 2) == 1


def test_two_milliequivalents_of_calcium_are_one_millimole_exactly():
    assert 2 * factor("meq/L", "mmol/L", CALCIUM, 2) == 1


@pytest.mark.parametrize(
    ("source", "target", "mass", "valence"),
    [
        ("mg", "mg/dL", MAGNESIUM, 2),
        ("mg/dL", "mmol/L", None, 2),
        ("meq/L", "mmol/L", MAGNESIUM, None),
        ("[IU]/L", "nmol/L", CALCIUM, 2),
        ("[pH]", "nmol/L", None, None),
        ("mmol/(24.h)", "mmol/L", MAGNESIUM, 2),
        ("mmol/kg", "mmol/L", MAGNESIUM, 2),
        ("mol/L", "g", MAGNESIUM, 1),
        ("furlong", "mmol/L", None, None),
    ],
)
@pytest.mark.hazard("wrong-unit")
def test_what_does_not_measure_the_same_is_never_converted(source, target, mass, valence):
    with pytest.raises(UnitError):
        factor(source, target, mass, valence)


@pytest.mark.parametrize(
    "code",
    ["", "x" * 100, "mg//", "((((", "__import__('os')", "mmol/L; drop", "10*x/L", "10*9999999999"],
)
@pytest.mark.hazard("wrong-unit")
def test_foreign_text_is_no_unit(code):
    assert not is_unit(code)


@pytest.mark.parametrize("code", ["mmol/L", "m[IU]/L", "10*9/L", "mm[Hg]", "%", "mg{N}/dL"])
def test_a_unit_of_a_laboratory_is_one(code):
    assert is_unit(code)


@pytest.mark.parametrize(
    ("source", "target", "wanted"),
    [
        ("m[IU]/L", "[IU]/L", Fraction(1, 1000)),
        ("u[IU]/mL", "m[IU]/L", Fraction(1)),
        ("k[IU]/L", "[IU]/L", Fraction(1000)),
        ("[IU]/mL", "[IU]/L", Fraction(1000)),
        ("mosm/kg", "osm/kg", Fraction(1, 1000)),
    ],
)
def test_prefixes_of_arbitrary_units_are_powers_of_ten(source, target, wanted):
    assert factor(source, target) == wanted


@pytest.mark.hazard("wrong-unit")
def test_case_matters_in_ucum():
    assert factor("Mg/dL", "mg/dL") == 10**9


def test_what_a_unit_counts():
    assert [kind(one) for one in ("mg/dL", "mmol/L", "meq/L", "%", "x")] == [
        "mass",
        "substance",
        "equivalent",
        "other",
        "other",
    ]
