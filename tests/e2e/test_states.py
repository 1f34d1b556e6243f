"""Every further page, and every state of the result: axe finds nothing, nothing scrolls sideways.

`make check` looks at the states that differ most, at the narrowest and the widest width; `make prove`
(PAGES=all) at every state, at three widths and with every disclosure open.
"""

import re

import pytest
from playwright.sync_api import expect

from labinterp.access import one_time
from tests.e2e.conftest import CHIEF, sign_in, violations
from tests.e2e.states import Shelf
from tests.e2e.test_pages import ALL, sideways
from tests.unit.web.browsing import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WIDTHS = (320, 768, 1280) if ALL else (320, 1280)
OFTEN = ("doubtful", "all_unknown")
RARELY = ("corrected", "severe", "quiet", "forty", "long_names", "superseded", "withdrawn")
EVERY_RESULT = (*OFTEN, *RARELY)


@pytest.fixture
def shelf(site):
    return Shelf(site.services)


def assert_fits(page, state):
    """At every width: no violation, no sideways scroll, and nothing asked of another site."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert violations(page) == [], (state, width)
        assert sideways(page) <= 0, (state, width)
    assert page.strangers == [], state


def open_all(page):
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")


@pytest.mark.parametrize("state", EVERY_RESULT if ALL else OFTEN)
def test_a_result_in_every_state(open_page, site, shelf, state):
    path = getattr(shelf, state)()
    site.draw()
    page = open_page()
    sign_in(page)
    page.goto(path)
    assert_fits(page, state)
    if ALL or state == OFTEN[0]:
        page.goto(path.partition("?")[0] + "/reasons")
        assert_fits(page, f"{state}, why and how")
    if ALL:
        page.goto(path + ("&" if "?" in path else "?") + "open=all")
        open_all(page)
        assert_fits(page, f"{state}, everything opened")


@pytest.mark.parametrize("state", ["many_samples", "one_sample"] if ALL else ["many_samples"])
def test_a_history(open_page, shelf, state):
    path = getattr(shelf, state)()
    page = open_page()
    sign_in(page)
    page.goto(path)
    assert_fits(page, state)
    if state == "many_samples":
        page.get_by_role("link", name="Older samples").first.click()
        page.wait_for_selector("text=Page 2 of 2")
        if ALL:
            assert_fits(page, "older samples")


def test_users_and_keys(open_page):
    page = open_page()
    sign_in(page, CHIEF)
    page.goto("/administration")
    open_all(page)
    assert_fits(page, "users and keys")
    page.get_by_label("Name of the key").fill("Ward system")
    page.get_by_role("button", name="Make the key").click()
    assert page.locator("#copy-source").inner_text().startswith("li_")
    if not ALL:
        return
    assert_fits(page, "a key, shown once")
    page.goto("/administration")
    page.get_by_role("button", name="Add, and make a sign-in link").click()
    assert page.title().startswith("Error:")
    assert_fits(page, "a user without a name")


def test_the_link_of_a_mail_for_who_has_no_account(open_page):
    page = open_page()
    page.goto("/r/" + "x" * 43)
    assert_fits(page, "sign in, or a code")
    page.get_by_role("button", name="Mail me a code").click()
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Open the report").click()
    assert page.title().startswith("Error:")
    assert_fits(page, "a wrong code")


@pytest.mark.parametrize("width", [320, 1280])
def test_a_row_of_results_is_a_row_for_who_does_not_see_it(open_page, shelf, width):
    """Laid out as a card or not: the browser's own tree has the table, its headers and cells."""
    page = open_page(width)
    sign_in(page)
    page.goto(shelf.quiet())
    table = page.get_by_role("table", name="Results, each with its flag")
    row = table.get_by_role("row").filter(has_text="Sodium")
    expect(row.get_by_role("rowheader", name="Sodium")).to_be_visible()
    assert row.get_by_role("cell").count() == 4 + (table.locator(".compared").count())
    assert table.get_by_role("columnheader", include_hidden=False).count() >= 5


def test_ones_own_account_and_what_would_differ(open_page, shelf):
    path = shelf.quiet()
    page = open_page()
    sign_in(page)
    page.goto("/account")
    assert_fits(page, "account")
    page.goto(f"{path}/differences")
    assert_fits(page, "differences")


