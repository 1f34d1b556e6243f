"""From a form to a stored panel: nothing is interpreted, guessed or lost before someone confirms it."""

import io

import pytest

from labinterp.usecases import journey
from tests.unit.web.browsing import ABOUT, fields, said


def stored(services, person):
    return journey.list_panels(services, person.actor).items


def test_five_pasted_lines_reach_a_result_in_two_clicks(person):
    check = person.check()
    assert "5 understood, 0 need you, 0 not used" in said(check)
    page = person.get(person.confirm(check))
    assert "Magnesium" in said(page)


def test_the_check_page_shows_no_standing_and_no_finding(person):
    shown = said(person.check())
    for word in ("Low", "Critical", "Emergency", "Findings"):
        assert word not in shown.replace("Low ", "")


def test_the_line_is_shown_as_received_with_its_value_marked(person):
    check = person.check("Potassium 2.4 mmol/L (3.5-5.3) L")
    assert "Potassium <mark>2.4</mark> mmol/L (3.5-5.3) L" in check


def test_nothing_entered_says_what_to_do_and_keeps_what_was_typed(person):
    page = person.check("", 422)
    assert "Paste results, type them in, or upload a file." in page
    assert "<title>Error: " in page
    assert 'value="MRN-1"' in page


def test_nothing_readable_lists_the_lines_and_stores_nothing(person, services):
    page = person.check("hello\nworld", 422)
    assert "No result was recognised" in said(page)
    assert "hello" in said(page)


def test_without_age_and_sample_date_the_form_comes_back_naming_both(person):
    page = person.check(
        **{name: "" for name in ABOUT if name.startswith(("birth", "sample"))}, status=422
    )
    assert 'href="#birth-day"' in page
    assert 'href="#sample-day"' in page


def test_an_age_stands_for_the_birth_date(person):
    empty = {f"birth-{part}": "" for part in ("day", "month", "year")}
    assert person.enter(**empty, age="54")


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("birth-year", "72", "Birth date: write the year with four digits."),
        ("birth-month", "13", "Birth date: write day, month and year in digits"),
        ("sample-day", "31st", "Sample date: write day, month and year in digits"),
        ("sample-time", "8 o'clock", "Sample time: write it as 08:30."),
        ("zone", "Mars/Olympus", "Time zone:"),
        ("zone", "../../etc/passwd", "Time zone:"),
        ("age", "old", "Age: write a number"),
        ("haemolysis-index", "lots", "Haemolysis index: write a number"),
    ],
)
def test_a_field_that_cannot_be_read_is_named_beside_itself(person, field, value, message):
    more = {"birth-day": "", "birth-month": "", "birth-year": ""} if field == "age" else {}
    page = person.check(status=422, **more, **{field: value})
    assert message in said(page)
    assert 'aria-invalid="true"' in page


@pytest.mark.hazard("wrong-number")
def test_a_comma_that_may_be_either_is_never_guessed_and_two_buttons_settle_it(person):
    check = person.check("Vitamin B12 1,250 pg/mL\nSodium 139 mmol/L")
    assert "1 understood, 1 needs you" in said(check)
    assert 'name="row-0-value" value="1.250"' in check
    assert 'name="row-0-value" value="1250"' in check
    settled = person.send(check, "/panels/check", {"row-0-value": "1250"}, 200)
    assert "2 understood, 0 need you" in said(settled)
    page = person.get(person.confirm(settled))
    assert "1250 pg/mL" in said(page)


def test_mg_alone_is_asked_about_and_a_button_gives_the_unit(person):
    check = person.check("Magnesium 1.9 mg\nSodium 139 mmol/L")
    assert "Unit unusual for this test" in said(check)
    settled = person.send(check, "/panels/check", {"row-0-unit": "mg/dL"}, 200)
    assert "2 understood" in said(settled)


def test_a_corrected_line_keeps_the_text_it_was_read_from(person, services):
    check = person.check("Magnesium 1.9 mg\nSodium 139 mmol/L")
    settled = person.send(check, "/panels/check", {"row-0-unit": "mg/dL"}, 200)
    path = person.confirm(settled).partition("?")[0]
    assert "As received Magnesium 1.9 mg Recognised" in said(person.get(f"{path}/reasons"))


def test_a_line_taken_out_is_listed_and_not_interpreted(person):
    check = person.check("Potassium 2.4 mmol/L\nSodium 139 mmol/L")
    left = person.send(check, "/panels/check", {"row-0-use": "no"}, 200)
    assert "1 understood, 0 need you, 1 not used" in said(left)
    page = person.get(person.confirm(left))
    assert "2.4 mmol/L" not in said(page)


def test_an_unrecognised_line_is_listed_and_not_dropped(person):
    check = person.check("Potassium 2.4 mmol/L\nPlease ring the ward")
    assert "Please ring the ward" in said(check)
    assert "1 not used" in said(check)


def test_confirming_twice_stores_one_panel(person):
    check = person.check()
    assert person.confirm(check) == person.confirm(check)


@pytest.mark.hazard("stranger-writes")
def test_an_altered_draft_is_refused(person):
    check = person.check()
    held = fields(check, "/panels/check")
    answer = person.client.post(
        "/panels/check", data=held | {"draft": held["draft"][:-3] + "abc", "confirm": "1"}
    )
    assert answer.status_code == 422
    assert "Nothing was stored" in answer.text


def test_typed_rows_are_read_like_any_other_panel(person):
    check = person.check(
        "",
        **{
            "potassium-value": "2.4",
            "potassium-unit": "mmol/L",
            "sodium-value": "139",
            "sodium-unit": "mmol/L",
        },
    )
    assert "2 understood" in said(check)


def test_a_typed_value_without_its_unit_comes_back_with_what_was_typed(person):
    page = person.check("", 422, **{"potassium-value": "2.4"})
    assert "Potassium: choose the unit the laboratory printed." in said(page)
    assert 'value="2.4"' in page


def test_another_test_can_be_added_without_scripts(person):
    page = person.send(
        person.get("/panels/new"), "/panels/new", {"add-row": "1", "text": "kept"}, 200
    )
    assert 'name="free0-test"' in page
    assert ">kept</textarea>" in page.replace("\n", "")


def test_two_ways_at_once_are_asked_about(person):
    page = person.check(status=422, **{"potassium-value": "2.4", "potassium-unit": "mmol/L"})
    assert "Results were entered in two ways" in said(page)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "The file is empty"),
        (b"x" * 1_000_001, "larger than 1 MB"),
        (b"%PDF-1.7", "PDF"),
        (b"\x89PNG\r\n", "picture"),
        (b'{"results": [', "JSON"),
    ],
)
def test_a_file_that_cannot_be_read_says_so_and_stores_nothing(person, body, message):
    page = person.check("", 422, file=(io.BytesIO(body), "results.csv"))
    assert message in said(page)


def test_an_uploaded_table_is_checked_and_stored(person):
    table = b"test,value,unit\nPotassium,2.4,mmol/L\nSodium,139,mmol/L\n"
    check = person.check("", file=(io.BytesIO(table), "results.csv"))
    assert "2 understood" in said(check)
    assert person.confirm(check)


def test_the_csv_template_can_be_read_back(person):
    template = person.client.get("/panels/template.csv").data
    check = person.check("", file=(io.BytesIO(template), "template.csv"))
    assert "2 understood" in said(check)


def test_markup_in_pasted_text_is_text(person):
    check = person.check("<script>alert(1)</script>\nPotassium 2.4 mmol/L <b>L</b>")
    assert "<script>alert" not in check
    assert "<b>L</b>" not in check
