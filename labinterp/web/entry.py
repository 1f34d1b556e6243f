"""Entering a panel: the form, the check of what was understood, and confirming it."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, cast

from flask import (
    Response,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)

from labinterp import access
from labinterp.errors import SubmissionError
from labinterp.formats import csv_template
from labinterp.reporting import words
from labinterp.store.records import written
from labinterp.usecases import journey
from labinterp.web import reading, typed
from labinterp.web.draft import Draft, seal, unseal
from labinterp.web.fields import FieldError, Form, common_members, text
from labinterp.web.prefill import form_of
from labinterp.web.site import A_MEGABYTE, actor, pages, request_id, services
from labinterp.web.understood import Checked, checked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask.typing import ResponseReturnValue

    from labinterp.model.submission import Received

NOTHING: Final = "Paste results, type them in, or upload a file."
DRAFT_SECONDS: Final = 12 * 3600
SIGN_GROUPS: Final = (
    ("Twitching", ("twitch", "twitch-course")),
    ("Cramps, tetany and elicited signs", ("hyperexcitability", "elicited-sign")),
    ("Weakness and sensation", ("motor", "sensory")),
)
"""Headings of the form and the vocabulary's domains under each; everything else is typed."""


@pages.get("/panels/new")
def new_panel() -> ResponseReturnValue:
    """The empty form."""
    access.require(actor(), "panels:write")
    return _form({}, ())


@pages.get("/panels/<panel_id>/correct")
def correct_panel(panel_id: str) -> ResponseReturnValue:
    """The form with what the panel holds; confirming it makes a new version."""
    access.require(actor(), "panels:write")
    record = journey.read_panel(services(), actor(), panel_id, request_id=request_id())
    return _form(form_of(record), ())


@pages.post("/panels/new")
def enter_panel() -> ResponseReturnValue:
    """Take what was entered and show what was understood; or the form again, as it was typed."""
    access.require(actor(), "panels:write")
    form = request.form.to_dict(flat=False)
    if "add-row" in form:
        return _form(form, ())
    draft, errors = _draft_of(form)
    if draft is None or errors:
        return _form(form, errors)
    return _check(draft, {})


@pages.post("/panels/check")
def check_panel() -> ResponseReturnValue:
    """The check page again, with what was chosen; or, confirmed, the panel itself."""
    access.require(actor(), "panels:write")
    form = request.form.to_dict(flat=False)
    draft = unseal(text(form, "draft"), cast("str", current_app.secret_key), DRAFT_SECONDS)
    if "back" in form:
        return _form(dict(draft.fields), ())
    return _check(draft, form, confirmed="confirm" in form)


@pages.get("/panels/template.csv")
def template_csv() -> ResponseReturnValue:
    """A table to fill in."""
    response = make_response(csv_template.TEXT)
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="{csv_template.FILE_NAME}"'
    return response


def _form(form: Form, errors: tuple[FieldError, ...], status: int | None = None) -> Response:
    held = services().knowledge
    terms = held.terms.get("symptom", {}).values()
    body = render_template(
        "new_panel.html",
        form=form,
        corrects=text(form, "corrects"),
        errors=errors,
        rows=[held.measurands[row] for row in typed.ROWS if row in held.measurands],
        free_rows=typed.free_rows(form),
        typed_open=typed.is_filled(form) or "add-row" in form,
        file_open=any(error.field == "file" for error in errors),
        signs=[
            (heading, [term for term in terms if term.domain in domains])
            for heading, domains in SIGN_GROUPS
        ],
        units_of=lambda measurand: [
            ("", "choose"),
            *((unit.printed, unit.printed) for unit in measurand.units),
        ],
        specimen_options=_specimen_options(held.specimen_fields),
        zone=services().policy.zone,
    )
    return make_response(body, status or (422 if errors else 200))


def _specimen_options(words: Mapping[str, tuple[str, ...]]) -> dict[str, list[tuple[str, str]]]:
    """Options of the specimen's fields; the first says nothing."""
    return {
        name: [("", "not stated"), *((word, word.replace("-", " ")) for word in known)]
        for name, known in words.items()
        if known
    }


