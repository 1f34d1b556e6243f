"""Every setting: its name in the environment, its default, and what it is for.

`Settings` is frozen and built once, from the environment alone; only `bootstrap` imports it. A
secret may also be read from a file named by `<NAME>_FILE`. All faults are named in one message.
Production (`LABINTERP_ENV=production`) refuses what only a demonstration may do. `.env.example` and
`docs/reference/settings.md` are this table; it is one file, so that a setting is
added in one place.
"""

from __future__ import annotations

import os
import re
import secrets
import zoneinfo
from dataclasses import Field, dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from environs import Env, EnvError, EnvValidationError

from labinterp.durable import keep_names
from labinterp.errors import Place, SettingsError
from labinterp.lines import unprotected

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DEMO: Final = "demo"
PRODUCTION: Final = "production"
_MODES: Final = (DEMO, PRODUCTION)
_TLS: Final = ("starttls", "tls", "none")
_LEVELS: Final = ("debug", "info", "warning", "error")
_LEAST_KEY: Final = 32
_WELL_KNOWN_KEYS: Final = ("change", "default", "secret", "example", "insecure", "demo", "0000")
_WELL_KNOWN_PASSWORDS: Final = ("postgres", "password", "labinterp", "admin", "root", "changeme")
_LARGEST: Final = 10**12
_HIGHEST_PORT: Final = 65_535
_ADDRESS: Final = re.compile(r"[^@\s<>]+@[^@\s<>]+|[^@\r\n<>]*<[^@\s<>]+@[^@\s<>]+>")
# What is put before the @ of the address, to know a delivery again, leaves it so many characters.
_BARE: Final = re.compile(r"[\w.-]{1,19}@[\w.-]{1,200}", re.ASCII)
_ONE_BARE: Final = re.compile(r"[^@\s<>,;]{1,64}@[^@\s<>,;]{1,250}")
_DATABASE: Final = re.compile(r"(sqlite:///(?!:memory:)|postgres(ql)?(\+psycopg)?://)\S*")
_SITE: Final = re.compile(r"https?://\S*")
_BROKER: Final = re.compile(r"(rediss?|redis\+socket|unix)://\S+")
_RATE: Final = re.compile(r"[0-9]+ (per|/) ?([0-9]+ )?(second|minute|hour|day)s?")
_RATES: Final = "a rate such as 10 per 15 minutes"
_REDIS: Final = "redis://127.0.0.1:6379/0"
_UNIT: Final = re.compile(r" \[(s|bytes)\]")
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL
_FROM: Final = "labinterp@demo.example"


