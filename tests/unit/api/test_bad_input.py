"""What bad input gets: what is wrong, where, what would be right; and the good results beside it."""

from __future__ import annotations

import json

import pytest

INTERPRET = "/api/v1/interpretations"
STORE = "/api/v1/panels"
DOORS = pytest.mark.parametrize("door", [INTERPRET, STORE], ids=["interpret", "store"])

POTASSIUM = {"test": "Potassium", "value": "2.90", "unit": "mmol/L"}


def with_result(panel, **result):
    """The panel with one more result, which stands at results[2]."""
    return {**panel, "results": [*panel["results"], result]}


def interpretation(answer):
    assert answer.status_code in (200, 201), answer.get_data(as_text=True)
    return answer.json.get("interpretation", answer.json)


def problems_at(answer, where):
    found = interpretation(answer)["problems"]
    return [problem for problem in found if problem["where"].startswith(where)]


def standing_of(answer, measurand):
    results = interpretation(answer)["results"]
    return [result["standing"] for result in results if result["measurand"] == measurand]


def refused(answer, status, code):
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.mimetype == "application/problem+json"
    assert answer.json["code"] == code
    assert answer.json["detail"]
    assert answer.json["request_id"] == answer.headers["X-Request-ID"]
    return answer.json["errors"]


# ---- the body is no panel: refused, and nothing is stored


@DOORS
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b'{"results": [1,]}',
        b"{} {}",
        b'{"results": [], "results": []}',
        b"[" * 100_000,
        b'{"results": NaN}',
        b"\xff\xfe{\x00}\x00",
        b'{"a": "\xff"}',
        b"null",
    ],
    ids=[
        "empty",
        "unclosed",
        "no JSON",
        "trailing comma",
        "two documents",
        "a key twice",
        "a hundred thousand brackets",
        "NaN",
        "UTF-16",
        "not UTF-8",
        "null",
    ],
)
def test_unreadable_json_is_refused(caller, door, body):
    answer = caller.post(door, body=body)

    assert answer.status_code in (400, 413, 422)
    assert answer.mimetype == "application/problem+json"
    assert answer.json["detail"]


@DOORS
def test_json_that_breaks_off_says_where(caller, door):
    errors = refused(caller.post(door, body=b'{"results": ['), 400, "json-invalid")

    assert errors[0]["where"] == "line 1, column 14"


@DOORS
def test_an_unknown_member_is_named_with_what_was_probably_meant(caller, door, panel):
    panel = with_result(panel, **POTASSIUM, unti="mmol/L")

    errors = refused(caller.post(door, panel), 422, "submission-invalid")

    assert errors == [
        {
            "where": "results[2].unti",
            "code": "unknown-member",
            "message": "unknown member; did you mean unit?",
        }
    ]


@DOORS
def test_every_fault_of_form_is_named_at_once(caller, door, panel):
    panel |= {"patient": {"sex": "f", "birth_date": "1971-13-01"}, "colour": "red"}

    errors = refused(caller.post(door, panel), 422, "submission-invalid")

    assert {error["where"] for error in errors} == {"patient.sex", "patient.birth_date", "colour"}


@DOORS
def test_an_empty_panel_is_refused(caller, door, panel):
    answer = caller.post(door, {**panel, "results": []})

    assert answer.status_code == 422
    assert "result" in answer.json["detail"]


@DOORS
def test_a_panel_without_one_readable_result_is_refused_with_every_reason(caller, door, panel):
    panel["results"] = [
        {"test": "Potassium", "value": "haemolysed", "unit": "mmol/L"},
        {"test": "Unobtainium", "value": "3", "unit": "mmol/L"},
    ]

    errors = refused(caller.post(door, panel), 422, "nothing-readable")

    assert {error["where"].split("]")[0] for error in errors} >= {"results[0", "results[1"}


@DOORS
def test_eleven_megabytes_are_refused_before_they_are_parsed(caller, door):
    refused(caller.post(door, body=b" " * 11_000_000), 413, "too-large")


@DOORS
@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/xml", "application/x-www-form-urlencoded", "application/json5", ""],
)
def test_another_content_type_is_told_which_one_is_read(caller, door, panel, content_type):
    answer = caller.post(door, body=json.dumps(panel).encode(), content_type=content_type)

    refused(answer, 415, "unsupported-format")
    assert "application/json" in answer.json["detail"]


