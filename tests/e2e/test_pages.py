"""Every page in its states: axe finds nothing, and nothing scrolls sideways.

`make check` looks at the narrowest width, where least fits, and at results also at the widest (see
test_states.py); `make prove` (PAGES=all) at three.
"""

import os

import pytest

from tests.e2e.conftest import sign_in, violations
from tests.unit.web.browsing import ABOUT, FIVE_LINES

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ALL = os.environ.get("PAGES") == "all"  # noqa: TID251 - who runs the tests says how many
WIDTHS = (320, 768, 1280) if ALL else (320,)
CRITICAL = """Potassium 2.0 mmol/L (3.5-5.3) L
Magnesium 0.3 mmol/L (0.7-1.0) L
Calcium 1.6 mmol/L (2.2-2.6) L
Albumin 41 g/L
Vitamin B12 <50 pg/mL"""
TO_SETTLE = """Vitamin B12 1,250 pg/mL
Magnesium 1.1 mg
Please ring the ward
Sodium 139 mmol/L"""


def fill(page, text, **more):
    page.goto("/panels/new")
    page.get_by_role("textbox", name="Paste from the record").fill(text)
    for name, value in (ABOUT | more).items():
        if name in ("sex", "pregnant"):
            page.locator(f"input[name={name}][value={value}]").check()
        elif name not in {"symptom", "medications"}:
            page.locator(f"[name='{name}']").fill(value)
    page.get_by_role("button", name="Check what was understood").first.click()


def sideways(page):
    return page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )


def assert_fit(page, state):
    assert violations(page) == [], state
    assert sideways(page) <= 0, state


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_open_to_all(open_page, width):
    page = open_page(width)
    for path in ("/login", "/login/link/abc", "/help", "/accessibility", "/privacy", "/nowhere"):
        page.goto(path)
        assert_fit(page, path)
    page.goto("/login")
    page.get_by_role("button", name="Sign in").click()
    assert_fit(page, "sign-in with errors")


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_before_anything_is_entered(open_page, width):
    page = open_page(width)
    sign_in(page)
    for path in (
        "/",
        "/panels",
        "/deliveries",
        "/deliveries?show=failed",
        "/panels/new",
        "/panels/none",
    ):
        page.goto(path)
        assert_fit(page, path)
    page.goto("/panels/new")
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert_fit(page, "all of the entry form")


@pytest.mark.parametrize("width", WIDTHS)
def test_the_knowledge_browser(open_page, width):
    page = open_page(width)
    sign_in(page)
    for path in (
        "/knowledge",
        "/knowledge?kind=rules",
        "/knowledge?kind=sources",
        "/knowledge/magnesium",
    ):
        page.goto(path)
        assert_fit(page, path)


@pytest.mark.parametrize("width", WIDTHS)
def test_entering_with_errors_and_questions(open_page, width):
    page = open_page(width)
    sign_in(page)
    fill(page, "")
    assert page.title().startswith("Error:")
    assert page.evaluate("document.activeElement.id") == "errors"
    assert_fit(page, "nothing entered")
    fill(page, "hello", **{"birth-month": "13"})
    assert_fit(page, "a field that cannot be read")
    fill(page, TO_SETTLE)
    assert_fit(page, "lines that need an answer")


@pytest.mark.parametrize("width", WIDTHS)
def test_a_result_in_its_states(open_page, site, width):
    page = open_page(width)
    sign_in(page)
    fill(page, CRITICAL)
    page.get_by_role("button", name="Confirm and interpret").click()
    assert_fit(page, "queued, critical")
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert_fit(page, "everything opened")
    path = page.url
    page.get_by_role("button", name="Acknowledge").click()
    assert_fit(page, "acknowledging with errors")
    page.get_by_label("Who was told").fill("Ward sister")
    page.get_by_label("How", exact=True).select_option("by telephone")
    page.get_by_label("Yes").check()
    page.get_by_role("button", name="Acknowledge").click()
    site.draw()
    page.goto(path)
    assert_fit(page, "ready, acknowledged")
    page.get_by_label("Send to").fill("clinician@example.org")
    page.get_by_role("button", name="Send", exact=True).click()
    assert_fit(page, "addresses shown back")
    page.get_by_role("button", name="Send", exact=True).click()
    assert_fit(page, "sent")
    for more in ("/text", "/correct"):
        page.goto(path.split("#")[0] + more)
        assert_fit(page, more)
    for path in ("/", "/panels", "/deliveries"):
        page.goto(path)
        assert_fit(page, f"{path} with a panel")


@pytest.mark.parametrize("width", WIDTHS)
def test_a_single_result_that_cannot_be_classified(open_page, width):
    page = open_page(width)
    sign_in(page)
    fill(page, "Magnesium <1.9 mg/dL", sex="unknown", identifier="", issuer="")
    page.get_by_role("button", name="Confirm and interpret").click()
    assert_fit(page, "one result, not classified, no PDF")


def test_text_at_twice_the_size_still_fits(open_page):
    page = open_page(640)
    sign_in(page)
    fill(page, FIVE_LINES)
    page.get_by_role("button", name="Confirm and interpret").click()
    page.evaluate("document.documentElement.style.setProperty('font-size', '200%')")
    assert sideways(page) <= 0


def test_no_request_leaves_the_site(open_page):
    page = open_page()
    sign_in(page)
    fill(page, FIVE_LINES)
    page.get_by_role("button", name="Confirm and interpret").click()
    page.wait_for_load_state("networkidle")
    assert page.strangers == []


def test_words_in_drawings_are_readable(open_page):
    page = open_page(320)
    sign_in(page)
    fill(page, FIVE_LINES)
    page.get_by_role("button", name="Confirm and interpret").click()
    page.wait_for_selector("#results")
    sizes = page.evaluate(
        "[...document.querySelectorAll('.line svg text, svg.pp text')].map(t => "
        "parseFloat(getComputedStyle(t).fontSize) * t.ownerSVGElement.getBoundingClientRect().width"
        " / t.ownerSVGElement.viewBox.baseVal.width)"
    )
    assert sizes
    assert min(sizes) >= 11


def test_targets_are_large_enough_to_hit(open_page):
    page = open_page(320)
    sign_in(page)
    fill(page, FIVE_LINES)
    page.get_by_role("button", name="Confirm and interpret").click()
    small = page.evaluate(
        "[...document.querySelectorAll('button, summary, .button, input, select')]"
        ".filter(e => e.offsetParent && e.type !== 'hidden')"
        ".map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])"
        ".filter(([, r]) => r.height < 24 || r.width < 24).map(([html]) => html)"
    )
    assert small == []
