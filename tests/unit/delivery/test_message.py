"""The mail that says a report is ready."""

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest

from labinterp.delivery.message import Attachment, Notice, build

NOTICE = Notice(
    recipient="clinician@example.org",
    sender="Laboratory <reports@example.com>",
    number="LI-2026-000123",
    version=1,
    organisation="Demo",
    link="http://127.0.0.1:8000/m/abc?x=1&y=2",
    message_id="<d-1@example.com>",
    made_at=datetime(2026, 1, 2, 8, 0, tzinfo=UTC),
    expires_at=datetime(2026, 2, 1, 8, 0, tzinfo=UTC),
    contact="the duty biochemist",
)


def parts(notice):
    message = message_from_bytes(build(notice).as_bytes(), policy=policy.default)
    plain = message.get_body(("plain",)).get_content()
    rich = message.get_body(("html",)).get_content()
    return message, plain, rich


@pytest.mark.hazard("stranger-reads")
def test_the_subject_is_the_report_number_and_nothing_else():
    message, _, _ = parts(NOTICE)
    assert message["Subject"] == "A report is ready (LI-2026-000123)"


def test_text_and_html_say_the_same_and_carry_the_link():
    _, plain, rich = parts(NOTICE)
    for part in (plain, rich):
        assert "LI-2026-000123" in part
        assert "until 1 February 2026, 08:00 UTC" in part
        assert "the duty biochemist" in part
    assert "http://127.0.0.1:8000/m/abc?x=1&y=2" in plain
    assert "http://127.0.0.1:8000/m/abc?x=1&amp;y=2" in rich


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("expires_at", [None, NOTICE.expires_at])
def test_what_has_nothing_to_say_leaves_no_gap(version, expires_at):
    message = build(replace(NOTICE, version=version, expires_at=expires_at))
    text, page = (message.get_body((kind,)).get_content() for kind in ("plain", "html"))
    assert "\n\n\n" not in text.strip()
    assert "<p></p>" not in page
    assert ("The link works until" in text) == ("The link works until" in page) == bool(expires_at)


def test_a_correction_says_so_and_names_the_version():
    message, plain, rich = parts(replace(NOTICE, version=2))
    assert message["Subject"] == "A report was corrected (LI-2026-000123, version 2)"
    assert "superseded" in plain
    assert "superseded" in rich


def test_a_withdrawal_says_so_and_that_nothing_replaces_it():
    message, plain, rich = parts(replace(NOTICE, version=2, withdrawn=True))
    assert message["Subject"] == "A report was withdrawn (LI-2026-000123, version 2)"
    for part in (plain, rich):
        assert "Nothing replaces them" in part
        assert "corrected" not in part


def test_nothing_is_attached_unless_it_was_chosen():
    message, plain, _ = parts(NOTICE)
    assert list(message.iter_attachments()) == []
    assert "attached" not in plain
    assert "holds no results" in plain


def test_an_attachment_arrives_whole_under_our_file_name():
    pdf = b"%PDF-1.7\r\n.\r\n" + bytes(range(256)) * 50
    message, plain, _ = parts(replace(NOTICE, attachment=Attachment("LI-2026-000123.pdf", pdf)))
    (attached,) = message.iter_attachments()
    assert attached.get_filename() == "LI-2026-000123.pdf"
    assert attached.get_content_type() == "application/pdf"
    assert attached.get_content() == pdf
    assert "The report is attached" in plain
    assert "holds no results" not in plain


def test_markup_in_a_name_stays_text():
    _, plain, rich = parts(replace(NOTICE, organisation='<b>Ward "7"</b> & Söhne'))
    assert '<b>Ward "7"</b> & Söhne' in plain
    assert "&lt;b&gt;Ward" in rich
    assert "<b>" not in rich


def test_every_attempt_carries_the_same_message_id():
    assert build(NOTICE)["Message-ID"] == build(NOTICE)["Message-ID"] == "<d-1@example.com>"


def test_the_body_passes_a_seven_bit_relay():
    whole = build(replace(NOTICE, organisation="Klinik Süd, Łódź")).as_bytes()
    assert all(byte < 128 for byte in whole)


@pytest.mark.parametrize(
    "address",
    ["a@example.org\r\nBcc: b@example.org", "not an address", "", "a@example.org, b@example.org"],
)
def test_an_address_that_is_not_one_address_is_refused(address):
    with pytest.raises(ValueError):
        build(replace(NOTICE, recipient=address))


@pytest.mark.parametrize("field", ["number", "message_id", "sender"])
def test_a_header_cannot_grow_a_second_line(field):
    with pytest.raises(ValueError):
        build(replace(NOTICE, **{field: "x\r\nBcc: b@example.org"}))
