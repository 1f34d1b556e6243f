"""What was left open is named; what is meant to be open is not called a fault."""

from __future__ import annotations

import contextlib
import socket
import threading
from datetime import UTC, datetime

import pytest

from labinterp import bootstrap
from labinterp.cli import OURS, exposed, main
from tests.certificates import authority


def test_files_that_everybody_can_read_are_named_and_those_of_a_group_are_not(tmp_path):
    for name, mode in (("labinterp.db", 0o644), ("secret_key", 0o600), ("for-backup", 0o640)):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(mode)
    (tmp_path / "elsewhere").symlink_to(tmp_path / "labinterp.db")
    tmp_path.chmod(0o755)
    assert exposed.readable_by_others(tmp_path) == ("labinterp.db",)
    tmp_path.chmod(0o750)
    assert exposed.readable_by_others(tmp_path) == ()
    assert exposed.readable_by_others(tmp_path / "absent") == ()


@pytest.mark.parametrize(
    ("database", "broker", "named"),
    [
        ("sqlite:////data/labinterp.db", "redis://127.0.0.1:6379/0", ()),
        ("postgresql://u:p@localhost/x", "unix:///run/redis.sock", ()),
        ("postgresql://u@/x?host=/run/postgresql", "redis+socket:///run/redis.sock", ()),
        ("postgresql://u:p@db/x?sslmode=verify-full", "rediss://r:6379/0", ()),
        ("postgresql+psycopg://u:p@db/x?sslmode=prefer", "rediss://r/0", ("DATABASE_URL",)),
        ("postgresql://u:p@db/x", "redis://:p@r:6379/0", ("DATABASE_URL", "REDIS_URL")),
    ],
)
def test_lines_over_a_network_without_tls_are_named(database, broker, named):
    assert exposed.in_the_clear(database, broker) == named


def test_doctor_notes_what_is_exposed_and_says_what_to_do(services, tmp_path, monkeypatch, capsys):
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)
    (folder / "labinterp.db").touch()
    (folder / "labinterp.db").chmod(0o644)
    chosen = bootstrap.settings({"DATA_DIR": str(folder), "REDIS_URL": "redis://r.internal/0"})
    monkeypatch.setattr(bootstrap, "settings", lambda *_: chosen)
    monkeypatch.setattr(bootstrap, "services", lambda *_: services)
    main(["doctor"])
    said = capsys.readouterr().out
    assert "Everybody on this machine can read labinterp.db." in said
    assert f"chmod -R o-rwx {folder}" in said
    assert "REDIS_URL may cross a network without TLS" in said


def test_files_of_secrets_that_everybody_can_read_are_named(tmp_path):
    tmp_path.chmod(0o755)
    for name, mode in (("open", 0o644), ("own", 0o600)):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(mode)
    given = {"SECRET_KEY_FILE": str(tmp_path / "open"), "DATA_KEY_FILE": str(tmp_path / "own")}
    more = {"SMTP_PASSWORD_FILE": str(tmp_path / "absent"), "PATH": "/bin"}
    assert exposed.secrets_others_can_read({**given, **more}) == ("SECRET_KEY_FILE",)
    tmp_path.chmod(0o700)
    assert exposed.secrets_others_can_read(given) == ()


PRODUCTION = {
    **dict.fromkeys(("CONTACT", "OPERATOR_LINE", "MAIL_FROM", "SMTP_HOST"), "a@trust.example"),
    "LABINTERP_ENV": "production",
    "BASE_URL": "https://labinterp.trust.example",
    "SECRET_KEY": "TnQ5cXg3R0pZb0x2S2hXc2RBN2ZVZTRiUjlNcDZ6SG0",
    "DATABASE_URL": "postgresql://u:c9vQ7p2LwZ@db.internal/x",
    "REDIS_URL": "rediss://r.internal/0",
    "PLAIN_LINES": "db.internal",
}


def test_doctor_says_what_a_database_would_forget_and_whose_clock_is_wrong(
    services, clock, monkeypatch, capsys
):
    chosen = bootstrap.settings(PRODUCTION)
    monkeypatch.setattr(bootstrap, "settings", lambda *_: chosen)
    monkeypatch.setattr(bootstrap, "services", lambda *_: services)
    assert main(["doctor"]) == OURS
    said = capsys.readouterr().out
    assert "ok   durability" in said
    assert "BAD  clock" in said  # that of the test stands still
    assert "PLAIN_LINES vouches for db.internal." in said
    monkeypatch.setattr("labinterp.store.condition.not_durable", lambda _: ("fsync",))
    main(["doctor"])
    assert "BAD  durability   A power cut may lose accepted panels: fsync is off." in (
        capsys.readouterr().out
    )


@pytest.fixture
def shown(tmp_path):
    """An address with a certificate for this name, and the file of who signed it."""
    authorities, context_of = authority(tmp_path)
    doors = []

    def at(name):
        door = context_of(name).wrap_socket(
            socket.create_server(("127.0.0.1", 0)), server_side=True
        )
        doors.append(door)

        def answer():
            with contextlib.suppress(OSError):
                door.accept()[0].close()

        threading.Thread(target=answer, daemon=True).start()
        return f"https://localhost:{door.getsockname()[1]}", str(authorities)

    yield at
    for door in doors:
        door.close()


def test_a_certificate_that_callers_believe_is_told_with_its_end(shown):
    found = exposed.certificate_at(*with_time(shown("localhost"), "2026-11-24"))
    assert (found.well, found.words) == (
        True,
        "Its certificate is believed, and ends on 2046-01-01.",
    )


def test_a_certificate_that_ends_soon_is_a_fault(shown):
    assert exposed.certificate_at(*with_time(shown("localhost"), "2045-12-25")).well is False


def test_a_certificate_of_another_name_or_of_an_unknown_authority_is_a_fault(shown):
    now = datetime(2026, 11, 24, tzinfo=UTC)
    url, authorities = shown("elsewhere.example")
    found = exposed.certificate_at(url, now, authorities)
    assert found.well is False
    assert "Hostname mismatch" in found.words
    url, _ = shown("localhost")
    found = exposed.certificate_at(url, now)
    assert found.well is False
    assert "do not believe" in found.words


def test_what_cannot_be_reached_is_no_fault_and_plain_http_shows_none():
    now = datetime(2026, 11, 24, tzinfo=UTC)
    assert exposed.certificate_at("https://127.0.0.1:1/", now).well is None
    assert exposed.certificate_at("http://127.0.0.1:8000", now) is None


def with_time(given, day):
    url, authorities = given
    return url, datetime.fromisoformat(f"{day}T00:00:00+00:00"), authorities
