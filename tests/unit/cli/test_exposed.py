"""What was left open is named; what is meant to be open is not called a fault."""

from __future__ import annotations

import pytest

from labinterp import bootstrap
from labinterp.cli import OURS, exposed, main


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
