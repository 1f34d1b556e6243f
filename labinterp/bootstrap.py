"""Settings → Services, once per process: the one place that knows all the parts, and the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labinterp import config, knowledge
from labinterp.delivery.bounce import ReturnAddress
from labinterp.delivery.bounce_box import ImapBox, MaildirBox, PopBox
from labinterp.delivery.mailer import SmtpMailer
from labinterp.jobs import CeleryQueue
from labinterp.outbound import Outbound, listed
from labinterp.store.crypto import Vault, derived_key
from labinterp.store.engine import Opening
from labinterp.store.store import open_store
from labinterp.store.upgrade import upgrade as upgrade_store
from labinterp.store.upgrade import verify_key
from labinterp.usecases.services import Policy, Services
from labinterp.usecases.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from labinterp.config import Settings
    from labinterp.model.knowledge import Knowledge
    from labinterp.model.report import Report, ReportOrder
    from labinterp.reporting.sealing import Seal
    from labinterp.store.store import Store


def now() -> datetime:
    """The time; every other part is told it."""
    return datetime.now(UTC)  # noqa: TID251  # the one clock


def settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process, or those that an environment asks for.

    Raises:
        SettingsError: one message that names every missing, unreadable or unsafe setting.
    """
    return _own_settings() if environment is None else config.from_environment(environment)


def settings_page() -> str:
    """Every setting, its default and its meaning, as the page of the documentation."""
    return config.reference()


def services(environment: Mapping[str, str] | None = None) -> Services:
    """The wired parts of this process, made once; or new ones for an environment.

    Raises:
        SettingsError: settings are missing or unsafe, or the data key is another database's.
        KnowledgeError: a file of the medical knowledge is wrong.
    """
    return _own_services() if environment is None else _wired(settings(environment))


@cache
def _own_settings() -> Settings:
    return config.from_environment()


@cache
def _own_services() -> Services:
    return _wired(_own_settings())


def upgrade(wired: Services) -> None:
    """Bring the database to its newest shape.

    Raises:
        TemporaryFailure: it cannot be had.
    """
    upgrade_store(wired.store, wired.now())


def flask_config(wired: Services | None = None) -> dict[str, Any]:
    """What Flask itself needs to know."""
    policy = (wired or services()).policy
    return {
        "SECRET_KEY": policy.session_key,
        "PREFERRED_URL_SCHEME": policy.base_url.partition(":")[0],
        "TRAP_BAD_REQUEST_ERRORS": False,
        "DEBUG": False,
    }