@DOORS
def test_a_compressed_body_is_not_read(caller, door):
    answer = caller.post(door, body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"})

    refused(answer, 415, "unsupported-format")


# ---- one result is wrong: a Problem names it, the others are interpreted


@DOORS
@pytest.mark.parametrize(
    ("result", "said"),
    [
        ({"test": "Sodium", "value": "139", "unit": "furlong"}, "unit"),
        ({"test": "Calcium", "value": "8", "unit": "mg"}, "mg/dL"),
        ({"test": "Sodium", "value": "139", "unit": None}, "unit"),
        ({"test": "Unobtainium", "value": "3", "unit": "mmol/L"}, "Unobtainium"),
        ({"test": "Sodium", "value": "haemolysed", "unit": "mmol/L"}, "haemolysed"),
        ({"test": "Sodium", "value": "NaN", "unit": "mmol/L"}, "number"),
        ({"test": "Sodium", "value": "Infinity", "unit": "mmol/L"}, "number"),
        ({"test": "Sodium", "value": "1e400", "unit": "mmol/L"}, ""),
        ({"test": "Sodium", "value": "-139", "unit": "mmol/L"}, ""),
        ({"test": "Sodium", "value": "13900", "unit": "mmol/L"}, ""),
    ],
    ids=[
        "unknown unit",
        "mg alone",
        "no unit",
        "unknown test",
        "text",
        "NaN",
        "Infinity",
        "1e400",
        "negative",
        "impossible",
    ],
)
def test_a_result_that_cannot_be_used_is_a_problem_and_the_others_stand(
    caller, door, panel, result, said
):
    answer = caller.post(door, with_result(panel, **result))

    problems = problems_at(answer, "results[2]")
    assert problems
    assert all(problem["code"] and problem["message"] for problem in problems)
    assert said in " ".join(problem["message"] for problem in problems)
    assert "within" not in standing_of(answer, "sodium")
    assert standing_of(answer, "potassium") == ["low"]


@DOORS
@pytest.mark.parametrize("number", ["1e400", "NaN", "-Infinity"])
def test_a_number_no_result_can_have_is_no_fault_of_the_others(caller, door, panel, number):
    body = json.dumps(with_result(panel, test="Sodium", value="@", unit="mmol/L"))
    answer = caller.post(door, body=body.replace('"@"', number).encode())

    if answer.status_code < 300:
        assert problems_at(answer, "results[2]")
        assert "within" not in standing_of(answer, "sodium")
    else:
        assert answer.status_code in (400, 422)
        assert "results[2]" in json.dumps(answer.json["errors"])


@DOORS
def test_a_collection_in_the_future_is_questioned(caller, door, panel):
    answer = caller.post(door, {**panel, "collected_at": "2199-01-02T08:00:00Z"})

    if answer.status_code < 300:
        assert problems_at(answer, "collected_at")
    else:
        assert "collected_at" in json.dumps(answer.json["errors"])


@DOORS
def test_two_unequal_results_of_one_test_are_both_shown_and_questioned(caller, door, panel):
    answer = caller.post(door, with_result(panel, test="Potassium", value="4.4", unit="mmol/L"))

    assert len(standing_of(answer, "potassium")) == 2
    codes = {problem["code"] for problem in interpretation(answer)["problems"]}
    assert "duplicate-result" in codes


# ---- who asks


@DOORS
def test_no_key_is_401_whatever_the_body(stranger, door):
    answer = stranger.post(door, body=b"{")

    refused(answer, 401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic dXNlcjpwYXNz"},
        {"Authorization": "Bearer " + "x" * 5000},
        {"Authorization": "Bearer li_0000000000_ÿ"},
        {"X-API-Key": "nonsense"},
        {"X-API-Key": ""},
    ],
    ids=["unknown", "empty", "another scheme", "long", "not ASCII", "in its own header", "blank"],
)
def test_a_key_nobody_was_given_is_401(stranger, headers):
    refused(stranger.get(STORE, headers=headers), 401, "unauthenticated")


