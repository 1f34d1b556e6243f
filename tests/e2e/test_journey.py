"""The whole way, paste → check → result → PDF → send: by keyboard alone, and with scripts off."""

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import sign_in
from tests.e2e.test_pages import fill
from tests.unit.web.browsing import ABOUT, FIVE_LINES, PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def focused(page):
    return page.evaluate(
        "(e => e.innerText || e.id || e.name || e.tagName)(document.activeElement)"
    ).strip()


def tab_to(page, wanted, at_most=200):
    """Press Tab until the element with this id or text has the focus."""
    for _ in range(at_most):
        page.keyboard.press("Tab")
        element = page.evaluate("(e => [e.id, (e.innerText || '').trim()])(document.activeElement)")
        if wanted in element:
            return
    raise AssertionError(f"Tab never reached {wanted}; last {focused(page)}")


@pytest.mark.parametrize("scripts", [True, False])
def test_from_pasting_to_sending_with_the_keyboard_alone(open_page, site, scripts):
    page = open_page(scripts=scripts)
    page.goto("/login")
    tab_to(page, "email")
    page.keyboard.type("ann@example.org")
    tab_to(page, "password")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/")
    tab_to(page, "New panel")
    page.keyboard.press("Enter")
    page.wait_for_url("**/panels/new")
    assert focused(page) == "text"
    page.keyboard.insert_text(FIVE_LINES)
    for field in (
        "identifier",
        "issuer",
        "birth-day",
        "birth-month",
        "birth-year",
        "sample-day",
        "sample-month",
        "sample-year",
    ):
        tab_to(page, field)
        page.keyboard.type(ABOUT[field])
    page.keyboard.press("Enter")
    page.wait_for_selector("text=5 understood")
    tab_to(page, "Confirm and interpret")
    page.keyboard.press("Enter")
    page.wait_for_selector("#results")
    site.draw()
    page.reload()
    tab_to(page, "email")
    page.keyboard.type("clinician@example.org")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Read each address once more")
    tab_to(page, "Send")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=clinician@example.org: ")


def test_from_pasting_to_sending_with_scripts_off(open_page, site):
    page = open_page(scripts=False)
    sign_in(page)
    fill(page, FIVE_LINES)
    page.get_by_role("button", name="Confirm and interpret").click()
    expect(page.get_by_text("The PDF waits to be drawn")).to_be_visible()
    site.draw()
    page.get_by_role("link", name="Check again").click()
    page.reload()
    link = page.get_by_role("link", name="(PDF)")
    answer = page.request.get(link.get_attribute("href"))
    assert answer.body().startswith(b"%PDF")
    page.get_by_label("Send to").fill("clinician@example.org")
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("clinician@example.org: ")).to_be_visible()


def test_the_line_about_the_pdf_changes_by_itself_with_scripts(open_page, site):
    page = open_page()
    sign_in(page)
    fill(page, FIVE_LINES)
    page.get_by_role("button", name="Confirm and interpret").click()
    site.draw()
    page.wait_for_selector("#pdf >> text=The PDF is ready", timeout=10_000)


def test_an_answer_picked_by_button_settles_a_line_with_scripts_off(open_page):
    page = open_page(scripts=False)
    sign_in(page)
    fill(page, "Vitamin B12 1,250 pg/mL\nSodium 139 mmol/L")
    page.get_by_role("button", name="1250", exact=True).click()
    expect(page.get_by_text("2 understood")).to_be_visible()


def test_someone_about_to_be_signed_out_is_warned_and_can_stay(open_page):
    page = open_page()
    page.clock.install()
    sign_in(page)
    page.goto("/panels/new")
    page.get_by_role("textbox", name="Paste from the record").fill("Potassium 2.4")
    page.clock.fast_forward("28:30")
    page.get_by_role("button", name="Stay signed in").click()
    page.wait_for_selector("text=Stay signed in", state="detached")
    assert (
        page.get_by_role("textbox", name="Paste from the record").input_value() == "Potassium 2.4"
    )


def test_the_focus_is_never_hidden_under_the_patients_strip(open_page):
    page = open_page(320)
    sign_in(page)
    fill(page, FIVE_LINES)
    page.get_by_role("button", name="Confirm and interpret").click()
    strip = page.locator(".strip").bounding_box()["height"]
    for _ in range(60):
        page.keyboard.press("Shift+Tab")
        box = page.evaluate(
            "(e => [e.closest('.site, .skip, .demo') !== null, e.getBoundingClientRect().bottom])(document.activeElement)"
        )
        assert box[0] or box[1] > strip, focused(page)