def _wired(chosen: Settings) -> Services:
    store = _store(chosen)
    verify_key(store)
    known, policy = knowledge.load(), policy_of(chosen, store.vault.kept("credentials"))
    returns = _returns(chosen, policy)
    return Services(
        knowledge=known,
        store=store,
        queue=CeleryQueue(
            chosen.redis_url,
            socket_timeout=chosen.broker_timeout,
            visibility_timeout=chosen.broker_visibility,
        ),
        mailer=_mailer(chosen, returns),
        draw=drawing(known, policy, chosen.report_signing_key),
        now=now,
        policy=policy,
        outbound=_outbound(chosen),
        turns=Turns(chosen.web_threads // 2),
        bounces=_bounces(chosen),
        returns=returns,
    )


def _vault(chosen: Settings) -> Vault:
    """What seals the data: the operator's key, else one derived from the secret key.

    The derived one is among the former keys, so that a DATA_KEY can be set later.
    """
    derived = derived_key(chosen.secret_key.encode(), "labinterp data key")
    former = [each.encode() for each in chosen.former_data_keys.split()]
    if not chosen.data_key:
        return Vault(derived, former)
    return Vault(chosen.data_key.encode(), (*former, derived))


def _store(chosen: Settings) -> Store:
    opening = Opening(
        lock_wait=timedelta(seconds=chosen.database_lock_wait),
        connect_wait=timedelta(seconds=chosen.database_connect_wait),
        pool=chosen.database_pool,
    )
    return open_store(chosen.database_url, _vault(chosen), opening)


def _returns(chosen: Settings, policy: Policy) -> ReturnAddress | None:
    """What makes the envelope's sender of each mail, where undelivered mail has its own address."""
    if not chosen.bounce_address:
        return None
    return ReturnAddress(chosen.bounce_address, derived_key(policy.secret, "labinterp bounces"))


def _bounces(chosen: Settings) -> MaildirBox | ImapBox | PopBox | None:
    """The mailbox that undelivered mail comes back to, where one is set."""
    if chosen.bounce_maildir:
        return MaildirBox(Path(chosen.bounce_maildir))
    if chosen.bounce_pop_host and not chosen.bounce_imap_host:
        return PopBox(
            chosen.bounce_pop_host,
            chosen.bounce_pop_port,
            chosen.bounce_pop_user,
            chosen.bounce_pop_password,
            security=chosen.bounce_pop_tls,  # type: ignore[arg-type]  # settings allow these words only
        )
    if not chosen.bounce_imap_host:
        return None
    return ImapBox(
        chosen.bounce_imap_host,
        chosen.bounce_imap_port,
        chosen.bounce_imap_user,
        chosen.bounce_imap_password,
        folder=chosen.bounce_imap_folder,
        security=chosen.bounce_imap_tls,  # type: ignore[arg-type]  # settings allow these words only
    )


def _mailer(chosen: Settings, returns: ReturnAddress | None) -> SmtpMailer:
    return SmtpMailer(
        chosen.smtp_host,
        chosen.smtp_port,
        security=chosen.smtp_tls,  # type: ignore[arg-type]  # settings allow these words only
        user=chosen.smtp_user,
        password=chosen.smtp_password,
        step_timeout=chosen.smtp_step_timeout,
        answer_timeout=chosen.smtp_answer_timeout,
        total_timeout=chosen.smtp_total_timeout,
        returns=returns,
    )


def _outbound(chosen: Settings) -> Outbound:
    return Outbound(
        allowed=listed(chosen.outbound_allow),
        total=chosen.outbound_timeout,
        step=chosen.outbound_timeout / 2,
        authorities=chosen.outbound_authorities,
    )


def drawing(
    known: Knowledge, policy: Policy, signing_key: str = ""
) -> Callable[[ReportOrder], Report]:
    """What draws a report, its FHIR Bundle inside; the first one loads the drawing library.

    Raises:
        SettingsError: there is a key to sign with, and it is half or unreadable.
    """
    seal = _seal(signing_key) if signing_key else None

    def drawn(order: ReportOrder) -> Report:
        from labinterp.reporting.attached import bundle_inside  # noqa: PLC0415  # costs start-up
        from labinterp.reporting.render import draw  # noqa: PLC0415  # likewise

        base = f"{policy.base_url.rstrip('/')}/fhir"
        return draw(order, bundle_inside(order, known, base, snomed=policy.snomed_ct), seal)

    return drawn


def _seal(signing_key: str) -> Seal:
    from labinterp.reporting.sealing import seal_of  # noqa: PLC0415  # only where reports are signed

    return seal_of(signing_key)


def policy_of(chosen: Settings, secret: bytes) -> Policy:
    """The operator's choices as the use cases read them; the secret keys the hashes of keys."""

    def span(seconds: float) -> timedelta:
        return timedelta(seconds=seconds)

    return Policy(
        base_url=chosen.base_url,
        mail_from=chosen.mail_from,
        contact=chosen.contact,
        operator_line=chosen.operator_line,
        secret=secret,
        session_key=derived_key(chosen.secret_key.encode(), "labinterp sessions").hex(),
        demo=not chosen.in_production,
        page_size=chosen.page_size,
        report_lease=span(chosen.report_lease),
        report_attempts=chosen.report_attempts,
        delivery_lease=span(chosen.delivery_lease),
        delivery_attempts=chosen.delivery_attempts,
        delivery_unfinished=chosen.delivery_unfinished,
        retry_first=span(chosen.retry_first),
        retry_ceiling=span(chosen.retry_ceiling),
        operator_delay=span(chosen.operator_delay),
        implausible=span(chosen.implausible),
        link_lifetime=span(chosen.link_lifetime),
        link_codes=chosen.link_codes,
        operator_mail=chosen.operator_mail,
        sign_in_lifetime=span(chosen.sign_in_lifetime),
        history=span(chosen.history),
        history_panels=chosen.history_panels,
        notice_kept=span(chosen.notice_kept),
        panels_kept=span(chosen.panels_kept),
        messages_kept=span(chosen.messages_kept),
        feedback_kept=span(chosen.feedback_kept),
        idempotency_kept=span(chosen.idempotency_kept),
        sends_per_hour=chosen.sends_per_hour,
        recipients=chosen.recipients,
        attachments=chosen.attachments,
        attachment_password=chosen.attachment_password,
        patient_page=chosen.patient_page,
        patient_contact=chosen.patient_contact,
        retry_after=chosen.retry_after,
        body_limit=chosen.body_limit,
        bulk_limit=chosen.bulk_limit,
        job_kept=span(chosen.job_kept),
        broker_delay_alarm=span(chosen.broker_delay_alarm),
        request_rate=chosen.request_rate,
        stranger_rate=chosen.stranger_rate,
        rate_store=chosen.rate_store,
        trusted_proxies=chosen.trusted_proxies,
        free_disk=chosen.free_disk,
        session_idle=span(chosen.session_idle),
        session_absolute=span(chosen.session_absolute),
        session_fresh=span(chosen.session_fresh),
        account_rate=chosen.account_rate,
        snomed_ct=chosen.snomed_ct,
        cds_fhir_servers=frozenset(one.rstrip("/") for one in chosen.cds_fhir_servers.split()),
        cds_origins=frozenset(chosen.cds_origins.split()),
        address_rate=chosen.address_rate,
        zone=chosen.zone,
        second_factor=chosen.second_factor == "yes",
        password_list=chosen.password_list,
        sign_in_failures=chosen.sign_in_failures,
        sign_in_lock=span(chosen.sign_in_lock),
    )
