"""A panel's way through the API: accepted, read, corrected, listed, sent, and its PDF."""

from __future__ import annotations

import json

import pytest

PANELS = "/api/v1/panels"


@pytest.fixture
def stored(caller, panel):
    answer = caller.post(PANELS, panel)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return answer


def with_key(key):
    return {"Idempotency-Key": key}


def test_accepting_answers_201_with_the_record_and_where_it_is(caller, stored, panel):
    record = stored.json

    assert stored.headers["Location"] == f"{PANELS}/{record['id']}"
    assert record["version"] == 1
    assert record["panel"]["results"][0]["value"] == "2.90"
    assert record["interpretation"]["results"]
    assert record["report"]["status"] == "queued"
    assert record["report"]["number"].startswith("LI-")
    assert caller.get(stored.headers["Location"]).json["id"] == record["id"]


@pytest.mark.hazard("wrong-number")
def test_the_digits_that_were_sent_are_the_digits_that_come_back(stored):
    text = stored.get_data(as_text=True)

    assert '"number":2.90' in text
    assert '"value":"2.90"' in text


def test_times_carry_their_offset(stored):
    assert stored.json["received_at"].endswith(("+00:00", "Z"))


def test_the_same_key_and_body_replays_the_first_answer(caller, panel):
    first = caller.post(PANELS, panel, headers=with_key("order-1"))
    second = caller.post(PANELS, panel, headers=with_key("order-1"))

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.data == first.data
    assert second.headers["Location"] == first.headers["Location"]
    assert second.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert len(caller.get(PANELS).json["panels"]) == 1


def test_the_replay_is_the_first_answer_even_after_work_was_done(caller, panel, services):
    from labinterp.usecases import journey

    panel["deliver"] = {"email": ["one@example.org"]}
    first = caller.post(PANELS, panel, headers=with_key("order-2"))
    journey.draw_due(services, "test", 10)
    address = f"{first.headers['Location']}/deliveries"
    assert caller.post(address, {"email": ["two@example.org"]}).status_code == 202
    caller.post(f"{first.headers['Location']}/corrections", panel)

    second = caller.post(PANELS, panel, headers=with_key("order-2"))

    assert second.data == first.data


def test_another_body_under_a_used_key_is_422(caller, panel):
    caller.post(PANELS, panel, headers=with_key("order-3"))

    answer = caller.post(PANELS, {**panel, "status": "preliminary"}, headers=with_key("order-3"))

    assert (answer.status_code, answer.json["code"]) == (422, "idempotency-key-reused")


def test_a_refused_body_leaves_its_key_free(caller, panel):
    refused = caller.post(PANELS, {**panel, "colour": "red"}, headers=with_key("order-4"))
    accepted = caller.post(PANELS, panel, headers=with_key("order-4"))

    assert (refused.status_code, accepted.status_code) == (422, 201)
    assert "Idempotent-Replayed" not in accepted.headers


def test_the_key_is_the_organisations_own(caller, neighbour, panel):
    mine = caller.post(PANELS, panel, headers=with_key("order-5"))
    theirs = neighbour.post(PANELS, panel, headers=with_key("order-5"))

    assert mine.json["id"] != theirs.json["id"]


@pytest.mark.parametrize("key", ["", "a b", "x" * 201, "é"])
def test_a_key_of_another_form_is_refused(caller, panel, key):
    answer = caller.post(PANELS, panel, headers=with_key(key))

    assert (answer.status_code, answer.json["code"]) == (400, "idempotency-key-invalid")


def test_without_a_key_each_request_is_a_panel_of_its_own(caller, panel):
    ids = {caller.post(PANELS, panel).json["id"] for _ in range(2)}

    assert len(ids) == 2


def test_a_correction_is_a_new_version_and_the_old_one_stays(caller, stored, panel):
    panel["results"][0]["value"] = "3.90"
    corrected = caller.post(f"{stored.headers['Location']}/corrections", panel)

    assert corrected.status_code == 201
    assert (corrected.json["id"], corrected.json["version"]) == (stored.json["id"], 2)
    assert corrected.json["report"]["number"] == stored.json["report"]["number"]
    newest = caller.get(stored.headers["Location"]).json
    old = caller.get(f"{stored.headers['Location']}?version=1").json
    assert (newest["version"], newest["superseded"]) == (2, False)
    assert (old["version"], old["superseded"]) == (1, True)
    assert old["interpretation"] == stored.json["interpretation"]


