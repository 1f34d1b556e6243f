"""From a panel to the mail that is handed over, beside the drawing of its report alone."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks import drawing, wiring
from benchmarks.measure import Figure, beside
from labinterp.formats import json_panel
from labinterp.interpretation import interpret
from labinterp.usecases import delivery_work, report_work

PANELS = 4


def figures() -> list[Figure]:
    """Processor time: draw and send what is due, and the whole journey with it."""
    with tempfile.TemporaryDirectory() as name:
        services, mailer, actor = wiring.services_in(Path(name))
        numbers = iter(range(10**6))

        def accept() -> None:
            told = {"deliver": {"email": ["clinician@example.org"], "as": "link"}}
            for _ in range(PANELS):
                wiring.accepted(services, actor, wiring.panel_of(f"TEST-{next(numbers)}", **told))

        def hand_over() -> None:
            drawn = report_work.draw_due(services, "bench", PANELS)
            sent = delivery_work.deliver_due(services, "bench", PANELS)
            if (drawn, sent) != (PANELS, PANELS):
                raise SystemExit(f"{drawn} drawn and {sent} sent of {PANELS}: no ratio is printed")

        received = json_panel.received_of(wiring.panel_of("TEST-0"), services.now())
        order = drawing.order_of(received, interpret(received.submission, services.knowledge))

        def draw() -> None:
            for _ in range(PANELS):
                services.draw(order)

        def journey() -> None:
            accept()
            hand_over()

        journey()
        if len(mailer.mails) != PANELS:
            raise SystemExit("a mail is missing: no ratio is printed")
        return [
            beside(
                "accepted, drawn, mail handed over (processor time)",
                "the same reports drawn in a loop",
                journey,
                draw,
                rounds=5,
                part="P7",
                goal=1.25,
                note="in one process on SQLite; no broker and no mail server take part",
            )
        ]
