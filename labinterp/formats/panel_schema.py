"""The one declaration of a panel's shape: every door's panel passes it, and the API documents it.

The members are those of the public contract. Nothing is interpreted here: an unknown test or unit,
or a text in place of a number, passes for the answer to question; a wrong shape does not.
"""

from __future__ import annotations

from typing import Any, Final

from marshmallow import fields

from labinterp.formats.fields import (
    Base,
    Day,
    Email,
    Many,
    Moment,
    Number,
    Quantity,
    Text,
    TextOr,
    Value,
    Whole,
    Word,
    WordTable,
)

SEXES: Final = ("female", "male", "other", "unknown")
STATUSES: Final = ("final", "preliminary", "corrected", "cancelled")
AGE_UNITS: Final = ("years", "months", "weeks", "days", "hours")
PREGNANCIES: Final = ("pregnant", "not_pregnant", "unknown")
LONGEST_GESTATION: Final = 45
"""Completed weeks beyond which a number is a slip of the pen."""
_DEGREES: Final = ("none", "slight", "moderate", "gross", "unknown")
SPECIMEN_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "type": (
        "serum",
        "lithium-heparin-plasma",
        "edta-plasma",
        "citrate-plasma",
        "whole-blood-gas-syringe",
        "capillary",
        "unknown",
    ),
    "haemolysis": _DEGREES,
    "lipaemia": _DEGREES,
    "site": ("venous-peripheral", "drip-arm", "central-line", "arterial-line", "unknown"),
    "transport_temperature": ("ambient", "refrigerated", "hot", "unknown"),
    "tube_order": ("recommended", "edta-before-chemistry", "poured-between-tubes", "unknown"),
    "sodium_method": ("indirect-ise", "direct-ise", "unknown"),
    "b12_method": (
        "competitive-binding-intrinsic-factor",
        "other-immunoassay",
        "microbiological",
        "lc-ms",
        "unknown",
    ),
    "immunoassay_streptavidin_biotin": ("yes", "no", "unknown"),
    "calcium_method": ("arsenazo", "o-cresolphthalein", "ion-selective", "other", "unknown"),
}
"""The specimen fields that rules read, with their words (kept equal to the knowledge by a test)."""
SPECIMEN_NUMBERS: Final = ("separation_delay_hours",)


def _said(description: str, example: Any = None) -> dict[str, Any]:
    metadata: dict[str, Any] = {"description": description}
    if example is not None:
        metadata["example"] = example
    return metadata


def _nested(schema: Base, description: str) -> fields.Nested:
    return fields.Nested(schema, allow_none=True, metadata=_said(description))


class PanelCodeSchema(Base):
    """A code of a code system."""

    system = Text(required=True, metadata=_said("URI of the code system", "http://loinc.org"))
    code = Text(required=True, metadata=_said("The code", "2823-3"))
    display = Text(metadata=_said("The system's own name for it"))


class PanelIntervalSchema(Base):
    """The laboratory's interval: two ends, or its text."""

    low = Quantity(metadata=_said("Lower end, included", "3.5"))
    high = Quantity(metadata=_said("Upper end, included", "5.3"))
    unit = Text(60, metadata=_said("Unit of the ends, when it is not the result's"))
    text = Text(metadata=_said("The interval as the laboratory printed it", "3.5-5.3"))


