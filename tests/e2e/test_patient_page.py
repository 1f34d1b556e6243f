"""The page for the patient in a browser: seen first, released, read narrow and wide, on paper, without scripts."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import sign_in
from tests.e2e.test_pages import assert_fit, fill

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SHOWN = os.environ.get("SCREENSHOTS")  # noqa: TID251 - where whoever looks at pictures wants them
QUIET = """Magnesium 0.62 mmol/L (0.70-1.00) L
25-OH vitamin D 40 nmol/L
Creatinine 80 umol/L
Sodium 139 mmol/L"""
URGENT = "Potassium 2.0 mmol/L (3.5-5.3) L\nMagnesium 0.3 mmol/L (0.7-1.0) L\nGlucose 4.9 mmol/L"


@pytest.fixture
def settings():
    return {"PATIENT_PAGE": "true", "PATIENT_CONTACT": "the practice, 020 7946 0000"}


def picture(page, name):
    if SHOWN:
        page.screenshot(path=Path(SHOWN) / f"{name}.png", full_page=True)


@pytest.mark.parametrize(
    ("width", "scripts", "text", "language"),
    [
        (320, True, URGENT, "Deutsch"),
        (768, False, QUIET, "français"),
        (1280, True, QUIET, "English"),
    ],
)
def test_it_is_seen_released_read_and_withdrawn(open_page, width, scripts, text, language):
    page = open_page(width, scripts=scripts)
    fits = assert_fit if scripts else (lambda *_: None)  # axe is a script
    sign_in(page)
    fill(page, text)
    page.get_by_role("button", name="Confirm and interpret").click()
    path = page.url
    chosen = f"{language} (not checked clinically)"
    page.get_by_label("Language", exact=True).select_option(label=chosen)
    page.get_by_role("button", name="Show the page first").click()
    fits(page, "preview")
    picture(page, f"preview-{width}")
    page.get_by_role("button", name="Release to the patient").click()
    assert page.url == f"{path}/patient"
    fits(page, "released")
    picture(page, f"released-{width}")
    page.emulate_media(forced_colors="active")
    picture(page, f"forced-{width}")
    page.emulate_media(media="print", forced_colors="none")
    picture(page, f"print-{width}")
    expect(page.get_by_role("link", name="Back to the panel")).not_to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.strangers == []
    page.emulate_media(media="screen")
    page.goto(path)
    assert "Released by Ann Example" in page.content()
    fits(page, "the panel with a released page")
    page.get_by_role("button", name="Withdraw the patient page").click()
    assert "Not released." in page.content()
