"""Settings: one message for all faults, nothing unsafe in production, and a list that cannot go stale."""

from __future__ import annotations

import re
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from labinterp import bootstrap, config
from labinterp.cli import main
from labinterp.errors import SettingsError

ROOT = Path(__file__).parents[2]
SAFE = {
    "LABINTERP_ENV": "production",
    "SECRET_KEY": "q8Zr1VxN5uTmW3bKcPf0LhYd7GjAeSoI2RwX9vBn",
    "CONTACT": "duty biochemist, extension 4000",
    "OPERATOR_LINE": "Run by Example Trust.",
    "MAIL_FROM": "reports@trust.org",
    "SMTP_HOST": "mail.trust.org",
    "BASE_URL": "https://labinterp.trust.org",
    "REDIS_URL": "rediss://10.0.0.2:6379/0",
    "DATABASE_URL": "postgresql://service:dVb7Kq2@10.0.0.3/labinterp?sslmode=verify-full",
}


def faults(**changed):
    with pytest.raises(SettingsError) as refused:
        config.from_environment({**SAFE, **changed})
    for place in refused.value.errors:
        assert place.where in refused.value.message
    return {place.where for place in refused.value.errors}


def test_nothing_needs_to_be_configured(tmp_path):
    settings = config.from_environment({"DATA_DIR": str(tmp_path)})
    assert settings.host == "127.0.0.1"
    assert settings.database_url == f"sqlite:///{tmp_path / 'labinterp.db'}"
    assert settings.base_url == "http://127.0.0.1:8000"
    assert not settings.in_production


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("DATABASE_URL", "postgresql://u:dVb7Kq2@10.0.0.3/x"),
        ("DATABASE_URL", "postgresql://u:dVb7Kq2@db/x?sslmode=require"),
        ("DATABASE_URL", "postgresql://u:dVb7Kq2@localhost,db:5432/x"),
        ("DATABASE_URL", "postgresql://u:dVb7Kq2@localhost/x?host=db"),
        ("DATABASE_URL", "postgresql://u:dVb7Kq2@localhost/x?hostaddr=10.0.0.3"),
        ("DATABASE_URL", "postgresql://u:dVb7Kq2@db/x?sslmode=verify-full&sslmode=disable"),
        ("REDIS_URL", "redis://:p@10.0.0.2:6379/0"),
        ("REDIS_URL", "rediss://10.0.0.2/0?ssl_cert_reqs=none"),
        ("CELERY_BROKER_URL", "redis://redis:6379/0"),
        ("RATE_STORE", "redis://[fd00::2]:6379/1"),
        ("RATE_STORE", "redis+sentinel://redis:26379/x"),
    ],
)
def test_production_speaks_to_no_other_machine_without_tls_that_is_checked(name, address):
    assert name in faults(**{name: address})


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("DATABASE_URL", "postgresql://u:dVb7Kq2@localhost/x"),
        ("DATABASE_URL", "postgresql://u@/x?host=/run/postgresql"),
        ("DATABASE_URL", "sqlite:////data/labinterp.db"),
        ("DATABASE_URL", "postgresql://u:dVb7Kq2@db:5432/x"),
        ("REDIS_URL", "unix:///run/redis.sock"),
        ("REDIS_URL", "redis://127.0.0.1:6379/0"),
        ("RATE_STORE", "redis://Redis:6379/1"),
        ("RATE_STORE", "rediss://elsewhere:6379/1"),
    ],
)
def test_sockets_and_networks_that_the_operator_vouches_for_need_none(name, address):
    chosen = config.from_environment({**SAFE, name: address, "PLAIN_LINES": "db redis"})
    assert chosen.in_production


def test_a_demonstration_makes_its_key_once_and_keeps_it_private(tmp_path):
    folder = tmp_path / "new"
    with ThreadPoolExecutor(8) as pool:
        keys = set(
            pool.map(
                lambda _: config.from_environment({"DATA_DIR": str(folder)}).secret_key, range(16)
            )
        )
    assert len(keys) == 1
    assert len(keys.pop()) >= 43
    assert [path.name for path in folder.iterdir()] == ["secret_key"]
    assert stat.S_IMODE((folder / "secret_key").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError) as refused:
        config.from_environment({"DATA_DIR": str(tmp_path / "file" / "data")})
    assert [place.where for place in refused.value.errors] == ["DATA_DIR"]