class PanelSpecimenSchema(Base):
    """What was drawn, into what, how it travelled, how it looked and how it was measured."""

    material = Text(metadata=_said("Material as stated", "serum"))
    container = Text(metadata=_said("Tube or container as stated"))
    haemolysis_index = Number(0, 100000, metadata=_said("The analyser's index, as a number", 12))
    comment = Text(2000, lines=True, metadata=_said("The laboratory's remark"))
    type = Word(SPECIMEN_WORDS["type"], metadata=_said("Kind of specimen"))
    haemolysis = Word(SPECIMEN_WORDS["haemolysis"], metadata=_said("Degree of haemolysis"))
    lipaemia = Word(SPECIMEN_WORDS["lipaemia"], metadata=_said("Degree of lipaemia"))
    site = Word(SPECIMEN_WORDS["site"], metadata=_said("Where the blood was drawn"))
    transport_temperature = Word(
        SPECIMEN_WORDS["transport_temperature"], metadata=_said("How it travelled")
    )
    separation_delay_hours = Number(
        0, 10000, or_unknown=True, metadata=_said("Hours until cells and serum were separated", 2)
    )
    tube_order = Word(SPECIMEN_WORDS["tube_order"], metadata=_said("Order of the tubes"))
    sodium_method = Word(SPECIMEN_WORDS["sodium_method"], metadata=_said("Sodium electrode"))
    b12_method = Word(SPECIMEN_WORDS["b12_method"], metadata=_said("Vitamin B12 assay"))
    immunoassay_streptavidin_biotin = Word(
        SPECIMEN_WORDS["immunoassay_streptavidin_biotin"],
        metadata=_said("Whether the immunoassay uses streptavidin and biotin"),
    )
    calcium_method = Word(SPECIMEN_WORDS["calcium_method"], metadata=_said("Calcium method"))


class PanelResultSchema(Base):
    """One result as the laboratory reported it."""

    code = _nested(PanelCodeSchema(), "Code of the test")
    codes = Many(fields.Nested(PanelCodeSchema()), 20, metadata=_said("Further codes of the test"))
    test = Text(metadata=_said("Name of the test as the laboratory writes it", "Potassium"))
    value = Value(metadata=_said("Kept digit for digit; a comparator may stand before it", "2.40"))
    unit = Text(60, metadata=_said("Unit as the laboratory writes it", "mmol/L"))
    reference_interval = TextOr(
        PanelIntervalSchema(),
        metadata=_said(
            "The laboratory's interval: two ends, or its text", {"low": "3.5", "high": "5.3"}
        ),
    )
    flag = Text(20, metadata=_said("The laboratory's flag", "L"))
    note = Text(2000, lines=True, metadata=_said("The laboratory's remark on this result"))
    status = Text(40, metadata=_said("final, preliminary, corrected, cancelled …"))
    not_measured = Text(metadata=_said("Why there is no value"))
    collected_at = Moment(
        metadata=_said("When this result's specimen was taken, if not the panel's time")
    )
    specimen = _nested(PanelSpecimenSchema(), "This result's specimen, if not the panel's")
    identifier = Text(
        300,
        metadata=_said("By which the sender knows this result, so that a later one can correct it"),
    )
    order = Text(
        200,
        metadata=_said(
            "By which the sender knows the order that this result is a part of, so that parts that "
            "come later join it"
        ),
    )
    where = Text(100, metadata=_said("Its place in the sender's own document", "row 4"))
    as_received = Text(2000, lines=True, metadata=_said("The line it was read from"))


class PanelIdentifierSchema(Base):
    """The patient's number and who gave it."""

    value = Text(required=True, metadata=_said("The number", "MRN-1"))
    system = Text(metadata=_said("Who issued it, as a URI or a name", "urn:example:mrn"))


class PanelAgeSchema(Base):
    """The age when the specimen was taken, where no birth date is sent."""

    value = Number(0, 1_200_000, required=True, metadata=_said("How many", 54))
    unit = Word(AGE_UNITS, required=True, metadata=_said("Of what", "years"))


class PanelPregnancySchema(Base):
    """Whether the patient is pregnant, and how far."""

    status = Word(PREGNANCIES, required=True, metadata=_said("What is known", "not_pregnant"))
    gestation_weeks = Whole(0, LONGEST_GESTATION, metadata=_said("Completed weeks", 20))


class PanelPatientSchema(Base):
    """Whom the specimen is from; name and number go no further than the record and its report."""

    identifier = _nested(PanelIdentifierSchema(), "The patient's number")
    family = Text(metadata=_said("Family name"))
    given = Text(metadata=_said("Given names"))
    birth_date = Day(metadata=_said("Birth date", "1980-02-03"))
    age = _nested(PanelAgeSchema(), "Age at collection; counts where no birth date is sent")
    sex = Word(SEXES, metadata=_said("The sex that intervals use", "female"))
    pregnancy = _nested(PanelPregnancySchema(), "Pregnancy")


