"""A person with a browser, for tests: follows forms as a browser does, tokens and all."""

import re
from html.parser import HTMLParser

from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

FIVE_LINES = """Magnesium 1.1 mg/dL (1.7-2.2) L
Potassium 2.9 mmol/L (3.5-5.3) L
Calcium 7.2 mg/dL (8.5-10.5) L
Albumin 4.1 g/dL
Sodium 139 mmol/L"""

PASSWORD = "correct horse battery"
ABOUT = {
    "identifier": "MRN-1",
    "issuer": "urn:example:mrn",
    "family": "Example",
    "given": "Anna",
    "birth-day": "3",
    "birth-month": "2",
    "birth-year": "1972",
    "sex": "female",
    "sample-day": "20",
    "sample-month": "11",
    "sample-year": "2026",
    "sample-time": "08:05",
    "zone": "Europe/London",
    "symptom": ["facial-twitch", "carpopedal-spasm"],
    "medications": "omeprazole",
}


class Form(HTMLParser):
    """The forms of a page with their hidden fields and what is filled in."""

    def __init__(self, html):
        super().__init__()
        self.forms, self._area = [], None
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        held = dict(attrs)
        if tag == "form":
            self.forms.append((held.get("action", ""), []))
        elif tag == "input" and self.forms and held.get("name"):
            chosen = held.get("type") not in ("checkbox", "radio") or "checked" in held
            if chosen and held.get("type") != "file":
                self.forms[-1][1].append((held["name"], held.get("value", "")))
        elif tag == "textarea" and self.forms:
            self._area = held.get("name")
        elif tag == "select" and self.forms:
            self._select = held.get("name")
            self.forms[-1][1].append((self._select, ""))
        elif tag == "option" and "selected" in held and self.forms:
            self.forms[-1][1][-1] = (self._select, held.get("value", ""))

    def handle_data(self, text):
        if self._area:
            self.forms[-1][1].append((self._area, text.removeprefix("\n")))
            self._area = None

    def handle_endtag(self, tag):
        if tag == "textarea":
            self._area = None


def fields(html, action_ends):
    """What the form whose action ends so would send."""
    for action, held in Form(html).forms:
        if action.endswith(action_ends):
            return dict(reversed(held))
    raise AssertionError(f"no form for {action_ends}")


def said(html):
    """The page's words without its markup, blanks folded."""
    plain = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", html, flags=re.DOTALL)
    plain = re.sub(r"<[^>]+>", " ", plain)
    for code, sign in (
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&#39;", "'"),
        ("&#34;", '"'),
        ("&amp;", "&"),
    ):
        plain = plain.replace(code, sign)
    return " ".join(plain.replace("\u00a0", " ").split())


class Person:
    """Someone at a browser, signed in or not."""

    def __init__(self, client):
        self.client = client

    def get(self, path, status=200):
        answer = self.client.get(path)
        assert answer.status_code == status, (path, answer.status_code, said(answer.text)[:600])
        return answer.text

    def send(self, page, action, more, status=303):
        """Fill a form of the page and press its button; where it led, or the page that came back."""
        held = fields(page, action) | more
        path = next(
            form_action for form_action, _ in Form(page).forms if form_action.endswith(action)
        )
        files = {name: FileStorage(*one) for name, one in held.items() if isinstance(one, tuple)}
        boundary, body = encode_multipart(held | files)
        answer = self.client.post(
            path, data=body, content_type=f'multipart/form-data; boundary="{boundary}"'
        )
        assert answer.status_code == status, (path, answer.status_code, said(answer.text)[:900])
        return answer.headers["Location"] if status == 303 else answer.text

    def sign_in(self, email="ann@example.org", password=PASSWORD):
        return self.send(self.get("/login"), "/login", {"email": email, "password": password})

    def check(self, text=FIVE_LINES, status=200, **more):
        return self.send(
            self.get("/panels/new"), "/panels/new", {"text": text} | ABOUT | more, status
        )

    def confirm(self, page, **more):
        return self.send(page, "/panels/check", {"confirm": "1"} | more)

    def enter(self, text=FIVE_LINES, **more):
        """Paste, check, confirm; the address of the result page."""
        return self.confirm(self.check(text, **more))
