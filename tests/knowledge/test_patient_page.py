"""What the patient page says of every panel we know, in every language: plain, whole and safe."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from labinterp.formats import json_panel
from labinterp.interpretation import interpret
from labinterp.knowledge.patient import PARTS
from labinterp.model.submission import Identity
from labinterp.reporting import patient_foods
from labinterp.reporting.glyphs import drawable
from labinterp.reporting.patient_page import PatientOrder, build
from labinterp.reporting.scripts import is_plain
from labinterp.reporting.words import NBSP
from tests.build import a_panel, knowledge

GOLDEN = Path(__file__).parents[1] / "golden"
PANELS = sorted(
    path
    for folder in (GOLDEN, GOLDEN / "whole", GOLDEN / "sheet_cases")
    for path in folder.glob("*.json")
    if not path.name.endswith(".expected.json")
)
LANGUAGES = ("en", "es", "fr", "de")
RECEIVED = datetime(2026, 1, 2, 12, tzinfo=UTC)
NORMAL = re.compile(r"\b(ab)?normal\w*|\banormal\w*", re.IGNORECASE)
LOW_MAGNESIUM = ("magnesium 0.60 mmol/L",)
KIDNEYS_WELL = ("creatinine 80 umol/L", "egfr 95 mL/min/1.73m2")


@cache
def golden_answer(path):
    panel = json.loads(path.read_text("utf-8"), parse_float=Decimal)
    panel = panel.get("panel", panel)
    return interpret(json_panel.received_of(panel, RECEIVED).submission, knowledge()), panel


def an_answer(*results, **more):
    return interpret(a_panel(*results, **{"age": "54 years", "sex": "female", **more}), knowledge())


def a_page(answer, language="en", panel=None, patient=None, **more):
    order = PatientOrder(
        number="LI-2026-000123",
        version=1,
        interpretation=answer,
        identity=Identity("MRN-1", family="Example", given="Ana", birth_date=date(1972, 2, 3)),
        panel=panel or {},
        collected_at=RECEIVED,
        released_at=RECEIVED,
        released_by="Dr R. Invented",
        contact="the practice, 0123 456",
        language=language,
    )
    return build(replace(order, **more), patient or knowledge().patient).page


def section(page, name):
    return next((one for one in page.sections if one.id == name), None)


def prose(page):
    """Everything said in sentences, without the table."""
    for one in page.sections:
        yield from (one.title, *one.before, *one.bullets, *one.after)


def words_of(page):
    rows = (
        text
        for one in page.sections
        for row in one.rows
        for text in (row.test, row.value, row.word, row.range)
    )
    return "\n".join((page.title, *page.about_patient, *prose(page), *rows))


# ---- the texts


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_finding_the_engine_can_lead_with_has_a_sentence(language):
    known, patient = knowledge(), knowledge().patient
    told = patient.texts[language].findings
    for folder in ("artefacts", "patterns", "mechanisms", "red_flags"):
        general = patient.rules.general_texts[folder]
        for rule in getattr(known, folder):
            assert told[patient.rules.finding_texts.get(rule, general)]
    assert told[patient.rules.general_texts["urgency"]]


def test_every_mechanism_has_a_sentence_that_is_not_the_general_one():
    known = knowledge()
    for rule in known.mechanisms:
        assert rule in known.patient.rules.finding_texts


def test_every_red_flag_stands_among_what_a_patient_may_notice():
    told = {flag for sign in knowledge().patient.rules.warnings for flag in sign.red_flags}
    assert told == set(knowledge().red_flags)


def test_every_red_flag_that_is_an_emergency_says_to_seek_help_at_once():
    now = {
        flag
        for sign in knowledge().patient.rules.warnings
        if sign.when == "now"
        for flag in sign.red_flags
    }
    urgent = {flag.id for flag in knowledge().red_flags.values() if flag.urgency == "emergency"}
    assert urgent <= now


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_measurand_has_a_name_in_plain_words(language):
    assert set(knowledge().patient.texts[language].measurands) == set(knowledge().measurands)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_has_the_places_to_fill_in_that_the_english_one_has(language):
    english, told = (knowledge().patient.texts[one].sentences for one in ("en", language))
    for key, text in english.items():
        assert sorted(re.findall(r"\{\w+\}", told[key])) == sorted(re.findall(r"\{\w+\}", text))


@pytest.mark.hazard("patient-misled")
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_calls_anything_normal(language):
    told = knowledge().patient.texts[language]
    for part in PARTS:
        for key, text in getattr(told, part).items():
            assert not NORMAL.search(text), (part, key)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_character_can_be_printed(language):
    told = knowledge().patient.texts[language]
    for part in PARTS:
        for text in getattr(told, part).values():
            assert drawable(text) == text
            assert is_plain(text)


def sentences(language):
    told = knowledge().patient.texts[language]
    for part in ("sentences", "verdicts", "findings"):
        for text in getattr(told, part).values():
            yield from (one for one in re.split(r"(?<=[.:?]) ", text) if one)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sentences_are_short(language):
    lengths = [len(one.split()) for one in sentences(language)]
    assert max(lengths) <= 24
    assert sum(lengths) / len(lengths) <= 11


def test_the_english_can_be_read_at_the_age_of_twelve():
    told = list(sentences("en"))
    words = [word for one in told for word in re.findall(r"[A-Za-z']+", one)]
    syllables = sum(
        max(1, len(re.findall(r"[aeiouy]+", re.sub(r"e\b", "", w.lower())))) for w in words
    )
    grade = 0.39 * len(words) / len(told) + 11.8 * syllables / len(words) - 15.59
    assert grade <= 6.5  # years at school; seven are reached at about twelve


def test_a_language_is_not_called_reviewed_before_it_was():
    assert {name: told.reviewed for name, told in knowledge().patient.texts.items()} == {
        "de": False,
        "en": False,
        "es": False,
        "fr": False,
    }


# ---- every panel we know


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_panel_has_a_whole_page(language):
    texts = knowledge().patient.texts[language]
    for path in PANELS:
        answer, panel = golden_answer(path)
        page = a_page(answer, language, panel)
        told = words_of(page)
        assert page.language == language, path.stem
        assert not NORMAL.search(told), path.stem
        assert not re.search(r"\{\w+\}", told), path.stem
        assert texts.verdicts[answer.twitching.verdict] in told
        assert texts.sentences["not-reviewed"] in told


def words_in(*texts):
    return [one for one in " ".join(texts).split() if any(map(str.isalpha, one))]


@pytest.mark.hazard("patient-misled")
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_has_more_than_350_words_beside_its_table(language):
    every = []
    for answer, panel in map(golden_answer, PANELS):
        page = a_page(answer, language, panel)
        told = words_in(page.title, *page.about_patient, *prose(page))
        assert len(told) <= 350, (len(told), told)
        every.append(len(words_in(words_of(page))))
    assert sorted(every)[len(every) // 2] <= 350  # most of them with their table, too


@pytest.mark.hazard("patient-misled")
def test_an_emergency_says_first_to_seek_help_at_once_and_nothing_that_comforts():
    seen = 0
    for path in PANELS:
        answer, panel = golden_answer(path)
        page = a_page(answer, "en", panel)
        box = section(page, "now")
        if answer.urgency == "emergency":
            seen += 1
            assert page.sections[0] is box
            assert box.before[0].startswith("Get medical help now.")
            assert box.tone == "critical"
            assert "does not always mean" not in words_of(page)
            assert section(page, "foods") is None
        elif answer.urgency == "same_day":
            assert "today" in box.before[0]
        elif answer.urgency == "soon":
            assert "next few days" in box.before[0]
        else:
            assert box is None
    assert seen > 5


@pytest.mark.hazard("patient-misled")
def test_what_could_not_be_judged_is_named():
    for path in PANELS:
        answer, panel = golden_answer(path)
        page = a_page(answer, "en", panel)
        found = section(page, "found")
        unknown = [
            one for one in answer.results if one.standing == "unknown" and not one.derived_from
        ]
        named = [row for row in found.rows if row.word.startswith("Not judged")]
        assert len(named) == len(unknown), path.stem
        told = "\n".join(found.after).lower()
        if answer.undecided:
            assert "not every question could be answered" in told


# ---- foods


def foods_of(*results, **more):
    answer = an_answer(*results, **more)
    return patient_foods.foods(answer, knowledge().patient.rules)


def test_a_deficiency_names_its_foods():
    assert foods_of(*LOW_MAGNESIUM) == ("diet-magnesium",)
    assert foods_of("vitamin_d_25oh 40 nmol/L", "adjusted_calcium 2.35 mmol/L") == (
        "diet-vitamin-d",
    )
    assert foods_of("vitamin_b12 120 ng/L") == ("diet-vitamin-b12",)
    assert foods_of("adjusted_calcium 2.14 mmol/L") == ("diet-calcium",)


def test_a_panel_without_a_deficiency_names_none():
    assert foods_of("magnesium 0.85 mmol/L", "potassium 4.2 mmol/L") == ()


@pytest.mark.hazard("patient-misled")
@pytest.mark.parametrize("condition", ["ckd", "ckd-3", "ckd-4-5", "dialysis"])
def test_no_food_is_named_where_a_kidney_disease_is_recorded(condition):
    for low in ("magnesium 0.60 mmol/L", "vitamin_b12 120 ng/L", "vitamin_d_25oh 40 nmol/L"):
        assert foods_of(low, conditions=[condition]) == ()


@pytest.mark.hazard("patient-misled")
@pytest.mark.parametrize(
    "kidneys",
    [
        "egfr 59 mL/min/1.73m2",
        "egfr <60 mL/min/1.73m2",
        "egfr <90 mL/min/1.73m2",
        "creatinine 160 umol/L",
        "urea 15 mmol/L",
    ],
)
def test_no_food_is_named_where_the_kidneys_may_be_failing(kidneys):
    assert foods_of(*LOW_MAGNESIUM, kidneys) == ()
    assert foods_of("vitamin_b12 120 ng/L", kidneys) == ()


def test_food_is_named_where_the_kidneys_are_known_to_filter():
    assert foods_of(*LOW_MAGNESIUM, "egfr >60 mL/min/1.73m2") == ("diet-magnesium",)
    assert foods_of(*LOW_MAGNESIUM, *KIDNEYS_WELL) == ("diet-magnesium",)


def test_food_with_potassium_is_named_only_where_the_kidneys_are_known_to_be_well():
    assert foods_of("potassium 3.2 mmol/L") == ()
    assert foods_of("potassium 3.2 mmol/L", "creatinine 80 furlongs") == ()
    assert foods_of("potassium 3.2 mmol/L", *KIDNEYS_WELL) == ("diet-potassium",)
    assert foods_of("potassium 3.2 mmol/L", *KIDNEYS_WELL, medications=["ramipril"]) == ()
    assert foods_of("potassium 3.2 mmol/L", *KIDNEYS_WELL, conditions=["heart-failure"]) == ()


@pytest.mark.hazard("patient-misled")
def test_food_with_b12_is_named_for_a_low_result_and_for_no_other():
    assert foods_of("vitamin_b12 290 ng/L (180-914)") == ()
    page = a_page(an_answer("vitamin_b12 290 ng/L (180-914)"))
    told = words_of(page)
    assert "Inside the range" in told
    assert "Your vitamin B12 is low" not in told


def test_food_with_vitamin_d_is_not_named_beside_a_high_calcium():
    assert foods_of("vitamin_d_25oh 40 nmol/L", "adjusted_calcium 2.70 mmol/L") == ()
    assert foods_of("vitamin_d_25oh 40 nmol/L", "phosphate 1.9 mmol/L") == ()


def test_no_food_is_named_for_a_child_in_pregnancy_or_at_an_unknown_age():
    assert foods_of(*LOW_MAGNESIUM, age="9 years") == ()
    assert foods_of(*LOW_MAGNESIUM, age="30 years", pregnancy="pregnant") == ()
    assert foods_of(*LOW_MAGNESIUM, age=None) == ()


def test_no_food_is_named_where_the_deficiency_is_in_doubt():
    answer = an_answer("potassium 3.2 mmol/L", *LOW_MAGNESIUM, *KIDNEYS_WELL)
    doubted = tuple(replace(one, doubts=("pattern fits",)) for one in answer.mechanisms)
    rules = knowledge().patient.rules
    assert patient_foods.foods(answer, rules) != ()
    assert patient_foods.foods(replace(answer, mechanisms=doubted), rules) == ()


@pytest.mark.hazard("patient-misled")
def test_no_panel_with_a_kidney_finding_names_food():
    for path in PANELS:
        answer, panel = golden_answer(path)
        found = {one.rule for one in (*answer.patterns, *answer.mechanisms)}
        if found & {"uraemia", "ckd-mbd"} or {one.id for one in answer.patient.conditions} & {
            "ckd",
            "ckd-3",
            "ckd-4-5",
            "dialysis",
        }:
            assert section(a_page(answer, "en", panel), "foods") is None, path.stem


# ---- one language, whole


def test_numbers_and_dates_are_written_as_the_language_does():
    answer = an_answer("potassium 3.20 mmol/L (3.5-5.3)")
    english, german = a_page(answer, "en"), a_page(answer, "de")
    assert section(english, "found").rows[0].value == f"3.20{NBSP}mmol/L"
    assert section(german, "found").rows[0].value == f"3,20{NBSP}mmol/L"
    assert section(german, "found").rows[0].range.startswith("3,5")
    assert " · geboren am 3. Feb. 1972 · " in german.about_patient[0]
    assert " · born 3 Feb 1972 · " in english.about_patient[0]
    assert "né" not in words_of(german)


@pytest.mark.hazard("patient-misled")
@pytest.mark.parametrize("part", ["measurands", "findings", "verdicts", "standings"])
def test_a_language_that_lacks_one_sentence_gives_the_whole_page_in_english(part):
    patient = knowledge().patient
    lacking = replace(patient.texts["fr"], **{part: {}})
    kept = replace(patient, texts={**patient.texts, "fr": lacking})
    answer = an_answer(*LOW_MAGNESIUM)
    page = a_page(answer, "fr", patient=kept)
    assert page.language == "en"
    assert page.asked == "fr"
    assert (
        "This page is not complete in français, so all of it is in English." in page.about_patient
    )
    plain = a_page(answer, "en")
    assert page.sections == plain.sections


def test_a_language_nobody_knows_gives_english_and_says_so():
    page = a_page(an_answer(*LOW_MAGNESIUM), "xx")
    assert page.language == "en"
    assert any("xx" in line for line in page.about_patient)


def test_a_reviewed_language_does_not_say_that_it_is_unchecked():
    patient = knowledge().patient
    checked = replace(patient.texts["es"], reviewed=True)
    page = a_page(
        an_answer(*LOW_MAGNESIUM),
        "es",
        patient=replace(patient, texts={**patient.texts, "es": checked}),
    )
    assert patient.texts["es"].sentences["not-reviewed"] not in words_of(page)


def test_a_result_in_another_unit_than_its_range_is_shown_in_both():
    row = section(a_page(an_answer("magnesium 1.5 mg/dL")), "found").rows[0]
    assert row.value == f"1.5{NBSP}mg/dL (={NBSP}0.62{NBSP}mmol/L)"
    assert row.range == f"0.70–1.00{NBSP}mmol/L"


def test_a_result_nothing_here_is_called_like_is_not_passed_over():
    panel = {"results": [{"test": "Unheard of", "value": "3", "unit": "mmol/L"}]}
    answer = interpret(json_panel.received_of(panel, RECEIVED).submission, knowledge())
    told = "\n".join(section(a_page(answer, panel=panel), "found").after)
    assert "Part of what the laboratory sent could not be read." in told
    assert "None of the results could be judged." in told


def test_from_where_a_care_team_acts_is_drawn_and_said_only_where_a_limit_is_known():
    said = knowledge().patient.texts["en"].sentences
    with_limit = section(a_page(an_answer("potassium 4.0 mmol/L")), "found")
    without = section(a_page(an_answer("vitamin_d_25oh 60 nmol/L")), "found")
    assert any(said["picture-note-limits"] in told for told in with_limit.after)
    assert not any("usually act" in told for told in without.after)
    assert any(said["picture-note"] in told for told in without.after)
