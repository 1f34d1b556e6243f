"""The top of the report: who, what is urgent, what is critical, what the incoming report lacked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from labinterp.reporting import words
from labinterp.reporting.blocks import (
    Bullets,
    CriticalBox,
    CriticalEntry,
    Fact,
    Facts,
    Line,
    Paragraph,
    Section,
    Span,
    Tone,
    said,
)
from labinterp.reporting.lookups import Lookups, in_words, leading_findings, told_doubts

if TYPE_CHECKING:
    from labinterp.model.interpretation import (
        DecisionRecord,
        Finding,
        Interpretation,
        InterpretedResult,
        NamedTerm,
    )
    from labinterp.model.report import ReportOrder
    from labinterp.model.submission import Identity

NOT_GIVEN: Final = "not given"
NOT_STATED: Final = "not stated"
FIRST_SEEN: Final = (
    "The laboratory sent this as a correction. What it corrects did not come here, so that what "
    "changed is not known."
)
CRITICAL_POLICY: Final = "At or beyond the critical limit; follow your policy."
_INDICES: Final = (
    ("haemolysis", "haemolysis"),
    ("haemolysis_index", "haemolysis index"),
    ("icterus_index", "icterus index"),
    ("lipaemia_index", "lipaemia index"),
    ("icterus", "icterus"),
    ("lipaemia", "lipaemia"),
)
_BELOW: Final = "Told below."
_CRITICAL: Final = ("critically_low", "critically_high")


def changes(order: ReportOrder) -> Section | None:
    """What a correction changed; the first thing its reader sees."""
    if order.status != "corrected" and not order.changes:
        return None
    if order.version == 1:
        return Section("changes", "Corrected report", (Paragraph(said(FIRST_SEEN)),), "notice")
    listed = order.changes or ("What changed was not stated.",)
    text = f"This version replaces version {order.version - 1} of report {order.number}."
    blocks = (Paragraph(said(text)), Bullets(tuple(said(change) for change in listed)))
    return Section("changes", "Corrected report", blocks, "notice")


def superseded(order: ReportOrder) -> Section | None:
    """The warning on an old version."""
    if order.status != "superseded":
        return None
    text = "This version has been replaced by a newer one. Do not act on it; ask for the newest."
    return Section("superseded", "Superseded", (Paragraph(said(text)),), "notice")


def identity(order: ReportOrder) -> Section:
    """Who the patient is, who asked, which specimen, and when."""
    rows = (*_patient(order), *_request(order), *_specimen(order), *_times(order), *_picture(order))
    return Section("identity", "", (Facts(rows),))


def name_of(identity: Identity) -> str:
    """`FAMILY, Given`, or what there is of it."""
    parts = [(identity.family or "").upper(), identity.given or ""]
    return ", ".join(part for part in parts if part)


def identifier_of(identity: Identity) -> str:
    """The identifier with its issuer."""
    if not identity.identifier:
        return ""
    return f"{identity.identifier} ({identity.issuer})" if identity.issuer else identity.identifier


def _patient(order: ReportOrder) -> Iterable[Fact]:
    patient, known = order.interpretation.patient, order.identity
    born = words.day(known.birth_date) if known.birth_date else ""
    age = patient.age_at_collection
    yield _fact("Patient", name_of(known), NOT_GIVEN)
    yield _fact("Identifier", identifier_of(known), NOT_GIVEN)
    yield _fact("Birth date", born, NOT_GIVEN)
    yield Fact("Age at collection", age.text if age else "not known")
    yield Fact("Sex used for intervals", words.SEX_WORDS.get(patient.sex, patient.sex))
    if patient.pregnancy != "unknown":
        yield Fact("Pregnancy", _pregnancy(patient.pregnancy, patient.gestation_weeks))


def _pregnancy(state: str, weeks: int | None) -> str:
    text = state.replace("_", " ")
    return text if weeks is None else f"{text}, {words.plural(weeks, 'week', 'weeks')}"


def _request(order: ReportOrder) -> Iterable[Fact]:
    yield _fact("Requester", order.identity.requester, NOT_GIVEN)
    yield _fact("Recipient", ", ".join(order.recipients), NOT_GIVEN)


def _fact(label: str, value: object, otherwise: str) -> Fact:
    """A fact, or that it is missing."""
    return Fact(label, str(value)) if value else Fact(label, otherwise, missing=True)


def _specimen(order: ReportOrder) -> Iterable[Fact]:
    specimen = _mapping(order.panel.get("specimen"))
    yield Fact("Laboratory", _laboratory(order))
    yield _fact("Specimen", _joined(specimen, ("material", "container", "site")), NOT_STATED)
    yield _fact("Laboratory number", order.identity.laboratory_number, NOT_STATED)
    indices = [f"{label} {specimen[key]}" for key, label in _INDICES if key in specimen]
    yield _fact("Indices", ", ".join(indices), NOT_STATED)
    yield _fact("Condition", specimen.get("comment"), NOT_STATED)


def _laboratory(order: ReportOrder) -> str:
    sent = _mapping(order.panel.get("laboratory"))
    name = order.identity.laboratory_name or sent.get("name")
    address = order.identity.laboratory_address or sent.get("address")
    parts = [str(part) for part in (name, address) if part]
    return ", ".join(parts) or "Laboratory not stated in the data"


def _times(order: ReportOrder) -> Iterable[Fact]:
    collected = words.moment(order.collected_at) if order.collected_at else ""
    yield _fact("Collected", collected, NOT_STATED)
    yield Fact("Received", words.moment(order.received_at))
    yield _fact("Reported by laboratory", _reported(order.panel), NOT_STATED)
    yield Fact("Issued", words.moment(order.issued_at))


def _reported(panel: Mapping[str, object]) -> str:
    sent = panel.get("reported_at")
    return words.moment_of(str(sent)) if sent else ""


def _picture(order: ReportOrder) -> Iterable[Fact]:
    patient = order.interpretation.patient
    yield Fact(
        "Symptoms and signs recorded", _terms(patient.symptoms) or "none recorded", wide=True
    )
    recorded = (
        ("Medicines", patient.medications),
        ("Conditions", patient.conditions),
        ("History", patient.history),
    )
    for label, terms in recorded:
        if terms:
            yield Fact(label, _terms(terms), wide=True)


def _terms(terms: Iterable[NamedTerm]) -> str:
    return "; ".join(dict.fromkeys(term.label or term.reported for term in terms))


def _joined(specimen: Mapping[str, object], keys: Iterable[str]) -> str:
    return ", ".join(str(specimen[key]) for key in keys if specimen.get(key))


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def urgency(answer: Interpretation) -> Section:
    """How soon this asks to be acted on, and which results or signs say so."""
    title = f"Urgency: {words.URGENCY_WORDS[answer.urgency].lower()}"
    if answer.urgency == "none":
        text = "No rule asked for action by a set time. This is no all-clear."
        return Section("urgency", title, (Paragraph(said(text)), _question(answer)))
    flags = {finding.id for finding in answer.twitching.red_flags}
    reasons = tuple(
        _reasons([item for item in answer.urgency_because if item.id not in flags], answer)
    )
    tone: Tone = "critical" if answer.urgency in ("emergency", "same_day") else "plain"
    told = (Bullets(reasons),) if reasons else ()
    return Section("urgency", title, (*told, _question(answer)), tone)


def _reasons(because: list[Finding], answer: Interpretation) -> Iterable[Line]:
    """Each reason in full, but for those that are told in full below: these by their titles."""
    below = {finding.rule for finding in (*answer.artefacts, *leading_findings(answer))}
    yield from (_because(item) for item in because if item.rule not in below)
    titles = dict.fromkeys(item.title.rstrip(".") for item in because if item.rule in below)
    if titles:
        yield said(Span(f"{'; '.join(titles)}.", "strong"), f" {_BELOW}")


def _question(answer: Interpretation) -> Paragraph:
    """The question everyone asks first, answered where everyone looks first."""
    verdict = words.VERDICT_WORDS[answer.twitching.verdict]
    return Paragraph(said("Do these results explain the twitching? ", Span(verdict, "strong"), "."))


def _because(finding: Finding) -> Line:
    """A reason by title and text; by its text alone where that says the title again."""
    title, text = finding.title.rstrip("."), words.ended(finding.text)
    again = text.casefold().startswith(title.casefold())
    return said(Span("" if again else f"{title}. ", "strong"), text)


def critical(order: ReportOrder, look: Lookups) -> Section | None:
    """The critical results with the limit each is beyond, and who acknowledged them."""
    found = [item for item in order.interpretation.results if item.standing in _CRITICAL]
    if not found:
        return None
    box = CriticalBox(
        entries=tuple(_critical_entry(item, order.interpretation, look) for item in found),
        policy=CRITICAL_POLICY,
        acknowledged=order.acknowledgements or ("Not acknowledged when issued.",),
    )
    return Section("critical", "Critical results", (box,), "critical")


def _critical_entry(
    result: InterpretedResult, answer: Interpretation, look: Lookups
) -> CriticalEntry:
    limits = [item for item in result.decisions if item.kind == "critical"]
    return CriticalEntry(
        measurand=result.measurand,
        where=result.where,
        line=f"{in_words(result)}: {words.FLAG_WORDS[result.standing].lower()}",
        limit="; ".join(_limit(item) for item in limits)
        or f"critical limit of {answer.critical_policy_title or answer.critical_policy}",
        source_numbers=look.numbers(source for item in limits for source in item.source),
        doubts=told_doubts(result.doubts),
    )


def _limit(decision: DecisionRecord) -> str:
    return f"{decision.name}: {decision.limit}"


def completeness(
    answer: Interpretation, told_in_rows: Mapping[str, str] | None = None
) -> Section | None:
    """What the incoming report lacked, what could not be read, and what that cost.

    Args:
        answer: the whole answer.
        told_in_rows: what the table says of each place already.
    """
    rows = told_in_rows or {}
    problems = (
        _placed(item.message, item.where)
        for item in answer.problems
        if _bare(item.message) not in _bare(rows.get(item.where, ""))
    )
    told = {_bare(item.message) for item in answer.problems}
    lacking = (
        _about(item.element, item.message)
        for item in answer.completeness
        if _bare(item.message) not in told
    )
    texts = tuple(dict.fromkeys((*answer.notices, *problems, *lacking)))
    if not texts:
        return None
    items = Bullets(tuple(said(text) for text in texts))
    title = "Incomplete or questioned in what arrived"
    return Section("completeness", title, (items,), "notice")


def _placed(message: str, where: str) -> str:
    """A problem and its place, the first result of a list as `result 1`."""
    place = re.sub(
        r"^results\[(\d+)\](\.\w+)*$", lambda found: f"result {int(found[1]) + 1}", where
    )
    if not place:
        return words.ended(message)
    end = "?" if message.endswith("?") else "."
    return f"{message.rstrip('.?')} ({place}){end}"


def _bare(message: str) -> str:
    return message.strip(" .").casefold()


def _about(element: str, message: str) -> str:
    """What was lacking, and what that cost."""
    named = words.capital(element.replace("_", " ").replace(".", " "))
    if message[:1].isupper() or not element:
        return words.ended(message)
    joined = " " if message.startswith(("not ", "material not ")) else ": "
    return words.ended(f"{named}{joined}{message}")


def nothing_readable(answer: Interpretation) -> Section | None:
    """What to send, when no result could be interpreted."""
    if any(result.value is not None or result.standing != "unknown" for result in answer.results):
        return None
    text = (
        "No result could be interpreted. Each needs a test name or code, a value and a unit, "
        "for example: Potassium 4.1 mmol/L. What arrived, and why it could not be read, "
        "is listed here; nothing of it counts as within an interval."
    )
    return Section(
        "nothing_readable", "No interpretable result", (Paragraph(said(text)),), "notice"
    )