def test_another_organisations_panel_is_no_panel(caller, neighbour, panel):
    mine = caller.post(STORE, panel).json["id"]
    paths = [f"{STORE}/{mine}", f"{STORE}/{mine}/report.pdf", f"{STORE}/{mine}/deliveries"]

    for path in paths:
        hidden, absent = neighbour.get(path), neighbour.get(path.replace(mine, "0" * 26))

        assert (hidden.status_code, absent.status_code) == (404, 404)
        same = [{**each.json, "request_id": ""} for each in (hidden, absent)]
        assert same[0] == same[1]


def test_another_organisations_panel_cannot_be_corrected_or_sent(caller, neighbour, panel):
    mine = caller.post(STORE, panel).json["id"]

    refused(neighbour.post(f"{STORE}/{mine}/corrections", panel), 404, "not-found")
    whom = {"email": ["me@example.org"]}
    refused(neighbour.post(f"{STORE}/{mine}/deliveries", whom), 404, "not-found")


# ---- what stands in a list, in a query and in a header


@DOORS
@pytest.mark.parametrize("member", ["symptoms", "medications", "conditions", "history", "results"])
def test_null_in_a_list_is_refused_by_its_place(caller, panel, door, member):
    sent = {**panel, member: [*panel.get(member, []), None]}
    (place,) = refused(caller.post(door, sent), 422, "submission-invalid")
    assert place["where"] == f"{member}[{len(sent[member]) - 1}]"
    assert "must not be null" in place["message"]


def test_null_for_an_address_is_refused_at_both_doors(caller, panel):
    (place,) = refused(
        caller.post(STORE, {**panel, "deliver": {"email": [None]}}), 422, "submission-invalid"
    )
    assert place["where"] == "deliver.email[0]"
    stored = caller.post(STORE, panel).json["id"]
    answer = caller.post(f"{STORE}/{stored}/deliveries", {"email": [None]})
    (place,) = refused(answer, 422, "submission-invalid")
    assert place["where"] == "email[0]"


def test_a_body_that_is_no_recipients_is_not_called_a_panel(caller, panel):
    stored = caller.post(STORE, panel).json["id"]
    answer = caller.post(f"{STORE}/{stored}/deliveries", [])
    (place,) = refused(answer, 422, "submission-invalid")
    assert place["where"] == "body"


@pytest.mark.parametrize(
    "query",
    [
        "from=0001-01-01T00:00:00%2B23:59",
        "to=9999-12-31T23:59:59-23:59",
        "limit=%D9%A1",
        "limit=1&limit=2",
    ],
    ids=["before year 1", "after year 9999", "foreign digits", "twice"],
)
def test_a_parameter_that_cannot_be_used_is_named(caller, query):
    (place,) = refused(caller.get(f"{STORE}?{query}"), 422, "parameters-invalid")
    assert place["where"] == "query." + query.partition("=")[0]


def test_a_version_asked_for_twice_is_refused(caller, panel):
    stored = caller.post(STORE, panel).json["id"]
    (place,) = refused(
        caller.get(f"{STORE}/{stored}?version=1&version=2"), 422, "parameters-invalid"
    )
    assert place["where"] == "query.version"


def test_minutes_of_an_offset_end_at_59(caller, panel):
    sent = {**panel, "collected_at": "2026-01-02T08:00:00+05:75"}
    (place,) = refused(caller.post(INTERPRET, sent), 422, "submission-invalid")
    assert (place["where"], place["code"]) == ("collected_at", "bad-time")


def test_unknown_members_are_named_in_the_order_they_were_sent(caller, panel):
    names = [f"k{number}" for number in range(40)]
    places = refused(
        caller.post(INTERPRET, {**panel, **dict.fromkeys(names, 1)}), 422, "submission-invalid"
    )
    assert [place["where"] for place in places] == names


def test_the_content_type_that_is_not_read_is_named(caller, panel):
    answer = caller.post(INTERPRET, panel, content_type="text/plain")
    refused(answer, 415, "unsupported-format")
    assert "“text/plain” is not read here" in answer.json["detail"]
    assert "application/json" in answer.json["detail"]


def test_an_empty_body_is_called_empty(caller):
    answer = caller.post(INTERPRET, body=b" \n")
    refused(answer, 400, "json-invalid")
    assert "empty" in answer.json["detail"]