def _setting(
    default: Any, about: str, *, name: str | None = None, secret: bool = False, refused: str = ""
) -> Any:
    """One setting; `[s]` or `[bytes]` in `about` is its unit, `refused` what production refuses."""
    known = {"about": about, "name": name, "secret": secret, "refused": refused}
    return field(default=default, metadata=known, repr=not secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one process: durations in seconds, sizes in bytes, empty text for not set."""

    environment: str = _setting(
        DEMO, "demo, or production, which refuses unsafe settings", name="LABINTERP_ENV"
    )
    debug: bool = _setting(
        default=False,
        about="log everything, for developers; never in production",
        refused="on",
    )
    log_level: str = _setting("info", "least level that is logged: debug, info, warning, error")

    data_dir: str = _setting("data", "folder for the database, keys and mailbox of one machine")
    database_url: str = _setting(
        "",
        "sqlite:///… or postgresql://…; labinterp.db in DATA_DIR if empty",
        secret=True,
        refused="empty, with a well-known password, or on another machine without checked TLS",
    )
    database_account: str = _setting(
        "",
        "account of the service where another owns the tables; db upgrade gives it rights",
    )
    database_pool: int = _setting(8, "database connections a process keeps open")
    database_lock_wait: float = _setting(10.0, "how long a writer waits for another [s]")
    database_connect_wait: float = _setting(5.0, "how long to wait for a connection [s]")
    free_disk: int = _setting(200_000_000, "room below which a process is not ready [bytes]")

    redis_url: str = _setting(
        "",
        "the broker; redis://127.0.0.1:6379/0 if empty",
        secret=True,
        refused="empty, unless CELERY_BROKER_URL is set, or on another machine without TLS",
    )
    celery_broker_url: str = _setting(
        "", "the broker, if it is not REDIS_URL", secret=True, refused="as REDIS_URL"
    )
    broker_timeout: float = _setting(2.0, "longest wait for the broker while answering [s]")
    broker_visibility: float = _setting(
        900.0, "when an unacknowledged message is handed out again [s]; above every limit"
    )

    plain_lines: str = _setting(
        "",
        "hosts of database, broker and counter that may be spoken to without TLS, with blanks"
        " between; only where nobody else is on that network",
    )

    smtp_host: str = _setting("", "mail server; this machine if empty", refused="empty")
    smtp_port: int = _setting(587, "its port")
    smtp_user: str = _setting("", "sign-in at the mail server; none if empty")
    smtp_password: str = _setting("", "and its password", secret=True)
    smtp_tls: str = _setting(
        "starttls", "starttls, tls, or none (a local test relay only)", refused="none"
    )
    smtp_step_timeout: float = _setting(15.0, "for connecting and each command [s]")
    smtp_answer_timeout: float = _setting(60.0, "for the answer after the message [s]")
    smtp_total_timeout: float = _setting(120.0, "for one conversation [s]")
    bounce_address: str = _setting(
        "", "where undelivered mail comes back, with +something before its @; MAIL_FROM if empty"
    )
    bounce_maildir: str = _setting("", "Maildir it comes to; not read if empty")
    bounce_imap_host: str = _setting("", "IMAP server it comes to instead; not read if empty")
    bounce_imap_port: int = _setting(993, "its port")
    bounce_imap_user: str = _setting("", "sign-in at the IMAP server")
    bounce_imap_password: str = _setting("", "and its password", secret=True)
    bounce_imap_folder: str = _setting("INBOX", "and the folder that is read")
    bounce_imap_tls: str = _setting(
        "tls", "tls, starttls, or none (a local test server only)", refused="none"
    )
    bounce_pop_host: str = _setting("", "POP server it comes to instead; not read if empty")
    bounce_pop_port: int = _setting(995, "its port")
    bounce_pop_user: str = _setting("", "sign-in at the POP server")
    bounce_pop_password: str = _setting("", "and its password", secret=True)
    bounce_pop_tls: str = _setting(
        "tls", "tls, starttls, or none (a local test server only)", refused="none"
    )
    bounce_interval: float = _setting(300.0, "how often it is looked for [s]")
    operator_mail: str = _setting(
        "", "who is told by mail of a critical report that is late; nobody if empty"
    )
    mail_from: str = _setting("", f"sender of every mail; {_FROM} if empty", refused="empty")

    base_url: str = _setting(
        "",
        "address in mails and pages; http://HOST:PORT if empty",
        refused="empty, or not https://",
    )
    host: str = _setting("127.0.0.1", "interface the web server listens on")
    port: int = _setting(8000, "port of the web server")
    mllp_host: str = _setting("127.0.0.1", "interface the HL7 v2 listener (MLLP) listens on")
    mllp_port: int = _setting(2575, "its port")
    mllp_organisation: str = _setting(
        "", "whose messages of unregistered senders are (id or name); the only one's if empty"
    )
    mllp_tls_cert: str = _setting("", "file of its certificate; without one it speaks no TLS")
    mllp_tls_key: str = _setting("", "file of the key; in the certificate's file if empty")
    mllp_client_ca: str = _setting(
        "", "file of the authorities of clients' certificates; none is asked for if empty"
    )
    mllp_idle: float = _setting(300.0, "a connection without a message is closed after [s]")
    mllp_connections: int = _setting(1000, "connections it holds at once")
    mllp_shared: bool = _setting(
        default=False, about="let several listeners have its port, one for each core"
    )
    web_threads: int = _setting(8, "requests the web server answers at once")
    trusted_proxies: int = _setting(0, "proxies in front of us that may say who asks")
    stop_grace: float = _setting(20.0, "time to finish requests when told to stop [s]")

    secret_key: str = _setting(
        "",
        "signs sessions; made once in DATA_DIR if empty (demo)",
        secret=True,
        refused="empty, or weak",
    )
    data_key: str = _setting(
        "",
        "seals patient data and keys' hashes; derived from SECRET_KEY if empty",
        secret=True,
        refused="weak",
    )

    former_data_keys: str = _setting(
        "",
        "data keys that only open what they sealed, with blanks between, while the key is changed",
        secret=True,
    )

    contact: str = _setting(
        "", "whom readers ask for advice; printed on every report", refused="empty"
    )
    operator_line: str = _setting(
        "", "who runs this, and under which rules; printed likewise", refused="empty"
    )
    page_size: str = _setting("A4", "paper of reports: A4 or Letter")
    zone: str = _setting("Europe/London", "time zone that entry forms begin with")
    attachments: bool = _setting(
        default=True, about="may a sender have the report attached to the mail"
    )
    attachment_password: str = _setting(
        "", "opens attached reports (AES-256), which are plain if it is empty", secret=True
    )
    report_signing_key: str = _setting(
        "",
        "PEM of a private key and its certificates; signs every report (PAdES) unless empty",
        secret=True,
    )

    patient_page: bool = _setting(
        default=False, about="may a clinician release a page in plain words to the patient"
    )
    patient_contact: str = _setting(
        "", "whom patients ask about it, unless the clinician names somebody; nobody if empty"
    )

    outbound_allow: str = _setting(
        "",
        "hosts (host or host:port, commas between) to be called though not public, or by http",
    )
    outbound_authorities: str = _setting(
        "", "file of certificates trusted by outgoing calls; the usual ones if empty"
    )
    outbound_timeout: float = _setting(10.0, "for one outgoing call, from name to last byte [s]")

    report_lease: float = _setting(300.0, "how long a worker holds a report [s]")
    report_attempts: int = _setting(3, "drawings begun before a person must look")
    delivery_lease: float = _setting(300.0, "how long a worker holds a message [s]")
    delivery_attempts: int = _setting(12, "tries before a message is given to a person")
    delivery_unfinished: int = _setting(3, "tries without a known end before a person must look")
    retry_first: float = _setting(30.0, "longest wait before the second try [s]; doubles each time")
    retry_ceiling: float = _setting(14_400.0, "longest wait between tries [s]")
    operator_delay: float = _setting(300.0, "wait after the mail server refused us [s]")
    implausible: float = _setting(172_800.0, "a due time further ahead counts as due [s]")
    relay_interval: float = _setting(2.0, "how often the relay looks for due work [s]")
    task_soft_limit: float = _setting(60.0, "a task is asked to end [s]")
    task_hard_limit: float = _setting(90.0, "a task is killed [s]; below the leases")
    broker_delay_alarm: float = _setting(120.0, "age of due work that makes us degraded [s]")
    retry_after: int = _setting(2, "wait a client is told while a report is drawn [s]")

    link_lifetime: float = _setting(2_592_000.0, "how long a mail's link works [s]")
    link_codes: bool = _setting(
        default=True,
        about="may who has a mail's link, but no account, read that report with a mailed code",
    )
    sign_in_lifetime: float = _setting(43_200.0, "how long a one-time sign-in link works [s]")
    session_idle: float = _setting(1_800.0, "a session ends after so long without a request [s]")
    session_absolute: float = _setting(43_200.0, "longest life of a session [s]")
    session_fresh: float = _setting(
        900.0, "who signed in longer ago is asked again before changing accounts and keys [s]"
    )
    second_factor: str = _setting(
        "",
        "do new organisations want a second factor of everybody: yes, no; in production if empty",
    )
    password_list: str = _setting(
        "", "file of stolen passwords in the form of Have I Been Pwned, besides the list we bring"
    )
    sign_in_failures: int = _setting(10, "refused passwords that lock an account for a while")
    sign_in_lock: float = _setting(900.0, "how long it is locked [s]")
    cds_fhir_servers: str = _setting(
        "", "FHIR servers CDS Hooks may fetch from, with blanks between; none if empty"
    )
    cds_origins: str = _setting(
        "", "origins whose browsers may call CDS Hooks, with blanks between; none if empty"
    )
    snomed_ct: bool = _setting(
        default=False,
        about="say FHIR conclusions also in SNOMED CT, which needs a licence in some countries",
    )
    account_rate: str = _setting("10 per 15 minutes", "tries to sign in to one account")
    address_rate: str = _setting("40 per 15 minutes", "tries to sign in from one address")
    request_rate: str = _setting("1200 per minute", "requests of one key")
    stranger_rate: str = _setting("60 per minute", "requests of one address without a key")
    rate_store: str = _setting(
        "", "Redis that counts them; this process if empty", secret=True, refused="as REDIS_URL"
    )
    sends_per_hour: int = _setting(10, "messages one panel may be sent again in an hour")
    recipients: int = _setting(20, "addresses one panel may name")
    body_limit: int = _setting(10_000_000, "longest request body [bytes]")
    bulk_limit: int = _setting(100_000_000, "longest body that is taken in bulk [bytes]")
    job_kept: float = _setting(86_400.0, "how long a finished background job is kept [s]")
    notice_kept: float = _setting(
        2_592_000.0, "how long an event for an endpoint is kept once told or given up [s]"
    )
    idempotency_kept: float = _setting(604_800.0, "how long an Idempotency-Key is known [s]")
    panels_kept: float = _setting(
        0.0, "how long a panel is kept after its newest version came [s]; 0 as long as the database"
    )
    messages_kept: float = _setting(
        7_776_000.0, "how long an HL7 v2 message is kept as it came [s]; 0 as long as the database"
    )
    feedback_kept: float = _setting(
        31_536_000.0, "how long cards and words on them are kept [s]; 0 as long as the database"
    )
    history: float = _setting(63_158_400.0, "how far back earlier results are looked for [s]")
    history_panels: int = _setting(20, "at most so many earlier panels")

    @property
    def in_production(self) -> bool:
        """Is this real?"""
        return self.environment == PRODUCTION


@dataclass(frozen=True, slots=True)
class Line:
    """One setting as `.env.example` and the documentation print it."""

    name: str
    default: str
    about: str
    refused: str

    @property
    def meaning(self) -> str:
        """What it is for, without its unit."""
        return _UNIT.sub("", self.about)

    @property
    def unit(self) -> str:
        """What a number counts, if it has a unit."""
        found = _UNIT.search(self.about)
        return found[1] if found else ""


def lines() -> tuple[Line, ...]:
    """All settings in order: name, default, what it is for."""
    return tuple(
        Line(_name(item), _printed(item.default), item.metadata["about"], item.metadata["refused"])
        for item in fields(Settings)
    )


def example() -> str:
    """`.env.example`: every setting with its default and one line."""
    head = (
        "# Settings of labinterp with their defaults; each is read from the environment.\n"
        "# A secret may also be read from a file: SECRET_KEY_FILE=/run/secrets/secret_key.\n"
    )
    return head + "".join(f"\n# {line.about}\n#{line.name}={line.default}\n" for line in lines())


def reference() -> str:
    """`docs/reference/settings.md`: the same table as a page."""
    rows = "".join(
        f"| `{line.name}` | {f'`{line.default}`' if line.default else 'empty'} | {line.unit} "
        f"| {line.meaning} | {line.refused} |\n"
        for line in lines()
    )
    secret = ", ".join(f"`{line.name}`" for line in lines() if line.name in _SECRETS)
    weak = ", ".join(f"“{word}”" for word in _WELL_KNOWN_KEYS)
    return f"""# Settings

Each is read from the environment; `.env.example` is the same list. An empty variable counts as
not set. A secret may also be read from a file, as `SECRET_KEY_FILE=/run/secrets/secret_key`:
{secret}.

With `LABINTERP_ENV=production` the start is refused while a setting has what the last column
names; one message names all of them. A key is weak if it has fewer than {_LEAST_KEY} characters or
fewer than {_LEAST_KEY // 4} different ones, or contains one of {weak}.
`python -m labinterp doctor` says what is wrong with the settings in force, and
`python -m labinterp settings` prints this page.

| Setting | Default | Unit | What it is | Refused in production |
|---|---|---|---|---|
{rows}"""


def from_environment(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings that an environment asks for; secrets are made where a demonstration may.

    Args:
        environment: variables; those of this process if not given.

    Raises:
        SettingsError: one message that names every missing, unreadable or unsafe setting.
    """
    given = os.environ if environment is None else environment  # noqa: TID251  # the one place
    settings, faults = _read(given)
    faults += tuple(_contradictions(settings))
    faults += tuple(_unsafe(settings)) if settings.in_production else ()
    if faults:
        raise _refused(*faults)
    return _completed(settings)


def _read(given: Mapping[str, str]) -> tuple[Settings, tuple[Place, ...]]:
    """Read and convert each variable; one that cannot be read keeps its default and is a fault."""
    reader = _Given(given)
    values: dict[str, Any] = {}
    faults: list[Place] = []
    for item in fields(Settings):
        name = _name(item)
        try:
            values[item.name] = _method(reader, item)(name, item.default)
        except (EnvError, EnvValidationError, OSError, ValueError):
            kind = type(item.default).__name__
            faults.append(Place(name, "setting-unreadable", f"{name} cannot be read as {kind}"))
    return Settings(**values), tuple(faults)


class _Given(Env):
    """Reads a mapping instead of the process's environment, and `<NAME>_FILE` for a secret."""

    def __init__(self, given: Mapping[str, str]) -> None:
        super().__init__(eager=True)
        self._given = given

    def _get_value(self, env_key: str, default: Any) -> Any:
        text = self._given.get(env_key, "")
        if text.strip():
            return text.strip()
        path = self._given.get(f"{env_key}_FILE", "") if env_key in _SECRETS else ""
        return Path(path).read_text(encoding="utf-8").strip() if path else default


def _method(reader: Env, item: Field[Any]) -> Any:
    kinds = {bool: reader.bool, int: reader.int, float: reader.float, str: reader.str}
    return kinds[type(item.default)]


def _name(item: Field[Any]) -> str:
    return item.metadata["name"] or item.name.upper()


_SECRETS: Final = frozenset(_name(item) for item in fields(Settings) if item.metadata["secret"])


def _printed(default: object) -> str:
    if isinstance(default, bool):
        return "true" if default else "false"
    if isinstance(default, float) and default.is_integer():
        return str(int(default))
    return str(default)


# ---- what cannot be, and what production refuses


def _contradictions(settings: Settings) -> Iterator[Place]:
    for name, value, words in (
        ("LABINTERP_ENV", settings.environment, _MODES),
        ("SMTP_TLS", settings.smtp_tls, _TLS),
        ("BOUNCE_IMAP_TLS", settings.bounce_imap_tls, _TLS),
        ("BOUNCE_POP_TLS", settings.bounce_pop_tls, _TLS),
        ("LOG_LEVEL", settings.log_level, _LEVELS),
        ("PAGE_SIZE", settings.page_size, ("A4", "Letter")),
        ("SECOND_FACTOR", settings.second_factor, ("", "yes", "no")),
    ):
        if value not in words:
            yield Place(name, "setting-unknown", f"{name} is one of {', '.join(words)}")
    for item in fields(Settings):
        value = getattr(settings, item.name)
        if isinstance(value, int | float) and not (0 <= value < _LARGEST):
            yield Place(_name(item), "setting-unusable", f"{_name(item)} is no usable number")
    for name, text, form, right in (
        ("MAIL_FROM", settings.mail_from, _ADDRESS, "a mail address"),
        ("BOUNCE_ADDRESS", settings.bounce_address, _BARE, "a bare mail address, short before @"),
        ("OPERATOR_MAIL", settings.operator_mail, _ONE_BARE, "one bare mail address"),
        ("DATABASE_URL", settings.database_url, _DATABASE, "sqlite:///… or postgresql://…"),
        ("BASE_URL", settings.base_url, _SITE, "http://… or https://…"),
        ("REDIS_URL", settings.redis_url, _BROKER, "redis://… or rediss://…"),
        ("ACCOUNT_RATE", settings.account_rate, _RATE, _RATES),
        ("ADDRESS_RATE", settings.address_rate, _RATE, _RATES),
        ("REQUEST_RATE", settings.request_rate, _RATE, _RATES),
        ("STRANGER_RATE", settings.stranger_rate, _RATE, _RATES),
    ):
        if text and not form.fullmatch(text):
            yield Place(name, "setting-unreadable", f"{name} is not {right}")
    yield from _limits(settings)
    if settings.password_list and not os.access(settings.password_list, os.R_OK):
        yield Place("PASSWORD_LIST", "setting-unusable", "PASSWORD_LIST cannot be read")
    if settings.zone not in zoneinfo.available_timezones():
        yield Place("ZONE", "setting-unknown", "ZONE is no time zone, such as Europe/London")


def _limits(settings: Settings) -> Iterator[Place]:
    """Numbers that must stand in an order to one another."""
    for name, port in (("PORT", settings.port), ("MLLP_PORT", settings.mllp_port)):
        if port > _HIGHEST_PORT:
            yield Place(name, "setting-unusable", f"{name} is above {_HIGHEST_PORT}")
    if settings.task_hard_limit >= settings.report_lease:
        yield _contradiction("TASK_HARD_LIMIT", "must be below REPORT_LEASE")
    if settings.task_soft_limit >= settings.task_hard_limit:
        yield _contradiction("TASK_SOFT_LIMIT", "must be below TASK_HARD_LIMIT")
    if settings.outbound_timeout >= settings.task_soft_limit:
        yield _contradiction("OUTBOUND_TIMEOUT", "must be below TASK_SOFT_LIMIT")
    talk = settings.smtp_total_timeout + 2 * settings.smtp_step_timeout
    if settings.task_hard_limit + talk >= settings.delivery_lease:
        longer = "TASK_HARD_LIMIT, SMTP_TOTAL_TIMEOUT and twice SMTP_STEP_TIMEOUT together"
        yield _contradiction("DELIVERY_LEASE", f"must be above {longer}")
    if settings.bounce_maildir and settings.bounce_imap_host:
        yield _contradiction("BOUNCE_MAILDIR", "and BOUNCE_IMAP_HOST: one mailbox is read")
    longest = max(settings.report_lease, settings.delivery_lease, settings.retry_ceiling)
    if settings.implausible <= longest:
        yield _contradiction("IMPLAUSIBLE", "must be above the leases and RETRY_CEILING")


def _contradiction(name: str, how: str) -> Place:
    return Place(name, "setting-contradicts", f"{name} {how}")


def _unsafe(settings: Settings) -> Iterator[Place]:
    for name, value in (
        ("CONTACT", settings.contact),
        ("OPERATOR_LINE", settings.operator_line),
        ("MAIL_FROM", settings.mail_from),
        ("SMTP_HOST", settings.smtp_host),
        ("BASE_URL", settings.base_url),
        ("REDIS_URL", settings.redis_url or settings.celery_broker_url),
        ("DATABASE_URL", settings.database_url),
    ):
        if not value:
            yield Place(name, "setting-missing", f"{name} is missing")
    if (urlsplit(settings.database_url).password or "").casefold() in _WELL_KNOWN_PASSWORDS:
        yield Place("DATABASE_URL", "setting-unsafe", "DATABASE_URL has a well-known password")
    yield from _plain(settings)
    yield from _weak("SECRET_KEY", settings.secret_key)
    if settings.data_key:
        yield from _weak("DATA_KEY", settings.data_key)
    if settings.debug:
        yield Place("DEBUG", "setting-unsafe", "DEBUG is on")
    if settings.base_url and not _is_https(settings.base_url):
        yield Place("BASE_URL", "setting-unsafe", "BASE_URL is not an https:// address")
    for name, box, tls in (
        ("BOUNCE_IMAP_TLS", settings.bounce_imap_host, settings.bounce_imap_tls),
        ("BOUNCE_POP_TLS", settings.bounce_pop_host, settings.bounce_pop_tls),
    ):
        if box and tls == "none":
            said = f"{name} is none: the password would go in the clear"
            yield Place(name, "setting-unsafe", said)
    if settings.smtp_tls == "none":
        yield Place("SMTP_TLS", "setting-unsafe", "SMTP_TLS is none: mail would go in the clear")


def _plain(settings: Settings) -> Iterator[Place]:
    """Lines that another machine could listen to, or take the place of the other side."""
    lines = {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "CELERY_BROKER_URL": settings.celery_broker_url,
        "RATE_STORE": settings.rate_store,
    }
    for name in unprotected(lines, settings.plain_lines.casefold().split()):
        way = "sslmode=verify-full" if name == "DATABASE_URL" else "rediss://"
        yield Place(name, "setting-unsafe", f"{name} leads over a network without {way}")


def _weak(name: str, key: str) -> Iterator[Place]:
    if not key:
        yield Place(name, "setting-missing", f"{name} is missing")
    elif len(key) < _LEAST_KEY or len(set(key)) < _LEAST_KEY // 4:
        yield Place(name, "setting-unsafe", f"{name} is weaker than {_LEAST_KEY} random characters")
    elif any(word in key.casefold() for word in _WELL_KNOWN_KEYS):
        yield Place(name, "setting-unsafe", f"{name} looks like an example or a default")


def _is_https(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "https" and bool(parts.hostname)


def _refused(*faults: Place) -> SettingsError:
    listed = "; ".join(fault.message for fault in faults)
    message = f"The settings cannot be used: {listed}. `.env.example` explains each."
    return SettingsError(message, errors=faults)


# ---- what is worked out


def _completed(settings: Settings) -> Settings:
    folder = Path(settings.data_dir)
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104  # compared only  # nosec B104
    return replace(
        settings,
        database_url=settings.database_url or f"sqlite:///{(folder / 'labinterp.db').resolve()}",
        redis_url=settings.celery_broker_url or settings.redis_url or _REDIS,
        second_factor=settings.second_factor or ("yes" if settings.in_production else "no"),
        log_level="debug" if settings.debug else settings.log_level,
        smtp_host=settings.smtp_host or "127.0.0.1",
        mail_from=settings.mail_from or _FROM,
        base_url=(settings.base_url or f"http://{host}:{settings.port}").rstrip("/"),
        secret_key=settings.secret_key or _kept_key(folder / "secret_key"),
        contact=settings.contact or "nobody: this is a demonstration",
        operator_line=settings.operator_line
        or "A demonstration without an operator; not for clinical use.",
    )


def _kept_key(path: Path) -> str:
    """The key in this file, made there the first time, readable by its owner alone.

    Two processes that start at once agree: the first to link its file in place wins.
    """
    try:
        key = _key_in(path)
    except OSError as error:
        message = f"DATA_DIR cannot hold {path.name}: {error.strerror}"
        raise _refused(Place("DATA_DIR", "setting-unusable", message)) from error
    if not key:
        message = f"{path} is empty; remove it to have a key made"
        raise _refused(Place("SECRET_KEY", "setting-unusable", message))
    return key


def _key_in(path: Path) -> str:
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(draft, _NEW, mode=0o600), "w", encoding="utf-8") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        keep_names(path)  # what it will seal can be read with nothing else
    return path.read_text(encoding="utf-8").strip()