def test_a_second_factor_is_set_up_and_asked_for_without_scripts(open_page, site):
    page = open_page(scripts=False)
    sign_in(page)
    page.goto("/account")
    page.get_by_role("link", name="Set up a second factor").click()
    shared = one_time.decoded(page.locator("#secret").inner_text())
    page.get_by_label("Code", exact=True).fill(one_time.code_at(shared, site.services.now()))
    page.get_by_role("button", name="Use this authenticator").click()
    codes = page.locator("#copy-source").inner_text().split()
    assert len(codes) == one_time.RECOVERY_CODES
    other = open_page()
    other.goto("/login")
    other.get_by_label("E-mail address").fill("ann@example.org")
    other.get_by_label("Password").fill(PASSWORD)
    other.get_by_role("button", name="Sign in").click()
    other.get_by_role("heading", name="Code of your authenticator").wait_for()
    assert_fits(other, "code of the authenticator")
    other.get_by_label("Code", exact=True).fill(codes[0])
    other.get_by_role("button", name="Sign in").click()
    other.wait_for_url("**/")
    other.goto("/account/second-factor")
    assert_fits(other, "second factor")


def test_a_red_line_tells_of_a_late_critical_report_and_can_be_read(open_page, monkeypatch):
    monkeypatch.setattr("labinterp.web.site._late_critical", lambda: 2)
    page = open_page()
    sign_in(page)
    page.goto("/deliveries")
    assert_fits(page, "deliveries")


def test_a_five_line_paste_is_two_clicks_from_its_result(open_page):
    page = open_page()
    sign_in(page)
    page.goto("/panels/new")
    page.get_by_role("textbox", name="Paste from the record").fill(
        "MRN: TEST-1\nDOB: 3 Feb 1972\nCollected: 2026-11-20T08:05:00Z\n"
        "Potassium 2.9 mmol/L (3.5-5.3) L\nMagnesium 0.60 mmol/L (0.70-1.00) L"
    )
    page.get_by_role("button", name="Check what was understood").first.click()
    page.get_by_role("button", name="Confirm and interpret").click()
    page.wait_for_selector("#results")


def test_with_the_systems_own_colours_every_mark_can_still_be_told(open_page, shelf):
    """Hollow stays hollow and solid stays solid: the difference may not hang on a colour of ours."""
    path = shelf.many_samples()
    page = open_page(forced_colors="active")
    sign_in(page)
    page.goto(path)
    fill = "e => getComputedStyle(e).fill"
    solid = page.locator(".tr-point").first.evaluate(fill)
    hollow = page.locator(".tr-hollow").first.evaluate(fill)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    ink = page.evaluate("getComputedStyle(document.body).color")
    assert (solid, hollow) == (ink, ground)
    strokes = page.locator(".tr-join, .tr-arrow, .nl-end").evaluate_all(
        "all => all.map(e => getComputedStyle(e).stroke)"
    )
    assert set(strokes) == {ink}


def test_paper_holds_what_the_page_has_folded_away_and_no_button(open_page, shelf):
    path = shelf.severe()
    page = open_page(scripts=False)
    sign_in(page)
    page.goto(path)
    page.emulate_media(media="print")
    seen = page.locator("#sources li").first
    expect(seen).to_be_visible()
    expect(page.get_by_text("Less common (")).to_be_visible()
    expect(page.get_by_role("button", name="Send")).not_to_be_visible()
    expect(page.get_by_role("link", name="Correct this panel")).not_to_be_visible()


def test_a_link_to_a_source_opens_what_it_is_folded_into(open_page, shelf):
    page = open_page(320)
    sign_in(page)
    page.goto(shelf.severe())
    expect(page.locator("#sources li").first).not_to_be_visible()
    page.locator("a[href^='#s']:not([href='#sources'])").first.click()
    target = re.sub(r".*#", "", page.url)
    expect(page.locator(f"#{target}")).to_be_visible()


def test_text_in_the_history_is_never_smaller_than_eleven_pixels(open_page, shelf):
    page = open_page(320)
    sign_in(page)
    page.goto(shelf.many_samples())
    sizes = page.evaluate(
        "[...document.querySelectorAll('svg.tr text')].map(t => "
        "parseFloat(getComputedStyle(t).fontSize) * t.ownerSVGElement.getBoundingClientRect().width"
        " / t.ownerSVGElement.viewBox.baseVal.width)"
    )
    assert sizes
    assert min(sizes) >= 11
