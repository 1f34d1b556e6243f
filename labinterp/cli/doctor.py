"""`labinterp doctor`: looks at everything the service stands on, and says what to mend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from labinterp.cli import COMMANDS, DONE, OURS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from labinterp.usecases.services import BounceBox, Services

_MOST_APART: Final = 30.0
_MENDS: Final = {
    "settings": "Correct the settings named above; `.env.example` explains each.",
    "database": "Look at DATABASE_URL and DATA_DIR: is the server up, is the folder writable?",
    "migration": "Run `python -m labinterp db upgrade`.",
    "disk": "Make room where DATA_DIR is.",
    "broker": "Look at REDIS_URL: is the server up? Panels are accepted meanwhile.",
    "work": "Look at the worker and the relay: do they run? Their logs say why not.",
    "mail": "Look at the SMTP_ settings; `python -m labinterp deliveries list` shows the"
    " server's answers.",
    "bounces": "Look at the BOUNCE_ settings: does the folder or the mailbox exist?",
    "durability": "Set these to `on` in the server's configuration, and restart it.",
    "clock": "Have both machines follow a time server (chrony, systemd-timesyncd).",
    "tls": "Add ?sslmode=verify-full to a postgresql:// address, write rediss://.",
    "address": "Look at the proxy and its certificate from where callers are.",
    "mail server": "Look at SMTP_HOST, SMTP_PORT, SMTP_TLS, SMTP_USER and SMTP_PASSWORD.",
}


def register(subparsers: Any) -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser("doctor", help=COMMANDS["doctor"])
    parser.set_defaults(run=run)


def run(_args: argparse.Namespace) -> int:
    """Print a line for each thing looked at; 3 when one of them is not well."""
    from labinterp import bootstrap, telemetry  # noqa: PLC0415 - --help stays quick
    from labinterp.errors import LabinterpError  # noqa: PLC0415

    telemetry.configure("error")  # the lines below say what is wrong
    try:
        services = bootstrap.services(_environment())
    except LabinterpError as error:
        _say("settings", well=False, words=error.message)
        return OURS
    _say("settings", well=True, words="They are complete.")
    looked = [_say(name, well=well, words=words) for name, well, words in _seen(services)]
    _note_what_is_exposed(services)
    _note_what_was_given_up(services)
    return DONE if all(looked) else OURS


def _note_what_is_exposed(services: Services) -> None:
    """Remarks, no faults: a network of one's own, or a machine of one's own, may be meant."""
    from pathlib import Path  # noqa: PLC0415

    from labinterp import bootstrap  # noqa: PLC0415
    from labinterp.cli import exposed  # noqa: PLC0415

    chosen = bootstrap.settings()
    names = exposed.readable_by_others(Path(chosen.data_dir))
    secrets = exposed.secrets_others_can_read(_given())
    if names:
        print(f"note {'files':<12} Everybody on this machine can read {', '.join(names)}.")
        print(f"{'':17} chmod -R o-rwx {chosen.data_dir}")
    if secrets:
        print(f"note {'secrets':<12} Everybody on this machine can read {', '.join(secrets)}.")
        print(f"{'':17} chmod 600, for the account that the service runs as.")
    _note_too_many_rights(services)
    lines = exposed.in_the_clear(chosen.database_url, chosen.redis_url)
    if lines:
        print(f"note {'lines':<12} {' and '.join(lines)} may cross a network without TLS.")
        print(f"{'':17} {_MENDS['tls']}")


def _note_too_many_rights(services: Services) -> None:
    """A remark: the service works with more rights than it needs, and so would an intruder."""
    from labinterp.errors import TemporaryFailure  # noqa: PLC0415
    from labinterp.store import rights  # noqa: PLC0415

    try:
        more = rights.too_many(services.store)
    except TemporaryFailure:
        return  # `database` says so above
    if more:
        print(f"note {'rights':<12} The database's account {' and '.join(more)}.")
        print(f"{'':17} Let another own the tables, and name this one in DATABASE_ACCOUNT.")


def _note_what_was_given_up(services: Services) -> None:
    """A remark: a list that somebody works off is no fault of the installation."""
    from labinterp.errors import TemporaryFailure  # noqa: PLC0415
    from labinterp.usecases import given_up  # noqa: PLC0415

    try:
        count = len(given_up.listed(services))
    except TemporaryFailure:
        return
    if count:
        print(f"note {'given up':<12} {count} reports, mails, events or jobs wait for a person.")
        print(f"{'':17} `python -m labinterp dead list` names them.")


def _given() -> dict[str, str]:
    import os  # noqa: PLC0415

    return dict(os.environ)  # noqa: TID251 - only which files are named in it


def _environment() -> dict[str, str]:
    """The environment, and the broker and mailbox of an `up` that runs in another shell."""
    from pathlib import Path  # noqa: PLC0415

    from labinterp import bootstrap  # noqa: PLC0415
    from labinterp.local import running  # noqa: PLC0415

    embedded = running.embedded(Path(bootstrap.settings().data_dir))
    return {**embedded, **_given()}  # settings given here win


def _seen(services: Services) -> Iterator[tuple[str, bool, str]]:
    from labinterp.api.health import readiness  # noqa: PLC0415

    for check in readiness(services).checks:
        yield check.name, check.ok, check.message
    yield from _of_the_database(services)
    yield from _of_the_lines()
    yield from _of_the_address(services)
    outcome = services.mailer.reachable()
    yield "mail server", outcome.kind == "sent", outcome.answer
    if services.bounces is not None:
        yield "bounces", *_readable(services.bounces)
    yield "knowledge", True, f"Version {services.knowledge.version}."


def _of_the_database(services: Services) -> Iterator[tuple[str, bool, str]]:
    """What it promises, and whether its clock is ours; nothing where it does not answer."""
    from labinterp.errors import TemporaryFailure  # noqa: PLC0415
    from labinterp.store import condition  # noqa: PLC0415

    try:
        off = condition.not_durable(services.store)
        ahead = condition.clock_ahead(services.store, services.now())
    except TemporaryFailure:
        return  # `database` says so above
    words = f"A power cut may lose accepted panels: {', '.join(off)} is off."
    yield "durability", not off, words if off else "What is stored outlives a power cut."
    apart = f"This machine's clock and the database's are {abs(ahead):.0f} s apart."
    yield "clock", abs(ahead) <= _MOST_APART, apart


def _of_the_lines() -> Iterator[tuple[str, bool, str]]:
    """In production a line to another machine is encrypted, or the operator vouches for it."""
    from labinterp import bootstrap  # noqa: PLC0415

    chosen = bootstrap.settings()
    if not chosen.in_production:
        return
    vouched = f" PLAIN_LINES vouches for {chosen.plain_lines}." if chosen.plain_lines else ""
    yield "tls", True, f"Database and broker are reached over TLS, or here.{vouched}"


def _of_the_address(services: Services) -> Iterator[tuple[str, bool, str]]:
    """What callers are shown; another network than theirs may not lead there."""
    from labinterp import bootstrap  # noqa: PLC0415
    from labinterp.cli import exposed  # noqa: PLC0415

    chosen = bootstrap.settings()
    shown = exposed.certificate_at(chosen.base_url, services.now(), chosen.outbound_authorities)
    if shown is None:
        return
    if shown.well is None:
        print(f"note {'address':<12} BASE_URL: {shown.words} {_MENDS['address']}")
        return
    yield "address", shown.well, shown.words


def _readable(box: BounceBox) -> tuple[bool, str]:
    """Whether the mailbox of undelivered mail can be read; nothing is."""
    from labinterp.errors import TemporaryFailure  # noqa: PLC0415

    try:
        list(box.unread(0))
    except TemporaryFailure as error:
        return False, error.message
    return True, "The mailbox of undelivered mail can be read."


def _say(name: str, *, well: bool, words: str) -> bool:
    print(f"{'ok  ' if well else 'BAD '} {name:<12} {words}")
    if not well and name in _MENDS:
        print(f"{'':17} {_MENDS[name]}")
    return well