class PanelLaboratorySchema(Base):
    """Who measured."""

    name = Text(metadata=_said("The laboratory's name"))
    address = Text(500, lines=True, metadata=_said("Its address"))
    number = Text(metadata=_said("Its number for this request"))


class PanelTermSchema(Base):
    """A symptom, medicine, condition or history fact: by id, label, synonym or code."""

    id = Text(metadata=_said("Id, label or synonym", "facial-twitch"))
    label = Text(metadata=_said("Label, where there is no id"))
    code = _nested(PanelCodeSchema(), "A code for it")


class PanelSymptomSchema(PanelTermSchema):
    """A symptom with what is known of it."""

    onset = Word(("sudden", "gradual", "unknown"), metadata=_said("How it began"))
    side = Word(("left", "right", "both", "unknown"), metadata=_said("Where"))
    duration_days = Whole(0, 40000, metadata=_said("For how long [days]", 30))


class PanelEarlierSchema(Base):
    """Results of an earlier collection, for change."""

    collected_at = Moment(metadata=_said("When they were collected"))
    results = Many(
        fields.Nested(PanelResultSchema()), 500, required=True, metadata=_said("As in the panel")
    )


class PanelDeliverSchema(Base):
    """Whom to tell when the report is ready."""

    email = Many(Email(), 20, metadata=_said("E-mail addresses"))
    as_ = Word(
        ("link", "attachment"),
        data_key="as",
        attribute="as",
        metadata=_said("A link without clinical content, or the document itself", "link"),
    )


class PanelSendSchema(PanelDeliverSchema):
    """Whom to send the report to."""

    email = Many(Email(), 20, required=True, metadata={**_said("E-mail addresses"), "minItems": 1})


def _terms(description: str, example: str, schema: Base) -> Many:
    return Many(TextOr(schema), 200, metadata=_said(description, [example]))


class PanelSchema(Base):
    """A panel: one patient's results, reported together."""

    patient = _nested(PanelPatientSchema(), "The patient")
    collected_at = Moment(metadata=_said("When the specimen was taken", "2026-01-02T08:00:00Z"))
    status = Word(STATUSES, metadata=_said("The report's status", "final"))
    laboratory = _nested(PanelLaboratorySchema(), "The laboratory")
    requester = Text(metadata=_said("Who asked for the tests"))
    specimen = _nested(PanelSpecimenSchema(), "The specimen")
    results = Many(
        fields.Nested(PanelResultSchema()),
        required=True,
        metadata={**_said("At least one result"), "minItems": 1},
    )
    symptoms = _terms("Symptoms and signs", "eyelid-twitch", PanelSymptomSchema())
    medications = _terms("Medicines", "omeprazole", PanelTermSchema())
    conditions = _terms("Conditions", "ckd", PanelTermSchema())
    history = _terms("Facts of the history", "prolonged-qtc", PanelTermSchema())
    previous = Many(fields.Nested(PanelEarlierSchema()), 50, metadata=_said("Earlier results"))
    range_set = Text(metadata=_said("Which reference intervals", "uk-conventional"))
    range_policy = Word(
        ("lab-then-service", "lab-only", "service-only"),
        metadata=_said("Whose intervals decide", "lab-then-service"),
    )
    unit_system = Word(
        ("si", "conventional"),
        metadata=_said("Which unit leads in FHIR answers; the other stands beside it", "si"),
    )
    critical_policy = Text(metadata=_said("Which critical limits", "swlp"))
    schemes = WordTable(
        metadata=_said("Decision schemes by measurand", {"vitamin_d_25oh": "iom-2011"})
    )
    deliver = _nested(PanelDeliverSchema(), "Whom to tell")


PANEL: Final = PanelSchema()
