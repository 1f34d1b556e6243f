"""A real Chromium before the real service, each test with a database of its own."""

import os
import shutil
import threading
from contextlib import contextmanager
from dataclasses import replace

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright
from waitress.server import create_server

from app import create_app
from labinterp import bootstrap
from labinterp.cli.serve import serve_until_stopped
from labinterp.jobs import InlineQueue
from labinterp.usecases import administer, journey
from tests.unit.web.browsing import PASSWORD

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
]
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")  # noqa: TID251 - who runs the tests names it
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOKED_AT = ("color-contrast", "th-has-data-cells")
"""What axe cannot decide and somebody did: text that a sticky column may overlap or that stands in
a drawing (all our colours are 4.5:1 or more on white and pale), and headings of groups of rows."""
SCOPES = ("panels:write", "panels:read", "deliveries:write", "knowledge:read")
CHIEF = "chief@example.org"


class Site:
    """The running service, with a hand on what its worker would do."""

    def __init__(self, services, url):
        self.services, self.url = services, url

    def draw(self):
        return journey.draw_due(self.services, "test", 10)


@pytest.fixture
def settings():
    """What a module sets otherwise than everyone."""
    return {}


@pytest.fixture(scope="session")
def seeded(tmp_path_factory):
    """A data directory with tables and people in it: made once, copied for every test."""
    folder = tmp_path_factory.mktemp("seeded")
    services = prepared(folder, {})
    services.store.engine.dispose()
    return folder


@pytest.fixture
def site(tmp_path, settings, seeded):
    shutil.copytree(seeded, tmp_path, dirs_exist_ok=True)
    with running(tmp_path, settings) as made:
        yield made


def prepared(folder, settings, **parts):
    """The wired parts over a database of this folder; one that is empty gets tables and people."""
    environment = {
        "DATA_DIR": str(folder),
        "CONTACT": "duty biochemist, extension 4000",
        "OPERATOR_LINE": "Run by the laboratory of Example Trust for evaluation.",
        **settings,
    }
    services = replace(bootstrap.services(environment), queue=InlineQueue(), **parts)
    bootstrap.upgrade(services)
    if not administer.organisations(services):
        add_people(services)
    return services


def add_people(services):
    organisation = administer.create_organisation(services, "Example Trust")
    administer.create_user(
        services,
        organisation.id,
        email="ann@example.org",
        name="Ann Example",
        scopes=SCOPES,
        password=PASSWORD,
    )
    administer.create_user(
        services,
        organisation.id,
        email=CHIEF,
        name="Chief Example",
        scopes=("admin",),
        password=PASSWORD,
    )


@contextmanager
def running(folder, settings, **parts):
    """The service over a database of its own in this folder, until the block ends."""
    services = prepared(folder, settings, **parts)
    sockets, stop = {}, threading.Event()
    server = create_server(
        create_app(services),
        map=sockets,
        host="127.0.0.1",
        port=0,
        threads=8,
        asyncore_use_poll=True,
    )
    thread = threading.Thread(target=serve_until_stopped, args=(server, sockets, stop, 5))
    thread.start()
    try:
        yield Site(services, f"http://127.0.0.1:{server.effective_port}")
    finally:
        stop.set()
        server.pull_trigger()
        thread.join(timeout=60)
        services.store.engine.dispose()


@pytest.fixture(
    scope="module"
)  # while it is there a loop runs, and no test of another file can have one
def browser():
    if shutil.which(CHROMIUM) is None:
        pytest.fail(f"There is no {CHROMIUM}: install chromium, or name a browser in CHROMIUM.")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def open_page(browser, site):
    """Opens a page of the site, of a given width, with scripts or without."""
    opened = []

    def opening(width=1280, scripts=True, **more):
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            java_script_enabled=scripts,
            base_url=site.url,
            **more,
        )
        opened.append(context)
        page = context.new_page()
        page.strangers = []
        page.on(
            "request",
            lambda asked: (
                None if asked.url.startswith(site.url) else page.strangers.append(asked.url)
            ),
        )
        return page

    yield opening
    for context in opened:
        context.close()


def sign_in(page, email="ann@example.org"):
    page.goto("/login")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/")


def violations(page):
    """What axe finds, in a form that reads well in a failing test."""
    asked = {
        "runOnly": {"type": "tag", "values": STANDARDS},
        "resultTypes": [
            "violations",
            "incomplete",
        ],  # what passed is not handed over: half the time
    }
    found = Axe().run(page, options=asked)
    doubted = [rule for rule in found.response["incomplete"] if rule["id"] not in LOOKED_AT]
    return [
        f"{rule['id']}: {node['html'][:160]}"
        for rule in (*found.response["violations"], *doubted)
        for node in rule["nodes"][:3]
    ]
