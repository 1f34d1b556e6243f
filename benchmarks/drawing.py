"""The report as a PDF beside a plain page with the same font, and beside WeasyPrint's."""

from __future__ import annotations

import io
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from pypdf import PdfReader
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table

from benchmarks import panels, wiring
from benchmarks.measure import Figure, beside
from labinterp.formats import json_panel
from labinterp.interpretation import interpret
from labinterp.knowledge import load
from labinterp.model.report import ReportOrder
from labinterp.reporting import fonts, text
from labinterp.reporting.attached import bundle_inside
from labinterp.reporting.render import draw

if TYPE_CHECKING:
    from collections.abc import Callable

    from labinterp.model.interpretation import Interpretation
    from labinterp.model.submission import Received

LARGEST = 60_000
"""Without the attachment [bytes]."""


def figures() -> list[Figure]:
    """The ratios, after all were seen to name each result with its value."""
    received = json_panel.received_of(wiring.panel_of("TEST-1"), panels.RECEIVED)
    found = interpret(received.submission, load())
    order = order_of(received, found)
    paragraphs = [one for one in text.long_text(order).splitlines() if one.strip()]
    bare = draw(order).pdf
    inside = bundle_inside(order, load(), "https://labinterp.example/fhir")
    others: list[tuple[str, Callable[[], bytes], float]] = [
        (
            "a plain platypus page with the same words and font",
            lambda: _plain(found, paragraphs),
            1.5,
        )
    ]
    if find_spec("weasyprint") is not None:
        others.append(
            ("WeasyPrint's page of the same words", lambda: _woven(found, paragraphs), 0.25)
        )
    for name, made in [("ours", lambda: bare), *((name, make) for name, make, _ in others)]:
        _compare(name, made(), found)
    return [
        *(
            beside(
                "a report as PDF, tagged, with its pictures",
                name,
                lambda: draw(order),
                make,
                rounds=7,
                part="P6",
                goal=goal,
            )
            for name, make, goal in others
        ),
        beside(
            "a report as PDF with its FHIR Bundle inside",
            others[0][0],
            lambda: draw(order, inside),
            others[0][1],
            rounds=5,
            part="P6",
        ),
        Figure(
            "bytes of a report without its attachment",
            f"{LARGEST:,} bytes",
            (len(bare) / LARGEST,),
            len(bare) / 1e6,
            LARGEST / 1e6,
            "P6",
            1.0,
            "megabytes stand in the columns of time",
        ),
    ]


def order_of(received: Received, found: Interpretation) -> ReportOrder:
    """What the report is made from."""
    return ReportOrder(
        number="LI-2026-000001",
        version=1,
        status="final",
        interpretation=found,
        identity=received.identity,
        panel=received.panel,
        received_at=panels.RECEIVED,
        issued_at=panels.RECEIVED,
        collected_at=received.submission.collected_at,
        contact="",
        operator_line="",
        organisation="",
        panel_id="panel1",
    )


def _rows(found: Interpretation) -> list[list[str]]:
    return [
        [one.name, f"{one.reported.value} {one.reported.unit}", one.standing]
        for one in found.results
        if one.reported is not None
    ]


def _escaped(line: str) -> str:
    return line.replace("&", "&amp;").replace("<", "&lt;")


def _plain(found: Interpretation, paragraphs: list[str]) -> bytes:
    fonts.covered()
    style = ParagraphStyle("plain", fontName=fonts.REGULAR, fontSize=9, leading=12)
    table = Table(_rows(found), style=[("FONTNAME", (0, 0), (-1, -1), fonts.REGULAR)])
    made = io.BytesIO()
    story: list[Any] = [table, Spacer(1, 12)]
    story += [Paragraph(_escaped(line), style) for line in paragraphs]
    SimpleDocTemplate(made, pagesize=A4).build(story)
    return made.getvalue()


def _woven(found: Interpretation, paragraphs: list[str]) -> bytes:
    import weasyprint  # noqa: PLC0415 - `make bench` installs it

    rows = "".join(
        f"<tr><td>{'</td><td>'.join(map(_escaped, row))}</td></tr>" for row in _rows(found)
    )
    lines = "".join(f"<p>{_escaped(line)}</p>" for line in paragraphs)
    page = f"<html lang=en><style>body {{font: 9pt sans-serif}}</style><table>{rows}</table>{lines}"
    return bytes(weasyprint.HTML(string=page).write_pdf())


def _compare(name: str, document: bytes, found: Interpretation) -> None:
    words = "".join(page.extract_text() for page in PdfReader(io.BytesIO(document)).pages)
    squeezed = "".join(words.split())
    for result, amount, _ in _rows(found):
        if "".join(result.split()) not in squeezed or amount.split()[0] not in squeezed:
            raise SystemExit(f"{name} does not show {result}: no ratio is printed")