def _draft_of(form: Form) -> tuple[Draft | None, tuple[FieldError, ...]]:
    """What was entered, by whichever of the three ways; and what is wrong with the form itself."""
    uploaded = request.files.get("file")
    pasted = text(form, "text")
    ways = [bool(pasted), typed.is_filled(form), bool(uploaded and uploaded.filename)]
    _, errors = common_members(form)
    if sum(ways) == 0:
        return None, (FieldError("text", NOTHING), *errors)
    if sum(ways) > 1:
        return None, (
            FieldError("text", "Results were entered in two ways. Keep one and clear the other."),
            *errors,
        )
    kept = {name: values for name, values in form.items() if name not in ("csrf_token", "go")}
    if pasted:
        return Draft("paste", pasted.encode(), fields=kept), errors
    if not (uploaded and uploaded.filename):
        _, missing = typed.results(form, services().knowledge)
        return Draft("typed", b"", fields=kept), (*missing, *errors)
    body = uploaded.stream.read(A_MEGABYTE + 1)
    wrong = _wrong_file(body)
    draft = Draft(
        "file", body, media_type=uploaded.mimetype or "", file_name=uploaded.filename, fields=kept
    )
    return draft, (*wrong, *errors)


def _wrong_file(body: bytes) -> tuple[FieldError, ...]:
    if len(body) > A_MEGABYTE:
        return (FieldError("file", "The file is larger than 1 MB. Nothing was stored."),)
    if not body.strip():
        return (FieldError("file", "The file is empty. Nothing was stored."),)
    return ()


def _check(draft: Draft, answers: Form, *, confirmed: bool = False) -> ResponseReturnValue:
    try:
        read = reading.read(draft, answers, services(), _corrected(draft))
    except SubmissionError as error:
        return _form(draft.fields, _errors_of(draft, error))
    missing = reading.missing(read, draft)
    if missing:
        return _form(draft.fields, missing)
    check = checked(read, services().knowledge)
    if confirmed and check.readable:
        return _accept(draft, read.received)
    return _check_page(draft, check, answers)


def _corrected(draft: Draft) -> journey.PanelRecord | None:
    """The version that is being corrected, if one is."""
    panel_id = text(draft.fields, "corrects")
    if not panel_id:
        return None
    return journey.read_panel(services(), actor(), panel_id, request_id=request_id())


def _check_page(draft: Draft, check: Checked, answers: Form) -> Response:
    kept = {name: values[0] for name, values in answers.items() if name.startswith("row-")}
    body = render_template(
        "check.html",
        check=check,
        draft=seal(draft, cast("str", current_app.secret_key)),
        answers=kept,
        measurands=sorted(services().knowledge.measurands.values(), key=lambda one: one.name),
    )
    return make_response(body, 200 if check.readable else 422)


def _accept(draft: Draft, received: tuple[Received, ...]) -> ResponseReturnValue:
    accepted = [_accept_one(draft, one, number) for number, one in enumerate(received)]
    if len(accepted) == 1:
        return redirect(url_for("web.panel", panel_id=accepted[0].panel_id), 303)
    flash(f"{len(accepted)} panels were stored.")
    return redirect(url_for("web.panels"), 303)


def _accept_one(draft: Draft, one: Received, number: int) -> journey.Accepted:
    digest = hashlib.sha256(written(one.panel).encode()).hexdigest()
    key = f"page-{draft.nonce}-{number}-{digest[:16]}"
    corrects = text(draft.fields, "corrects")
    if corrects:
        return journey.correct(
            services(),
            actor(),
            corrects,
            one,
            idempotency_key=key,
            body_digest=digest,
            request_id=request_id(),
        )
    return journey.take(
        services(),
        actor(),
        one,
        idempotency_key=key,
        body_digest=digest,
        origin="web",
        request_id=request_id(),
    )


def _errors_of(draft: Draft, error: SubmissionError) -> tuple[FieldError, ...]:
    field = {"paste": "text", "file": "file"}.get(draft.source, "")
    said = Counter({error.message: 1})
    places: list[Any] = [
        place for place in error.errors if f"{place.where}: {place.message}" not in error.message
    ]
    said.update(f"{words.capital(place.where)}: {place.message}" for place in places)
    return tuple(FieldError(field, message) for message in said)
