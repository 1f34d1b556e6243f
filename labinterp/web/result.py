"""The result page and what can be done from it: acknowledge, PDF, send, copy, download."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from flask import flash, make_response, redirect, render_template, request, url_for
from markupsafe import Markup

from labinterp import access
from labinterp.errors import SubmissionError
from labinterp.reporting import abbreviations, fhir, number_line, path_picture, text, view
from labinterp.store import reports
from labinterp.store.records import written
from labinterp.usecases import fhir_orders, journey, reread
from labinterp.web import differing
from labinterp.web.addresses import addresses
from labinterp.web.fields import FieldError
from labinterp.web.orders import order_of
from labinterp.web.site import actor, pages, request_id, services

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flask import Response
    from flask.typing import ResponseReturnValue

    from labinterp.model.interpretation import InterpretedResult
    from labinterp.model.rule import Review
    from labinterp.reporting.blocks import ResultRow, Section
    from labinterp.reporting.conclusion_blocks import VerdictBlock
    from labinterp.reporting.number_line import Geometry
    from labinterp.usecases.journey import PanelRecord


@dataclass(frozen=True, slots=True)
class _Page:
    """What the blocks of a report show on a page and on paper cannot: how each result was read.

    Attributes:
        details: the answer's results by their place.
        lines: the line each was read from, where there was one.
    """

    details: Mapping[str, InterpretedResult]
    lines: Mapping[str, str]

    def svg(self, row: ResultRow) -> Markup:
        """The number line of a row that has one; its texts are escaped where it is drawn."""
        return Markup(number_line.svg(cast("Geometry", row.line), row.flag, bare=True))  # noqa: S704  (escaped there)  # nosec B704

    def paths(self, block: VerdictBlock) -> Markup:
        """The picture of the active paths; nothing where there is none."""
        made = path_picture.picture(block.drawn, path_picture.SVG_PEN, path_picture.SVG_WIDTH)
        return Markup(path_picture.svg(made, bare=True) if made else "")  # noqa: S704  (as above)  # nosec B704

    def legend(self, block: VerdictBlock) -> str:
        """What the marks of that picture mean."""
        return path_picture.legend(block.drawn)


WAITING = ("queued", "drawing")
_FHIR = "application/fhir+json; charset=utf-8"
_SOON = timedelta(minutes=2)
"""How long a report may wait before the page says that it could not be drawn yet."""
_FIRST = ("superseded", "changes", "critical")
HOW_TOLD = ("by telephone", "in person", "by secure message", "other")


@pages.get("/panels/<panel_id>")
def panel(panel_id: str) -> ResponseReturnValue:
    """The answer, top to bottom in the order of the report."""
    return _page(_record(panel_id))


@pages.get("/panels/<panel_id>/reasons")
def reasons(panel_id: str) -> ResponseReturnValue:
    """How each result was read, and what each finding rests on; apart, for its weight."""
    record = _record(panel_id)
    return render_template(
        "reasons.html",
        **_shown(record),
        opened=True,
        sources_at=url_for("web.panel", panel_id=record.id, version=_version()),
    )


@pages.post("/panels/<panel_id>/acknowledge")
def acknowledge(panel_id: str) -> ResponseReturnValue:
    """Write down who was told of the critical results."""
    told = request.form.get("told", "").strip()
    how = request.form.get("how", "").strip()
    read_back = request.form.get("read-back", "")
    errors = []
    if not told:
        errors.append(FieldError("told", "Who was told: write a name or a role."))
    if not how:
        errors.append(FieldError("how", "How: choose one."))
    if read_back not in ("yes", "no"):
        errors.append(FieldError("read-back", "Read back: choose yes or no."))
    if errors:
        return _page(_record(panel_id), errors, 422)
    journey.acknowledge(
        services(), actor(), panel_id, told=told, how=how, read_back=read_back == "yes"
    )
    flash("The acknowledgement was stored.")
    return redirect(url_for("web.panel", panel_id=panel_id), 303)


@pages.get("/panels/<panel_id>/report.pdf")
def pdf(panel_id: str) -> ResponseReturnValue:
    """The document, once it is drawn; until then back to the page, which says how far it is."""
    state = journey.read_report(services(), actor(), panel_id, _version(), request_id=request_id())
    if state.pdf is None:
        return redirect(url_for("web.panel", panel_id=panel_id, version=_version()), 303)
    response = make_response(state.pdf)
    response.headers["Content-Type"] = "application/pdf"
    response.headers["Content-Disposition"] = f'inline; filename="{state.file_name}"'
    return response


@pages.post("/panels/<panel_id>/report")
def make_pdf(panel_id: str) -> ResponseReturnValue:
    """Draw the document again after it failed."""
    journey.retry_report(services(), actor(), panel_id)
    return redirect(url_for("web.panel", panel_id=panel_id, _anchor="pdf"), 303)


@pages.get("/panels/<panel_id>/state")
def report_state(panel_id: str) -> ResponseReturnValue:
    """How far the document is; only its state is read, so no view of a patient is written down."""
    access.require(actor(), "panels:read")
    with services().store.reading() as connection:
        report = reports.read_report(connection, actor().organisation_id, panel_id, _version() or 1)
    return {
        "html": render_template("report_state.html", report=report),
        "waits": report.status in WAITING,
    }


@pages.post("/panels/<panel_id>/send")
def send(panel_id: str) -> ResponseReturnValue:
    """Show the addresses back first; send when they are confirmed."""
    record = _record(panel_id)
    typed = request.form.get("email", "")
    try:
        recipients = addresses(
            typed,
            as_attachment=request.form.get("as") == "attachment",
            at_most=services().policy.recipients,
        )
    except SubmissionError as error:
        return _page(record, [FieldError("email", error.message)], 422)
    if "confirmed" not in request.form:
        return render_template("send.html", record=record, recipients=recipients, typed=typed)
    made = journey.send(services(), actor(), panel_id, recipients, request_id=request_id())
    flash("Queued: " + ", ".join(delivery.to for delivery in made) + ".")
    return redirect(url_for("web.panel", panel_id=panel_id, _anchor="sent"), 303)


@pages.get("/panels/<panel_id>/text")
def as_text(panel_id: str) -> ResponseReturnValue:
    """The summary on a page, to be marked and copied."""
    record = _record(panel_id)
    return render_template(
        "text.html", record=record, summary=text.summary(order_of(services(), actor(), record))
    )


@pages.get("/panels/<panel_id>/summary.txt")
def plain_text(panel_id: str) -> ResponseReturnValue:
    """The summary and nothing else."""
    return _download(
        text.summary(order_of(services(), actor(), _record(panel_id))), "text/plain; charset=utf-8"
    )


@pages.get("/panels/<panel_id>/interpretation.json")
def as_json(panel_id: str) -> ResponseReturnValue:
    """The whole record, as the API gives it."""
    record = _record(panel_id)
    body = written(journey.panel_document(record))
    response = _download(body, "application/json")
    response.headers["Content-Disposition"] = (
        f'attachment; filename="{record.report.number or "panel"}.json"'
    )
    return response


@pages.get("/panels/<panel_id>/report.fhir.json")
def as_fhir(panel_id: str) -> ResponseReturnValue:
    """The answer as one FHIR R4 Bundle, each resource as the FHIR interface gives it."""
    record = _record(panel_id)
    order = fhir_orders.fhir_order(services(), record)
    response = _download(written(fhir.bundle(order, services().knowledge)), _FHIR)
    named = f"{record.report.number or 'panel'}.fhir.json"
    response.headers["Content-Disposition"] = f'attachment; filename="{named}"'
    return response


@pages.get("/panels/<panel_id>/differences")
def differences(panel_id: str) -> ResponseReturnValue:
    """What the answer would be by the knowledge of today; nothing of it is kept."""
    record = _record(panel_id)
    again = reread.read_again(services(), actor(), record)
    return render_template(
        "differences.html",
        record=record,
        differences=differing.between(record.interpretation, again),
    )


@pages.get("/findings/<path:rule>")
def finding(rule: str) -> ResponseReturnValue:
    """Why a finding can appear: its rule, as the knowledge browser shows it."""
    named = rule.removeprefix("finding/")
    return redirect(url_for("web.knowledge_item", item_id=named), 303)


def _record(panel_id: str) -> PanelRecord:
    return journey.read_panel(services(), actor(), panel_id, _version(), request_id=request_id())


def _version() -> int | None:
    asked = request.args.get("version", "")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else None  # noqa: PLR2004  (versions are few)


def _page(
    record: PanelRecord, errors: list[FieldError] | None = None, status: int = 200
) -> Response:
    body = render_template(
        "panel.html",
        **_shown(record),
        late=services().now() - record.received_at > _SOON,
        opened=request.args.get("open") == "all",
        sources_at="",
        errors=errors or (),
        form=request.form,
        how_told=HOW_TOLD,
        newer=services().knowledge.version != record.interpretation.knowledge.version,
    )
    return make_response(body, status)


def _shown(record: PanelRecord) -> dict[str, Any]:
    """What the page of the answer and that of its reasons have in common."""
    made = view.build(order_of(services(), actor(), record))
    by_place = {result.where: result for result in record.interpretation.results}
    return {
        "record": record,
        "view": made,
        "sections": _ordered(made.sections),
        "page": _Page(by_place, _received_lines(record.panel)),
        "reviews": _reviews(record),
        "abbreviations": abbreviations.used_in(text.long_text(made)),
        "reasons_at": url_for("web.reasons", panel_id=record.id, version=_version()),
    }


def _ordered(sections: Iterable[Section]) -> list[Section]:
    """The sections in the page's order: what has to be acknowledged first, doubts before results.

    Doubts that no check found stand where the report has them.
    """
    held = list(sections)
    first = [section for section in held if section.id in _FIRST]
    doubts = [
        section for section in held if section.id == "sample_doubts" and section.tone != "plain"
    ]
    ordered = first + [section for section in held if section not in first]
    for section in doubts:
        ordered.remove(section)
        ordered.insert([one.id for one in ordered].index("results"), section)
    return ordered


def _received_lines(panel: Any) -> dict[str, str]:
    """The line each result was read from, by its place."""
    return {
        str(result.get("where", f"results[{index}]")): str(result["as_received"])
        for index, result in enumerate(panel.get("results", ()))
        if result.get("as_received")
    }


def _reviews(record: PanelRecord) -> dict[str, str]:
    """Who reviewed each rule, and when, by the knowledge in use (maybe newer than the answer's)."""
    held = services().knowledge
    groups: tuple[Any, ...] = (
        held.artefacts,
        held.patterns,
        held.mechanisms,
        held.red_flags,
        held.urgency_rules,
    )
    rules = {rule.id: rule for group in groups for rule in group.values()}
    answer = record.interpretation
    named = (*answer.artefacts, *answer.patterns, *answer.mechanisms, *answer.twitching.red_flags)
    return {
        finding.rule: _review(rules[finding.rule].review)
        for finding in named
        if finding.rule in rules
    }


def _review(review: Review | None) -> str:
    if review is None:
        return ""
    by = f"by {review.checked_by}" if review.checked_by else "not checked by a second person"
    on = f", {review.reviewed_on}" if review.reviewed_on else ""
    return f"{review.status}, {by}{on}"


def _download(body: str, media_type: str) -> Response:
    response = make_response(body)
    response.headers["Content-Type"] = media_type
    return response
