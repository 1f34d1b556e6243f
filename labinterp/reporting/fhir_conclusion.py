"""What a panel means as codes: our own findings, and SNOMED CT where the operator may use it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from labinterp.reporting import fhir_words as words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labinterp.model.interpretation import Finding, Interpretation, InterpretedResult
    from labinterp.reporting.fhir_words import Resource

SNOMED: Final = "http://snomed.info/sct"
_LOW: Final = ("low", "critically_low")
_HIGH: Final = ("high", "critically_high")
_CALCIUM: Final = ("ionized_calcium", "adjusted_calcium", "calcium")
_STATES: Final[tuple[tuple[tuple[str, ...], tuple[str, ...], str, str], ...]] = (
    (("magnesium",), _LOW, "190855004", "Hypomagnesemia"),
    (_CALCIUM, _LOW, "5291005", "Hypocalcemia"),
    (_CALCIUM, _HIGH, "66931009", "Hypercalcemia"),
    (("potassium", "potassium_plasma"), _LOW, "43339004", "Hypokalemia"),
    (("potassium", "potassium_plasma"), _HIGH, "14140009", "Hyperkalemia"),
    (("sodium", "sodium_direct_ise"), _LOW, "89627008", "Hyponatremia"),
    (("sodium", "sodium_direct_ise"), _HIGH, "39355002", "Hypernatremia"),
    (("vitamin_b12",), _LOW, "190634004", "Cobalamin deficiency"),
    (("vitamin_d_25oh",), _LOW, "34713006", "Vitamin D deficiency"),
)
"""Measurands (the first that has a standing decides), standings, and the concept; no others were
checked against public sources."""


def codes(answer: Interpretation, base: str, *, snomed: bool) -> list[Resource]:
    """The conclusion as concepts.

    Args:
        answer: what was concluded.
        base: address of the FHIR server, for our own systems.
        snomed: may SNOMED CT be used? It needs a licence in some countries.
    """
    found = list(_states(answer)) if snomed else []
    verdict = answer.twitching.verdict
    found.append(
        {
            "coding": [{"system": f"{base}/CodeSystem/twitching", "code": verdict}],
            "text": answer.twitching.text,
        }
    )
    findings = (*answer.artefacts, *answer.patterns, *answer.mechanisms)
    leading = {one.rule: one for one in findings if one.leading}
    return [*found, *(finding_code(one, base) for one in leading.values())]


def finding_code(finding: Finding, base: str) -> Resource:
    """A finding by its rule, in the code system of its kind."""
    return {
        "coding": [
            {
                "system": f"{base}/CodeSystem/{finding.kind.replace('_', '-')}",
                "version": finding.version,
                "code": finding.rule,
                "display": finding.title,
            }
        ],
        "text": finding.title,
    }


def _states(answer: Interpretation) -> Iterator[Resource]:
    """What a result alone amounts to; a doubtful one amounts to nothing."""
    for measurands, standings, code, display in _STATES:
        deciding = _deciding(answer, measurands)
        if deciding and not deciding.doubts and deciding.standing in standings:
            yield words.concept(SNOMED, code, display)


def _deciding(answer: Interpretation, measurands: tuple[str, ...]) -> InterpretedResult | None:
    known = {one.measurand: one for one in answer.results if one.standing != "unknown"}
    return next((known[name] for name in measurands if name in known), None)
