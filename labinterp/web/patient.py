"""The page for the patient: seen first, then released, shown as it was released, withdrawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from markupsafe import Markup

from labinterp.errors import Conflict, NotFound, SubmissionError
from labinterp.usecases import patient_pages
from labinterp.web.site import actor, pages, request_id, services

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from labinterp.reporting.patient_page import PatientRow

_LONGEST: Final = 7
"""Digits that a version's number may have."""


def picture(row: PatientRow) -> Markup:
    """The number line of a row; its texts were escaped where it was drawn."""
    return Markup(row.picture)  # noqa: S704  (see above)  # nosec B704


@pages.get("/panels/<panel_id>/patient")
def patient_page(panel_id: str) -> ResponseReturnValue:
    """The page as the patient sees it."""
    found = _released(panel_id)
    return render_template(
        "patient_page.html", page=found.page, record=found.record, picture=picture
    )


@pages.get("/panels/<panel_id>/patient.pdf")
def patient_pdf(panel_id: str) -> ResponseReturnValue:
    """The same on paper."""
    found = _released(panel_id)
    response = make_response(found.pdf)
    response.headers["Content-Type"] = "application/pdf"
    response.headers["Content-Disposition"] = f'inline; filename="{found.record.file_name}"'
    return response


@pages.post("/panels/<panel_id>/patient/preview")
def preview_patient_page(panel_id: str) -> ResponseReturnValue:
    """What would be released, to be read before it is."""
    asked = _asked()
    try:
        page = patient_pages.preview(
            services(), actor(), panel_id, **asked, request_id=request_id()
        )
    except (Conflict, SubmissionError) as error:
        return _back(panel_id, error)
    return render_template(
        "patient_preview.html", page=page, panel_id=panel_id, asked=asked, picture=picture
    )


@pages.post("/panels/<panel_id>/patient")
def release_patient_page(panel_id: str) -> ResponseReturnValue:
    """Release it in the name of whoever is signed in."""
    try:
        patient_pages.release(
            services(),
            actor(),
            panel_id,
            **_asked(),
            version=_seen_version(),
            request_id=request_id(),
        )
    except (Conflict, SubmissionError) as error:
        return _back(panel_id, error)
    return redirect(url_for("web.patient_page", panel_id=panel_id), 303)


@pages.post("/panels/<panel_id>/patient/withdraw")
def withdraw_patient_page(panel_id: str) -> ResponseReturnValue:
    """Show it to nobody any more."""
    try:
        patient_pages.withdraw(services(), actor(), panel_id, request_id=request_id())
    except NotFound as error:
        if error.code != patient_pages.NOT_RELEASED:
            raise
    flash("The patient page is withdrawn. What was printed or saved cannot be called back.")
    return _to_panel(panel_id)


@pages.app_context_processor
def _patient_pages() -> dict[str, Any]:
    """What the result page needs for its form."""
    return {
        "patient_languages": lambda: patient_pages.offered(services()),
        "patient_page_of": lambda panel_id: patient_pages.state(services(), actor(), panel_id),
    }


def _asked() -> dict[str, str]:
    return {
        "language": request.form.get("language", ""),
        "contact": request.form.get("contact", "").strip(),
    }


def _seen_version() -> int:
    """The version whose page was read before the button was pressed; 0 is none."""
    sent = request.form.get("version", "")
    return int(sent) if sent.isascii() and sent.isdigit() and len(sent) < _LONGEST else 0


def _released(panel_id: str) -> patient_pages.ReleasedPage:
    try:
        return patient_pages.read(services(), actor(), panel_id, request_id=request_id())
    except NotFound:
        abort(404)


def _back(panel_id: str, error: Conflict | SubmissionError) -> ResponseReturnValue:
    """To the panel, with what is missing said there."""
    told = " ".join(place.message for place in getattr(error, "errors", ())) or error.message
    flash(told)
    return _to_panel(panel_id)


def _to_panel(panel_id: str) -> ResponseReturnValue:
    return redirect(url_for("web.panel", panel_id=panel_id, _anchor="patient-page"), 303)