def test_an_empty_key_file_is_no_key(tmp_path):
    (tmp_path / "secret_key").write_text("\n")
    with pytest.raises(SettingsError) as refused:
        config.from_environment({"DATA_DIR": str(tmp_path)})
    assert [place.where for place in refused.value.errors] == ["SECRET_KEY"]


def test_the_sender_of_mails_may_have_a_name():
    named = config.from_environment({**SAFE, "MAIL_FROM": "Example Trust <reports@trust.org>"})
    assert named.mail_from == "Example Trust <reports@trust.org>"


def test_one_mailbox_of_bounces_is_read_and_never_in_the_clear():
    assert faults(BOUNCE_MAILDIR="/mail", BOUNCE_IMAP_HOST="imap.org") == {"BOUNCE_MAILDIR"}
    assert faults(BOUNCE_IMAP_HOST="imap.org", BOUNCE_IMAP_TLS="none") == {"BOUNCE_IMAP_TLS"}
    told = {"BOUNCE_IMAP_HOST": "imap.org", "BOUNCE_ADDRESS": "bounces@trust.org"}
    assert config.from_environment({**SAFE, **told}).bounce_imap_tls == "tls"


def test_production_starts_with_safe_settings():
    settings = config.from_environment(SAFE)
    assert settings.in_production
    assert settings.smtp_tls == "starttls"


def test_production_names_everything_that_is_missing_at_once():
    with pytest.raises(SettingsError) as refused:
        config.from_environment({"LABINTERP_ENV": "production"})
    named = {place.where for place in refused.value.errors}
    assert named == set(SAFE) - {"LABINTERP_ENV"}
    assert all(name in refused.value.message for name in named)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", "true"),
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "a" * 64),
        ("SECRET_KEY", "change-me-change-me-change-me-change-me"),
        ("DATA_KEY", "short"),
        ("DATABASE_URL", ""),
        ("DATABASE_URL", "postgresql://postgres:Postgres@10.0.0.3/labinterp"),
        ("BASE_URL", "http://labinterp.trust.org"),
        ("BASE_URL", "https://"),
        ("SMTP_TLS", "none"),
        ("CONTACT", "   "),
        ("MAIL_FROM", ""),
        ("BOUNCE_ADDRESS", "Bounces <bounces@trust.org>"),
        ("BOUNCE_ADDRESS", "undelivered-messages@trust.org"),
        ("BOUNCE_IMAP_TLS", "ssl"),
    ],
)
def test_production_refuses_what_is_unsafe(name, value):
    assert faults(**{name: value}) == {name}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "99999999"),
        ("RELAY_INTERVAL", "-1"),
        ("RELAY_INTERVAL", "nan"),
        ("REPORT_LEASE", "inf"),
        ("LABINTERP_ENV", "prod"),
        ("SMTP_TLS", "maybe"),
        ("ZONE", "Mars/Olympus"),
        ("ATTACHMENTS", "perhaps"),
        ("TASK_HARD_LIMIT", "9000"),
        ("TASK_SOFT_LIMIT", "100"),
        ("IMPLAUSIBLE", "60"),
        ("MAIL_FROM", "nobody"),
        ("REQUEST_RATE", "very often"),
        ("DATABASE_URL", "no address"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("MAIL_FROM", "a@example.org\nBcc: b@example.org"),
    ],
)
def test_a_setting_that_cannot_be_is_named(tmp_path, name, value):
    with pytest.raises(SettingsError) as refused:
        config.from_environment({"DATA_DIR": str(tmp_path), name: value})
    assert name in {place.where for place in refused.value.errors}
    assert not (tmp_path / "secret_key").exists()


def test_several_faults_are_told_together(tmp_path):
    assert faults(PORT="x", SMTP_TLS="none", SECRET_KEY="") == {"PORT", "SMTP_TLS", "SECRET_KEY"}


