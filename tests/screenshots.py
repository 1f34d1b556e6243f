"""`make screenshots`: the pictures of README and docs, taken of the real service with invented data.

    python -m tests.screenshots docs/images

Each picture is small (few colours, no shadow) and shows the first screen of a page, so that a page
that changed is a picture that changed.
"""

import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from tests.e2e.conftest import ARGUMENTS, CHROMIUM, running, sign_in
from tests.e2e.states import Shelf

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
WIDE, TALL, NARROW = 1080, 760, 360
COLOURS = 128
PASTED = """Name: Example, Anna   DOB: 3 Feb 1972   Sex: F
MRN: TEST-0417
Collected: 2026-11-20T08:05:00Z

Magnesium 0.45 mmol/L (0.70-1.00) L
Potassium 2.9 mmol/L (3.5-5.3) L
Calcium 7.2 mg (8.5-10.5) L
Vitamin B12 1,250 pg/mL
Please ring the ward"""


def main(folder):
    """Take every picture anew."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, running(data, {}, now=clock()) as site:
        shelf = Shelf(site.services)
        history = shelf.many_samples()
        severe = shelf.newest
        site.draw()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            wide = browser.new_page(
                base_url=site.url, viewport={"width": WIDE, "height": TALL}, color_scheme="light"
            )
            sign_in(wide)
            taken(wide, folder / "start.png", "/")
            taken(wide, folder / "result.png", severe)
            taken(wide, folder / "results.png", severe, at="#results")
            taken(wide, folder / "history.png", history)
            wide.goto("/panels/new")
            wide.get_by_role("textbox", name="Paste from the record").fill(PASTED)
            taken(wide, folder / "new-panel.png")
            wide.get_by_role("button", name="Check what was understood").first.click()
            wide.wait_for_selector("#count")
            taken(wide, folder / "check.png")
            narrow = browser.new_page(
                base_url=site.url, viewport={"width": NARROW, "height": TALL}, color_scheme="light"
            )
            sign_in(narrow)
            taken(narrow, folder / "result-narrow.png", severe)
            pdf = Path(data) / "report.pdf"
            pdf.write_bytes(wide.request.get(f"{severe}/report.pdf").body())
            browser.close()
        drawn(pdf, folder / "report.png")


def clock():
    """The same day at every run; no two moments are equal, so that lists have one order."""
    ticks = count()
    return lambda: NOW + timedelta(milliseconds=next(ticks))


def taken(page, picture, path="", at=""):
    """The screen after opening this path, from this element on."""
    if path:
        page.goto(path)
    if at:
        page.locator(at).evaluate("e => window.scrollTo(0, e.offsetTop - 70)")
    page.evaluate("document.activeElement.blur()")
    page.screenshot(path=picture, animations="disabled")
    small(picture)


def drawn(pdf, picture):
    """The first page of a document."""
    stem = str(picture.with_suffix(""))
    subprocess.run(
        ["pdftoppm", "-png", "-r", "80", "-f", "1", "-singlefile", str(pdf), stem], check=True
    )
    small(picture)


def small(picture):
    """The same with few colours: a third of the size, and nobody sees it."""
    with Image.open(picture) as image:
        few = image.convert("RGB").quantize(
            COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
        )
    few.save(picture, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