def test_a_correction_about_another_patient_is_refused(caller, stored, panel):
    panel["patient"]["identifier"]["value"] = "MRN-2"

    answer = caller.post(f"{stored.headers['Location']}/corrections", panel)

    assert answer.status_code in (409, 422)
    assert caller.get(stored.headers["Location"]).json["version"] == 1


@pytest.mark.parametrize("version", ["2", "99"])
def test_a_version_that_never_was_is_404(caller, stored, version):
    answer = caller.get(f"{stored.headers['Location']}?version={version}")

    assert answer.status_code == 404


@pytest.mark.parametrize("version", ["0", "-1", "one", "1.5", "9" * 40])
def test_a_version_that_is_no_number_is_422(caller, stored, version):
    answer = caller.get(f"{stored.headers['Location']}?version={version}")

    assert (answer.status_code, answer.json["code"]) == (422, "parameters-invalid")
    assert answer.json["errors"][0]["where"] == "query.version"


# ---- the report


def test_the_report_is_202_while_it_is_drawn_and_200_afterwards(caller, stored, services):
    from labinterp.usecases import journey

    address = f"{stored.headers['Location']}/report.pdf"

    waiting = caller.get(address)
    journey.draw_due(services, "test", 10)
    ready = caller.get(address)

    assert waiting.status_code == 202
    assert int(waiting.headers["Retry-After"]) >= 1
    assert waiting.json["status"] == "queued"
    assert ready.status_code == 200
    assert ready.mimetype == "application/pdf"
    assert ready.data.startswith(b"%PDF-")
    assert "MRN-1" not in ready.headers["Content-Disposition"]
    assert ready.headers["Cache-Control"] == "no-store"


def test_without_an_identifier_there_is_no_report_and_the_answer_says_why(caller, panel):
    del panel["patient"]["identifier"]
    stored = caller.post(PANELS, panel)

    answer = caller.get(f"{stored.headers['Location']}/report.pdf")

    assert stored.json["report"]["status"] == "not_made"
    assert stored.json["report"]["why"]
    assert (answer.status_code, answer.json["code"]) == (409, "report-not-available")
    assert stored.json["report"]["why"] in answer.json["detail"]


# ---- messages


def test_sending_is_queued_and_each_message_is_listed(caller, stored):
    address = f"{stored.headers['Location']}/deliveries"

    sent = caller.post(address, {"email": ["a@example.org", "b@example.org"]})

    assert sent.status_code == 202
    assert [each["to"] for each in sent.json["deliveries"]] == ["a@example.org", "b@example.org"]
    assert {each["status"] for each in sent.json["deliveries"]} == {"queued"}
    assert len(caller.get(address).json["deliveries"]) == 2


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ({}, "email"),
        ({"email": []}, "email"),
        ({"email": ["nobody"]}, "email[0]"),
        ({"email": ["a@example.org\nBcc: b@example.org"]}, "email[0]"),
        ({"email": "a@example.org"}, "email"),
        ({"email": ["a@example.org"], "as": "fax"}, "as"),
        ({"email": ["a@example.org"], "cc": ["b@example.org"]}, "cc"),
    ],
    ids=[
        "nothing",
        "nobody named",
        "no address",
        "two lines",
        "no list",
        "by fax",
        "unknown member",
    ],
)
def test_whom_to_send_to_is_read_strictly(caller, stored, document, where):
    answer = caller.post(f"{stored.headers['Location']}/deliveries", document)

    assert answer.status_code == 422
    assert answer.json["errors"][0]["where"].startswith(where)
    assert caller.get(f"{stored.headers['Location']}/deliveries").json["deliveries"] == []


# ---- lists


def test_the_list_shows_the_newest_first_and_pages_to_its_end(caller, panel, clock):
    ids = []
    for _ in range(5):
        clock.move(1)
        ids.append(caller.post(PANELS, panel).json["id"])

    seen, address = [], f"{PANELS}?limit=2"
    while address:
        page = caller.get(address).json
        assert len(page["panels"]) <= 2
        seen += [line["id"] for line in page["panels"]]
        address = page["next"]

    assert seen == ids[::-1]


