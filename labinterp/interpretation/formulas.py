"""The arithmetic of derived quantities, one function each.

Every number they use comes from the knowledge.

Inputs arrive exact, in the units the formula's file names, in its order. Additions and ratios stay
exact fractions;
where a power or a logarithm is needed the result is a decimal of forty digits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Final

from labinterp.interpretation.facts import years
from labinterp.model.patient import Patient

Inputs = tuple[Fraction, ...]
Constants = Mapping[str, Decimal]
Function = Callable[[Inputs, Constants, Patient], "Fraction | None"]

_DIGITS: Final = 40


def adjusted_calcium(inputs: Inputs, constants: Constants, _: Patient) -> Fraction:
    """Total calcium adjusted for albumin: calcium [mmol/L], albumin [g/L]."""
    calcium, albumin = inputs
    return calcium + Fraction(constants["slope"]) * (Fraction(constants["baseline"]) - albumin)


def anion_gap(inputs: Inputs, _: Constants, __: Patient) -> Fraction:
    """Sodium less chloride and bicarbonate, all [mmol/L]."""
    sodium, chloride, bicarbonate = inputs
    return sodium - chloride - bicarbonate


def anion_gap_with_potassium(inputs: Inputs, _: Constants, __: Patient) -> Fraction:
    """Sodium and potassium less chloride and bicarbonate, all [mmol/L]."""
    sodium, potassium, chloride, bicarbonate = inputs
    return sodium + potassium - chloride - bicarbonate


def albumin_corrected_anion_gap(inputs: Inputs, constants: Constants, _: Patient) -> Fraction:
    """The gap without potassium, raised for a low albumin [g/L]."""
    sodium, chloride, bicarbonate, albumin = inputs
    missing = Fraction(constants["baseline"]) - albumin
    return sodium - chloride - bicarbonate + Fraction(constants["slope"]) * missing


def calcium_phosphate_product(inputs: Inputs, _: Constants, __: Patient) -> Fraction:
    """Adjusted calcium times phosphate, both [mmol/L]."""
    calcium, phosphate = inputs
    return calcium * phosphate


def calculated_osmolality(inputs: Inputs, constants: Constants, _: Patient) -> Fraction:
    """From sodium, glucose and urea, all [mmol/L]."""
    sodium, glucose, urea = inputs
    return Fraction(constants["sodium_factor"]) * sodium + glucose + urea


def effective_osmolality(inputs: Inputs, constants: Constants, _: Patient) -> Fraction:
    """From sodium and glucose, both [mmol/L]; urea crosses membranes and does not count."""
    sodium, glucose = inputs
    return Fraction(constants["sodium_factor"]) * sodium + glucose


def osmolar_gap(inputs: Inputs, constants: Constants, patient: Patient) -> Fraction:
    """Measured osmolality [mosm/kg] less the calculated one."""
    return inputs[0] - calculated_osmolality(inputs[1:], constants, patient)


def corrected_sodium(inputs: Inputs, constants: Constants, _: Patient) -> Fraction:
    """Sodium as it would be without the water that glucose drew out of cells, both [mmol/L]."""
    sodium, glucose = inputs
    baseline = Fraction(constants["baseline"])
    return sodium + Fraction(constants["slope"]) * (glucose - baseline) / baseline


def globulin(inputs: Inputs, _: Constants, __: Patient) -> Fraction:
    """Total protein less albumin, both [g/L]."""
    return inputs[0] - inputs[1]


def urea_creatinine_ratio(inputs: Inputs, _: Constants, __: Patient) -> Fraction | None:
    """Urea over creatinine, both [mmol/L]."""
    return _ratio(inputs[0], inputs[1])


def femg(inputs: Inputs, constants: Constants, _: Patient) -> Fraction | None:
    """Fractional excretion of magnesium [%].

    Urine magnesium, creatinine, magnesium, urine creatinine.
    """
    urine_magnesium, creatinine, magnesium, urine_creatinine = inputs
    filterable = Fraction(constants["filterable_share"]) * magnesium
    return _percent(urine_magnesium * creatinine, filterable * urine_creatinine)


def fe_potassium(inputs: Inputs, _: Constants, __: Patient) -> Fraction | None:
    """Fractional excretion of potassium [%].

    Urine potassium, creatinine, potassium, urine creatinine.
    """
    urine_potassium, creatinine, potassium, urine_creatinine = inputs
    return _percent(urine_potassium * creatinine, potassium * urine_creatinine)


def ttkg(inputs: Inputs, _: Constants, __: Patient) -> Fraction | None:
    """Transtubular potassium gradient: urine potassium, potassium, urine and serum osmolality.

    Urine no more concentrated than serum gives none.
    """
    urine_potassium, potassium, urine_osmolality, osmolality = inputs
    if urine_osmolality <= osmolality:
        return None
    return _ratio(urine_potassium * osmolality, potassium * urine_osmolality)


def potassium_haemolysis_estimate(inputs: Inputs, constants: Constants, _: Patient) -> Fraction:
    """Potassium [mmol/L] that this much free haemoglobin [g/L] could explain; never subtracted."""
    return Fraction(constants["slope"]) * inputs[0]


def ionized_calcium_ph74(inputs: Inputs, constants: Constants, _: Patient) -> Fraction:
    """Ionised calcium [mmol/L] at pH 7.40, from the actual value and pH."""
    calcium, ph = inputs
    exponent = Fraction(constants["slope"]) * (Fraction(constants["baseline"]) - ph)
    return calcium * _power(Decimal(10), exponent)


def egfr(inputs: Inputs, constants: Constants, patient: Patient) -> Fraction | None:
    """Estimated glomerular filtration rate by CKD-EPI 2021: creatinine [umol/L], age, sex."""
    age, sex = years(patient.age_days), patient.sex
    if age is None or sex not in ("female", "male") or inputs[0] <= 0:
        return None
    relative = inputs[0] / Fraction(constants["umol_per_mg_dl"]) / Fraction(constants[f"k_{sex}"])
    below = _power(_decimal(min(relative, Fraction(1))), Fraction(constants[f"a_{sex}"]))
    above = _power(_decimal(max(relative, Fraction(1))), Fraction(constants["exponent_above"]))
    ageing = _power(constants["age_base"], Fraction(int(age)))
    by_sex = Fraction(constants["female_factor"]) if sex == "female" else Fraction(1)
    return Fraction(constants["scale"]) * below * above * ageing * by_sex


def cb12(inputs: Inputs, constants: Constants, patient: Patient) -> Fraction | None:
    """Combined B12 indicator.

    Active B12 and B12 [pmol/L] over methylmalonic acid and homocysteine [umol/L].
    """
    age = years(patient.age_days)
    ratio = _ratio(inputs[0] * inputs[1], inputs[2] * inputs[3])
    if age is None or ratio is None or ratio <= 0:
        return None
    with localcontext() as context:
        context.prec = _DIGITS
        logarithm = Fraction(_decimal(ratio).log10())
    ageing = _power(
        _decimal(age / Fraction(constants["age_scale"])), Fraction(constants["age_power"])
    )
    return logarithm - Fraction(constants["age_numerator"]) / (1 + ageing)


def _ratio(above: Fraction, below: Fraction) -> Fraction | None:
    return above / below if below else None


def _percent(above: Fraction, below: Fraction) -> Fraction | None:
    ratio = _ratio(above, below)
    return None if ratio is None else 100 * ratio


def _decimal(number: Fraction) -> Decimal:
    with localcontext() as context:
        context.prec = _DIGITS
        return Decimal(number.numerator) / Decimal(number.denominator)


def _power(base: Decimal, exponent: Fraction) -> Fraction:
    with localcontext() as context:
        context.prec = _DIGITS
        return Fraction(base ** _decimal(exponent)) if base else Fraction(0)


FORMULAS: Final[Mapping[str, Function]] = {
    "adjusted_calcium": adjusted_calcium,
    "anion_gap": anion_gap,
    "anion_gap_with_potassium": anion_gap_with_potassium,
    "albumin_corrected_anion_gap": albumin_corrected_anion_gap,
    "calcium_phosphate_product": calcium_phosphate_product,
    "calculated_osmolality": calculated_osmolality,
    "effective_osmolality": effective_osmolality,
    "osmolar_gap": osmolar_gap,
    "corrected_sodium": corrected_sodium,
    "corrected_sodium_hillier": corrected_sodium,
    "globulin": globulin,
    "urea_creatinine_ratio": urea_creatinine_ratio,
    "femg": femg,
    "fe_potassium": fe_potassium,
    "ttkg": ttkg,
    "potassium_haemolysis_estimate": potassium_haemolysis_estimate,
    "ionized_calcium_ph74": ionized_calcium_ph74,
    "egfr": egfr,
    "cb12": cb12,
}
"""Formula id to its function.

Adding a derived quantity is a file in `formulas/`, a function, and a line here.
"""