def test_a_secret_may_come_from_a_file(tmp_path):
    (tmp_path / "key").write_text(SAFE["SECRET_KEY"] + "\n")
    settings = config.from_environment(
        {**SAFE, "SECRET_KEY": "", "SECRET_KEY_FILE": str(tmp_path / "key")}
    )
    assert settings.secret_key == SAFE["SECRET_KEY"]


def test_a_secret_file_that_is_not_there_is_named():
    assert "SECRET_KEY" in faults(SECRET_KEY="", SECRET_KEY_FILE="/nowhere/key")


def test_only_secrets_are_read_from_files():
    settings = config.from_environment({**SAFE, "CONTACT_FILE": "/etc/hostname"})
    assert settings.contact == SAFE["CONTACT"]


def test_no_secret_stands_in_a_printed_setting():
    settings = config.from_environment({**SAFE, "SMTP_PASSWORD": "hunter2hunter2"})
    assert SAFE["SECRET_KEY"] not in repr(settings)
    assert "hunter2" not in repr(settings)


def test_the_example_file_lists_every_setting_with_its_default():
    assert (ROOT / ".env.example").read_text(encoding="utf-8") == config.example()


def test_the_page_of_settings_is_what_the_command_prints(capsys):
    page = ROOT / "docs" / "reference" / "settings.md"
    assert main(["settings"]) == 0
    assert page.read_text(encoding="utf-8") == capsys.readouterr().out


def test_the_page_names_exactly_what_production_refuses():
    worst = {"DEBUG": "true", "SMTP_TLS": "none", "DATA_KEY": "short"}
    worst |= {"BOUNCE_IMAP_HOST": "imap.org", "BOUNCE_IMAP_TLS": "none"}
    worst |= {"BOUNCE_POP_HOST": "pop.org", "BOUNCE_POP_TLS": "none"}
    worst |= dict.fromkeys(("REDIS_URL", "CELERY_BROKER_URL", "RATE_STORE"), "redis://far/0")
    with pytest.raises(SettingsError) as refused:
        config.from_environment({"LABINTERP_ENV": "production", **worst})
    named = {place.where for place in refused.value.errors}
    assert named == {line.name for line in config.lines() if line.refused}


def test_the_example_file_is_what_the_defaults_are(tmp_path):
    given = dict(
        line.removeprefix("#").split("=", 1)
        for line in config.example().splitlines()
        if re.match(r"#[A-Z_]+=", line)
    )
    assert len(given) == len(config.lines())
    written = config.from_environment({**given, "DATA_DIR": str(tmp_path)})
    assert written == config.from_environment({"DATA_DIR": str(tmp_path)})


def test_every_setting_reaches_somebody():
    """A setting that nothing reads would promise what it does not do."""
    sources = [
        path.read_text(encoding="utf-8")
        for folder in ("labinterp", "workers")
        for path in (ROOT / folder).rglob("*.py")
        if path.name != "config.py"
    ]
    text = "\n".join(sources)
    worked_out = {"celery_broker_url", "environment", "debug", "mllp_port"}
    unread = [
        line.name
        for line in config.lines()
        if line.name.lower() not in worked_out
        and line.name != "LABINTERP_ENV"
        and not re.search(rf"\.{line.name.lower()}\b", text)
    ]
    assert unread == []


def test_the_database_of_another_key_is_refused(tmp_path):
    wired = bootstrap.services({"DATA_DIR": str(tmp_path)})
    bootstrap.upgrade(wired)
    wired.store.close()
    bootstrap.services({"DATA_DIR": str(tmp_path)}).store.close()
    with pytest.raises(SettingsError) as refused:
        bootstrap.services({"DATA_DIR": str(tmp_path), "SECRET_KEY": "another " * 8})
    assert refused.value.code == "data-key-wrong"


def test_sessions_may_get_a_new_key_without_losing_the_data(tmp_path):
    key = "w" * 8 + "the data key that stays the same"
    environment = {"DATA_DIR": str(tmp_path), "DATA_KEY": key}
    first = bootstrap.services(environment)
    bootstrap.upgrade(first)
    second = bootstrap.services({**environment, "SECRET_KEY": "another key for the sessions"})
    assert first.policy.secret == second.policy.secret
    assert first.policy.session_key != second.policy.session_key
    first.store.close()
    second.store.close()