def test_the_list_is_filtered(caller, panel):
    caller.post(PANELS, panel)
    panel["patient"]["identifier"]["value"] = "MRN-2"
    other = caller.post(PANELS, panel).json["id"]

    def listed(query):
        return [line["id"] for line in caller.get(f"{PANELS}?{query}").json["panels"]]

    assert listed("patient=MRN-2") == [other]
    assert listed("patient=MRN-3") == []
    assert len(listed("standing=low")) == 2
    assert listed("standing=critically_high") == []
    assert listed("from=2199-01-01") == []
    assert listed("to=2001-01-01T00:00:00Z") == []


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=many",
        "standing=normal",
        "urgency=panic",
        "from=yesterday",
        "from=2026-01-02T08:00:00",
        "to=2026-13-01",
        "patient=",
        "form=2026-01-01",
    ],
)
def test_a_filter_that_cannot_be_used_is_named(caller, query):
    answer = caller.get(f"{PANELS}?{query}")

    assert (answer.status_code, answer.json["code"]) == (422, "parameters-invalid")
    assert answer.json["errors"][0]["where"] == f"query.{query.split('=')[0]}"


def test_a_cursor_nobody_was_given_is_refused(caller):
    answer = caller.get(f"{PANELS}?cursor=nonsense")

    assert 400 <= answer.status_code < 500
    assert answer.mimetype == "application/problem+json"


# ---- nothing is stored by asking


def test_interpreting_stores_nothing(caller, panel):
    answer = caller.post("/api/v1/interpretations", panel)

    assert answer.status_code == 200
    assert answer.json["knowledge"]["version"]
    assert caller.get(PANELS).json["panels"] == []


def test_when_the_database_cannot_be_had_nothing_is_accepted(caller, panel, services, monkeypatch):
    from labinterp.errors import TemporaryFailure
    from labinterp.store.store import Store

    def gone(*_args, **_more):
        raise TemporaryFailure("The database did not answer in time; nothing was stored.")

    key_is_known = caller.get(PANELS)
    assert key_is_known.status_code == 200
    monkeypatch.setattr(Store, "write", gone)
    monkeypatch.setattr(Store, "writing", gone)

    answer = caller.post(PANELS, panel)

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert "nothing was stored" in answer.json["detail"]


# ---- files


CSV = (
    "identifier,issuer,birth_date,sex,collected_at,test,value,unit\n"
    "MRN-1,urn:example:mrn,1971-05-04,female,2026-01-02T08:00:00Z,Potassium,2.90,mmol/L\n"
    "MRN-2,urn:example:mrn,1961-05-04,male,2026-01-02T08:00:00Z,Sodium,139,mmol/L\n"
)


def upload(caller, body, name="results.csv", content_type="text/csv"):
    import io

    return caller.open(
        "POST",
        f"{PANELS}/import",
        data={"file": (io.BytesIO(body), name, content_type)},
        content_type="multipart/form-data",
    )


def test_a_file_has_one_outcome_for_each_patient_and_again_makes_nothing(caller):
    first = upload(caller, CSV.encode())
    again = upload(caller, CSV.encode())

    assert first.status_code == 200, first.get_data(as_text=True)
    assert (first.json["stored"], first.json["refused"]) == (2, 0)
    assert [each["duplicate"] for each in first.json["outcomes"]] == [False, False]
    assert [each["duplicate"] for each in again.json["outcomes"]] == [True, True]
    assert [each["url"] for each in again.json["outcomes"]] == [
        each["url"] for each in first.json["outcomes"]
    ]
    assert len(caller.get(PANELS).json["panels"]) == 2


def test_a_bad_row_loses_only_itself(caller):
    text = CSV.replace("Sodium,139,mmol/L", "Unobtainium,x,furlong")

    answer = upload(caller, text.encode())

    assert answer.status_code == 200
    assert (answer.json["stored"], answer.json["refused"]) == (1, 1)
    bad = next(each for each in answer.json["outcomes"] if each["status"] == "refused")
    assert bad["where"]
    assert bad["message"]


def test_a_file_that_is_none_is_refused(caller):
    missing = caller.open("POST", f"{PANELS}/import", data={}, content_type="multipart/form-data")
    plain = caller.post(f"{PANELS}/import", {})
    binary = upload(caller, b"\x89PNG\r\n\x1a\n\0\0\0", "scan.png", "image/png")

    assert (missing.status_code, plain.status_code) == (400, 415)
    assert binary.status_code in (415, 422)
    for answer in (missing, plain, binary):
        assert json.loads(answer.data)["detail"]
