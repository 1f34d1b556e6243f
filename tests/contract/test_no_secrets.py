"""No file that is kept holds a secret: keys, tokens, passwords in addresses, private keys."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHAPES = {
    "a private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----",
    "a key of this service": r"\bli_[0-9a-f]{12}_[A-Za-z0-9_-]{43}\b",
    "an access token of this service": r"\blit_[A-Za-z0-9_-]{40,}",
    "a secret of an endpoint": r"\bwhsec_[A-Za-z0-9+/=_-]{24,}",
    "a key of AWS": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a token of GitHub": r"\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bgithub_pat_[A-Za-z0-9_]{50,}",
    "a token of GitLab or Slack": r"\bglpat-[\w-]{20,}|\bxox[abprs]-[\w-]{10,}",
    "a token of PyPI or npm": r"\bpypi-[\w-]{50,}|\bnpm_[A-Za-z0-9]{36}\b",
    "a key of Google or Stripe": r"\bAIza[\w-]{35}\b|\b[sr]k_live_[0-9A-Za-z]{20,}",
    "a signed token": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}",
    "a password in an address": r"\b[a-z][a-z0-9+.-]{2,}://[^\s:/@'\"<>{}$…]{1,60}:[^\s:/@'\"<>{}$…]{3,60}@",
    "a secret that is set": r"(?i)\b\w{0,30}(?:secret|password|passwd|api_?key|token|data_key)\w{0,30}['\"]?\s*[:=]\s*"
    r"['\"](?=[^'\"]*[0-9])(?=[^'\"]*[A-Za-z])[A-Za-z0-9+/=_-]{20,}['\"]",
}
INVENTED = {
    ("tests/unit/api/test_webhooks.py", "a secret of an endpoint"): "of the published example",
    ("tests/unit/api/test_webhooks.py", "a password in an address"): "refused by the test",
    ("tests/unit/test_outbound.py", "a password in an address"): "refused by the test",
    ("tests/unit/test_config.py", "a password in an address"): "of a database that never was",
    ("tests/unit/cli/test_exposed.py", "a password in an address"): "of a database that never was",
    ("tests/unit/cli/test_exposed.py", "a secret that is set"): "made up for the test of settings",
    ("tests/contract/test_deploy.py", "a password in an address"): "of a database that never was",
    ("docs/how-to/deploy.md", "a password in an address"): "the word PASSWORD, to be replaced",
    ("tests/unit/test_config.py", "a secret that is set"): "made up for the test of settings",
}
"""What looks like a secret and is none: file and kind, and why."""


def kept():
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, timeout=60
    )
    return sorted(name for name in listed.stdout.decode().split("\0") if name)


def found():
    shapes = {kind: re.compile(shape) for kind, shape in SHAPES.items()}
    seen = set()
    for name in kept():
        path = ROOT / name
        if not path.is_file() or name.endswith((".ttf", ".png", ".icc", ".pdf")):
            continue
        text = path.read_text("utf-8", "replace")
        seen |= {(name, kind) for kind, shape in shapes.items() if shape.search(text)}
    return seen


def test_no_secret_is_kept():
    assert sorted(found() ^ set(INVENTED)) == [], "new ones, or exceptions that are not needed"


def test_no_file_of_secrets_is_kept():
    named = re.compile(r"(?:^|/)(?:\.env|secret_key|id_rsa|.*\.(?:pem|key|p12|pfx|jks|kdbx))$")
    assert [name for name in kept() if named.search(name)] == []


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        ("a private key", ("-----BEGIN RSA ", "PRIVATE KEY-----")),
        ("a key of this service", ("li_0123456789ab_", "A" * 43)),
        ("a key of AWS", ("AKIA", "ABCDEFGHIJKLMNOP")),
        ("a token of GitHub", ("ghp_", "a1" * 18)),
        ("a signed token", ("eyJhbGciOiJub25l.", "eyJzdWIiOiJub2JvZHki.", "x" * 30)),
        ("a password in an address", ("postgresql://service:", "dVb7Kq2@db.internal/x")),
        ("a secret that is set", ('SECRET_KEY = "', 'q8Zr1VxN5uTmW3bKcPf0"')),
    ],
)
def test_what_is_looked_for_is_seen(kind, parts):
    assert re.search(SHAPES[kind], "".join(parts))
