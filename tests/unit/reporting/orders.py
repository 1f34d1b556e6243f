"""Invented answers in the shape the pipeline gives, for tests of how they are told and drawn."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

from labinterp.model.interpretation import (
    AgeAtCollection,
    Amount,
    ChangeRecord,
    Completeness,
    ConversionRecord,
    DecisionRecord,
    EngineVersion,
    Evidence,
    Explanation,
    Finding,
    Interpretation,
    InterpretedPatient,
    InterpretedResult,
    IntervalRecord,
    KnowledgeVersion,
    LineGeometryInputs,
    NamedTerm,
    NextStep,
    OtherCause,
    Path,
    ProblemRecord,
    ReportedValue,
    SourceRecord,
    SymptomVerdict,
    Twitching,
    Undecided,
)
from labinterp.model.report import ReportOrder
from labinterp.model.submission import Identity

STATEMENTS = (
    "Interpretation support for health professionals. It adds to the laboratory’s report and does not replace it, or clinical judgement.",
    "Intervals are the performing laboratory’s where supplied; otherwise as cited. They describe a population, not this person.",
    "Results in the interval do not exclude a neurological cause. Weakness, wasting, spread, bulbar signs or seizures need assessment whatever the results.",
)


def number(text):
    return None if text is None else Decimal(text)


def a_line(
    value, low, high, unit="mmol/L", *, critical=(None, None), comparator=None, previous=None
):
    return LineGeometryInputs(
        unit=unit,
        value=number(value),
        comparator=comparator,
        low=number(low),
        high=number(high),
        critical_low=number(critical[0]),
        critical_high=number(critical[1]),
        decision=(),
        plausible_low=Decimal(0),
        plausible_high=None,
        previous=number(previous),
    )


def a_result(  # noqa: PLR0917 - read like the columns of a table
    name="Potassium",
    value="2.9",
    unit="mmol/L",
    low="3.5",
    high="5.3",
    standing="low",
    group="electrolytes",
    *,
    critical=(None, None),
    comparator=None,
    owner="laboratory",
    second=None,
    previous=None,
    **more,
):
    measurand = name.lower().replace(" ", "_").replace("-", "_")
    usable = value is not None and value.replace(".", "").isdigit()
    interval = IntervalRecord(
        low=number(low),
        high=number(high),
        unit=unit or "",
        owner=owner,
        kind="reference",
        set="uk-conventional",
        applies_to="adults",
        source=("harmony-uk-2022",),
    )
    has_interval = low is not None or high is not None
    amount = Amount(Decimal(value), unit or "", comparator) if usable else None
    other = Amount(Decimal(second[0]), second[1]) if second else None
    made = {
        "measurand": measurand,
        "name": name,
        "loinc": None,
        "group": group,
        "where": f"results.{name}",
        "reported": ReportedValue(value, comparator, unit, name=name),
        "value": other or amount,
        "conventional": amount,
        "conversion": ConversionRecord(unit or "", second[1], Decimal(1), "molar mass", ())
        if second
        else None,
        "interval": interval if has_interval else None,
        "standing": standing,
        "why_unknown": "No interval for this patient." if standing == "unknown" else None,
        "at_the_limit": False,
        "at_the_limit_note": None,
        "flag": None,
        "decisions": (),
        "change": None,
        "doubts": (),
        "derived_from": (),
        "line": a_line(
            value, low, high, unit, critical=critical, comparator=comparator, previous=previous
        )
        if usable and has_interval
        else None,
    }
    return InterpretedResult(**{**made, **more})


def a_finding(
    rule="magnesium-refractory", title="Low magnesium with low potassium and calcium", **more
):
    made = {
        "id": f"finding/{rule}",
        "rule": rule,
        "version": "1",
        "title": title,
        "text": "Magnesium, potassium and calcium are all below their intervals. Potassium and calcium may not correct until magnesium does.",
        "certainty": "strong",
        "urgency": "same_day",
        "evidence": (
            Evidence("magnesium is low", "yes", ("magnesium",)),
            Evidence("potassium is low", "yes", ("potassium",)),
            Evidence("urine magnesium is low", "cannot_tell", ("urine_magnesium",)),
        ),
        "doubts": (),
        "sources": ("mg-review-2020", "esa-ppi-2018"),
    }
    return Finding(**{**made, **more})


def the_results():
    return (
        a_result(
            "Magnesium",
            "1.1",
            "mg/dL",
            "1.7",
            "2.4",
            "critically_low",
            "minerals",
            critical=("1.0", "4.9"),
            second=("0.4526", "mmol/L"),
            owner="service",
            band="severe",
            band_label="severe hypomagnesaemia",
            decisions=(
                DecisionRecord(
                    "critical limit, swlp (UK)", "≤ 0.40 mmol/L", ("swlp-2019",), kind="critical"
                ),
            ),
        ),
        a_result("Potassium", "2.9", critical=("2.5", "6.5"), band_label="moderate hypokalaemia"),
        a_result(
            "Calcium",
            "7.2",
            "mg/dL",
            "8.8",
            "10.4",
            "low",
            "minerals",
            critical=("6.6", "14.0"),
            second=("1.796", "mmol/L"),
            owner="service",
        ),
        replace(
            a_result("Adjusted calcium", None, None, "2.20", "2.60", "critically_low", "minerals"),
            reported=None,
            value=Amount(Decimal("1.80"), "mmol/L"),
            conventional=Amount(Decimal("7.2"), "mg/dL"),
            line=a_line("1.80", "2.20", "2.60", critical=("1.80", "3.50")),
            derived_from=("calcium", "albumin"),
            derivation="calcium + 0.02 × (40 − albumin), calcium in mmol/L and albumin in g/L [Payne 1973]; from calcium 1.80 mmol/L and albumin 41 g/L.",
            interval=IntervalRecord(
                Decimal("2.20"),
                Decimal("2.60"),
                "mmol/L",
                "service",
                "reference",
                "uk-conventional",
                "adults",
                ("harmony-uk-2022",),
            ),
            decisions=(
                DecisionRecord(
                    "critical limit, swlp (UK)", "< 1.90 mmol/L", ("swlp-2019",), kind="critical"
                ),
            ),
        ),
        a_result(
            "Albumin",
            "4.1",
            "g/dL",
            "3.5",
            "5.0",
            "within",
            "supporting",
            second=("41", "g/L"),
            owner="service",
        ),
        a_result(
            "Sodium",
            "139",
            "mEq/L",
            "133",
            "146",
            "within",
            second=("139", "mmol/L"),
            critical=("120", "160"),
            owner="service",
        ),
        a_result(
            "25-OH vitamin D",
            "18",
            "ng/mL",
            "20",
            None,
            "low",
            "vitamins",
            second=("44.93", "nmol/L"),
            owner="service",
            decisions=(
                DecisionRecord(
                    "at risk of inadequacy (iom-2011)",
                    "12 to below 20 ng/mL",
                    ("iom-2011",),
                    "iom-2011",
                ),
            ),
            interval=IntervalRecord(
                Decimal(20),
                None,
                "ng/mL",
                "service",
                "decision",
                "iom-2011",
                "adults",
                ("iom-2011",),
            ),
        ),
        a_result(
            "Vitamin B12",
            "410",
            "pg/mL",
            "180",
            "914",
            "within",
            "vitamins",
            second=("302.58", "pmol/L"),
            owner="service",
        ),
    )


def the_sources():
    listed = (
        (
            "mg-review-2020",
            "Magnesium disorders: a review of physiology and management",
            2020,
            "https://doi.org/10.1000/mg.2020",
        ),
        (
            "esa-ppi-2018",
            "Severe hypomagnesaemia under proton-pump inhibitors: case series",
            2018,
            "https://doi.org/10.1000/ppi.2018",
        ),
        (
            "harmony-uk-2022",
            "Harmonised reference intervals for common analytes in adults (UK)",
            2022,
            "https://example.org/harmony",
        ),
        ("swlp-2019", "Telephoned limits of a laboratory partnership (UK)", 2019, None),
        (
            "iom-2011",
            "Dietary reference intakes for calcium and vitamin D",
            2011,
            "https://doi.org/10.17226/13050",
        ),
        (
            "eyelid-gunes-2024",
            "Electrolytes in isolated eyelid myokymia: a controlled study",
            2024,
            "https://doi.org/10.1000/eyelid.2024",
        ),
    )
    return tuple(
        SourceRecord(id_, title, year, url, place, "Example press")
        for place, (id_, title, year, url) in enumerate(listed, start=1)
    )


def the_twitching():
    flag = a_finding(
        "rf-tetany",
        "Tetany",
        kind="red_flag",
        urgency="emergency",
        text="Carpopedal spasm with low calcium and magnesium is tetany until shown otherwise; an ECG and monitoring come first.",
        evidence=(Evidence("carpopedal spasm recorded", "yes"),),
    )
    return Twitching(
        verdict="likely",
        text="Magnesium and adjusted calcium are in a severe band, where they are an accepted cause of neuromuscular hyperexcitability.",
        rules=("grade-by-severity-not-by-flag", "grade-per-symptom"),
        drivers=("finding/mech-magnesium-low",),
        per_symptom=(
            SymptomVerdict(
                "facial-twitch", "Facial twitching", "likely", ("finding/mech-magnesium-low",)
            ),
            SymptomVerdict(
                "carpopedal-spasm",
                "Carpopedal spasm",
                "likely",
                ("finding/mech-calcium-low", "finding/mech-magnesium-low"),
            ),
        ),
        paths=(
            Path(
                ("ppi", "mg_low", "excitability", "twitch"),
                ("Proton-pump inhibitor", "Magnesium low", "Nerve excitability up", "Twitching"),
                "A proton-pump inhibitor may lower magnesium; low magnesium lets motor nerves fire more easily.",
                "medication",
                opposes=False,
                sources=("esa-ppi-2018",),
            ),
            Path(
                ("mg_low", "pth", "ca_low", "tetany"),
                ("Magnesium low", "Parathyroid hormone release down", "Calcium low", "Tetany"),
                "Low magnesium may suppress parathyroid hormone, so that calcium falls.",
                "result",
                opposes=False,
                sources=("mg-review-2020",),
            ),
        ),
        red_flags=(flag,),
        other_causes=(
            OtherCause(
                "stress",
                "Stress and anxiety",
                "Comes and goes with strain, often the eyelid.",
                "Worse in hard weeks.",
                "very-common",
                ("eyelid-gunes-2024",),
            ),
            OtherCause(
                "fatigue",
                "Tiredness and lack of sleep",
                "Eyelid or calf, days to weeks.",
                "Better after rest.",
                "very-common",
                ("eyelid-gunes-2024",),
            ),
            OtherCause(
                "caffeine",
                "Caffeine",
                "Widespread, with tremor.",
                "More than four cups a day.",
                "common",
                ("eyelid-gunes-2024",),
            ),
            OtherCause(
                "medicines",
                "Medicines",
                "New or raised: stimulants, bronchodilators, others.",
                "Began after a change.",
                "common",
                ("eyelid-gunes-2024",),
                ("Omeprazole",),
            ),
        ),
    )


def an_answer(**more):
    mechanisms = (
        a_finding(
            "mech-magnesium-low",
            "Low magnesium raises nerve excitability",
            kind="mechanism",
            strength="likely",
            text="Magnesium steadies the nerve membrane and the release of transmitter. At this level twitching, cramps and tetany are described.",
            explains=(Explanation("facial-twitch", "Facial twitching", "likely"),),
            urgency="same_day",
        ),
        a_finding(
            "mech-calcium-low",
            "Low adjusted calcium lowers the firing threshold",
            kind="mechanism",
            strength="likely",
            text="With less calcium outside the cell sodium channels open more easily. At this level paraesthesiae, spasm and tetany are described.",
            explains=(Explanation("carpopedal-spasm", "Carpopedal spasm", "likely"),),
            urgency="emergency",
            evidence=(
                Evidence("adjusted calcium is below 1.90 mmol/L", "yes", ("adjusted_calcium",)),
            ),
        ),
        a_finding(
            "mech-potassium-low",
            "Low potassium",
            kind="mechanism",
            strength="possible",
            certainty="moderate",
            urgency="same_day",
            text="Low potassium gives weakness more often than twitching.",
            evidence=(Evidence("potassium is low", "yes", ("potassium",)),),
            leading=False,
        ),
    )
    made = {
        "knowledge": KnowledgeVersion(
            "2026.11.0", "0f3a9c77d1e2b4a5968877665544332211ffeeddccbbaa99887766554433221100"[:64]
        ),
        "engine": EngineVersion("0.1.0"),
        "range_set": "uk-conventional",
        "critical_policy": "swlp",
        "schemes": ("iom-2011",),
        "urgency": "emergency",
        "urgency_because": (
            a_finding(
                "u-ca-severe",
                "Adjusted calcium below 1.90 mmol/L",
                kind="urgency",
                urgency="emergency",
                text="With symptoms this asks for immediate assessment.",
            ),
        ),
        "patient": InterpretedPatient(
            "female",
            AgeAtCollection(Decimal(19800), "54 years"),
            symptoms=(
                NamedTerm("facial-twitch", "Facial twitching", "facial twitching"),
                NamedTerm("carpopedal-spasm", "Carpopedal spasm", "carpopedal spasm"),
            ),
            medications=(NamedTerm("omeprazole", "Proton-pump inhibitor", "omeprazole"),),
        ),
        "status": "final",
        "collected_at": "2026-11-20T08:05:00+00:00",
        "results": the_results(),
        "artefacts": (),
        "patterns": (
            a_finding(),
            a_finding(
                "vitamin-d-with-calcium",
                "Low vitamin D with low calcium",
                certainty="moderate",
                urgency="soon",
                text="25-OH vitamin D is below the decision limit of iom-2011 with low calcium. Vitamin D alone does not account for twitching; it may deepen the fall of calcium.",
                evidence=(Evidence("vitamin D is low", "yes", ("25_oh_vitamin_d",)),),
                sources=("iom-2011",),
            ),
        ),
        "mechanisms": mechanisms,
        "undecided": (
            Undecided("edta-contamination", "EDTA contamination", ("egfr",)),
            Undecided(
                "pth-inappropriate",
                "Parathyroid hormone too low for the calcium",
                ("parathyroid_hormone",),
            ),
            Undecided(
                "renal-magnesium-loss",
                "Loss of magnesium by the kidney",
                ("urine_magnesium", "urine_creatinine"),
            ),
            Undecided("alkalosis", "Alkalosis with normal calcium", ("bicarbonate",)),
        ),
        "next_steps": (
            NextStep(
                "ecg",
                "Consider a 12-lead ECG and monitoring",
                "QT interval and arrhythmia matter more than the exact value.",
                "emergency",
                ("finding/rf-tetany",),
                ("mg-review-2020",),
            ),
            NextStep(
                "repeat",
                "Consider repeating magnesium, potassium and calcium with ionised calcium",
                "Free-flowing sample without tourniquet.",
                "same_day",
                ("finding/magnesium-refractory",),
                ("mg-review-2020",),
            ),
            NextStep(
                "pth",
                "Consider parathyroid hormone, phosphate and creatinine",
                "Before calcium has been corrected if this costs no time.",
                "same_day",
                ("finding/magnesium-refractory",),
                ("mg-review-2020",),
            ),
            NextStep(
                "review-ppi",
                "Consider reviewing the proton-pump inhibitor",
                "Long use is a recognised cause.",
                "soon",
                ("finding/magnesium-refractory",),
                ("esa-ppi-2018",),
            ),
        ),
        "twitching": the_twitching(),
        "problems": (
            ProblemRecord(
                "unit-questioned",
                "Magnesium 1.1 mg/dL would be plausible as mmol/L too; it was read as sent.",
                "results[0].unit",
                "magnesium",
            ),
        ),
        "completeness": (
            Completeness(
                "laboratory",
                "No laboratory interval was sent for six results; cited intervals are used.",
            ),
        ),
        "sources": the_sources(),
        "rules_looked_at": 41,
        "artefact_checks": ("EDTA contamination", "haemolysis", "drip-arm dilution"),
        "statements": STATEMENTS,
    }
    return Interpretation(**{**made, **more})


def an_order(answer=None, **more):
    made = {
        "number": "LI-2026-000123",
        "version": 1,
        "status": "final",
        "interpretation": answer or an_answer(),
        "identity": Identity(
            "MRN-4711",
            "urn:example:mrn",
            "Example",
            "Anna",
            date(1972, 2, 3),
            "Dr B. Example, Neurology",
        ),
        "panel": {
            "specimen": {"material": "serum", "haemolysis_index": 12},
            "laboratory": {"name": "Example Pathology", "address": "1 Example Road, Exampleton"},
        },
        "received_at": datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
        "issued_at": datetime(2026, 11, 20, 9, 31, tzinfo=UTC),
        "collected_at": datetime(2026, 11, 20, 9, 5, tzinfo=timezone(timedelta(hours=1))),
        "contact": "Duty biochemist, extension 4000",
        "operator_line": "Operated by Example Trust; personal data are handled as its privacy notice says.",
        "organisation": "Example Trust",
        "recipients": ("clinician@example.org",),
    }
    return ReportOrder(**{**made, **more})


def a_plain_answer(results, **more):
    """An answer that has nothing but these results."""
    nothing = replace(
        the_twitching(),
        verdict="not_explained",
        text="These results do not explain twitching.",
        paths=(),
        red_flags=(),
        per_symptom=(),
        drivers=(),
    )
    empty = {
        "urgency": "none",
        "urgency_because": (),
        "patterns": (),
        "mechanisms": (),
        "undecided": (),
        "next_steps": (),
        "problems": (),
        "completeness": (),
        "twitching": nothing,
    }
    return an_answer(results=tuple(results), **{**empty, **more})


def a_change(earlier="3.7", text="down 22 % since 2 Oct 2026, more than expected variation (11 %)"):
    return ChangeRecord(
        Amount(Decimal(earlier), "mmol/L"),
        "2026-10-02T08:00:00+00:00",
        Decimal("-0.8"),
        Decimal(-22),
        Decimal(11),
        significant=True,
        text=text,
    )
