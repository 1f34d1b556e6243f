"""The panel in our own JSON, and the one way from any door's panel to a Submission.

Every reader makes this form and hands it to `received_of`, so that one panel gives one Submission,
whichever door it came through.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final, cast

from marshmallow import ValidationError

from labinterp.errors import Place, SubmissionError, TooLarge
from labinterp.formats import ages
from labinterp.formats.faults import places, refusal
from labinterp.formats.json_text import parsed
from labinterp.formats.limits import DEFAULT_LIMITS, Context, Limits, Reading
from labinterp.formats.panel_schema import PANEL, SPECIMEN_NUMBERS, SPECIMEN_WORDS
from labinterp.formats.taken_back import panel_status
from labinterp.model.submission import (
    Choices,
    EarlierPanel,
    Identity,
    Received,
    Recipients,
    ReportedCode,
    ReportedInterval,
    ReportedResult,
    ReportedTerm,
    Submission,
)

if TYPE_CHECKING:
    from decimal import Decimal

    from labinterp.formats.ages import PlaceOfProblem
    from labinterp.model.submission import PanelStatus

_MATERIAL_WORDS: Final = {word.replace("-", " "): word for word in SPECIMEN_WORDS["type"]}


def read(body: bytes, context: Context) -> Reading:
    """One panel; the place of every fault is its path, `results[2].unit`."""
    panel = parse(body, context.limits)
    return Reading((received_of(panel, context.received_at, limits=context.limits),))


def parse(body: bytes, limits: Limits = DEFAULT_LIMITS) -> dict[str, Any]:
    """The body as one JSON object; numbers keep their digits (`NumberLiteral`).

    Raises:
        TooLarge: beyond the limits.
        SubmissionError: not one JSON object in UTF-8.
    """
    document = parsed(body, limits)
    if not isinstance(document, dict):
        message = 'a panel is a JSON object: {"results": [ … ]}'
        raise SubmissionError(
            f"The body: {message}",
            code="submission-invalid",
            errors=(Place("panel", "wrong-type", message),),
        )
    return document


def received_of(
    panel: Mapping[str, Any],
    received_at: datetime,
    format: str = "json",  # noqa: A002 - the contract's word
    *,
    problems: Iterable[PlaceOfProblem] = (),
    where: str = "",
    limits: Limits = DEFAULT_LIMITS,
) -> Received:
    """A panel in the contract's form, checked and split: what is interpreted, who it is about.

    Args:
        panel: plain data; numbers as text, int, Decimal or `NumberLiteral`, never a float.
        received_at: when it arrived (aware).
        format: the reader's name.
        problems: what the reader itself could not place.
        where: its place in the body, when that holds several panels.
        limits: how much is taken.

    Raises:
        SubmissionError: unknown members, wrong types, no result; all of them at once.
        TooLarge: more results than the limits allow.
    """
    _counted(panel, limits)
    try:
        loaded = PANEL.load(_without_nulls(panel))
    except ValidationError as error:
        raise refusal(places(error.messages), most=limits.errors) from None
    sent = _without_nulls(loaded)
    if not sent["results"]:
        raise refusal((Place("results", "empty", "at least one result is needed"),), most=1)
    return Received(
        submission=_submission(sent, received_at, format, tuple(problems)),
        identity=_identity(sent),
        recipients=_recipients(sent.get("deliver", {})),
        panel=sent,
        where=where,
    )


def _counted(panel: Mapping[str, Any], limits: Limits) -> None:
    results = panel.get("results")
    count = len(results) if isinstance(results, list | tuple) else 0
    if count > limits.results:
        message = f"has {count} results; at most {limits.results} are taken"
        raise TooLarge(f"The panel {message}.", errors=(Place("results", "too-many", message),))


def _without_nulls(node: Any) -> Any:
    """A copy in which a member that is null is left out, as the contract reads it."""
    if isinstance(node, Mapping):
        return {key: _without_nulls(inner) for key, inner in node.items() if inner is not None}
    if isinstance(node, list | tuple):
        return [_without_nulls(inner) for inner in node]
    return node


def _submission(
    sent: Mapping[str, Any],
    received_at: datetime,
    reader: str,
    problems: tuple[PlaceOfProblem, ...],
) -> Submission:
    found: list[PlaceOfProblem] = list(problems)
    collected_at = _moment(sent, "", received_at, found)
    patient = sent.get("patient", {})
    age = _age(patient, collected_at, received_at, found)
    pregnancy = patient.get("pregnancy", {})
    specimen = sent.get("specimen", {})
    results = _results(sent["results"], "results", received_at, found)
    previous = _previous(sent.get("previous", ()), received_at, found)
    return Submission(
        format=reader,
        results=results,
        received_at=received_at,
        collected_at=collected_at,
        status=cast("PanelStatus", panel_status(sent)),
        sex=patient.get("sex", "unknown"),
        age_days=age.days if age else None,
        age_text=age.text if age else None,
        age_basis=age.basis if age else None,
        pregnancy=pregnancy.get("status", "unknown"),
        gestation_weeks=pregnancy.get("gestation_weeks"),
        laboratory=sent.get("laboratory", {}).get("name"),
        specimen_material=specimen.get("material"),
        specimen_container=specimen.get("container"),
        specimen_fields=_specimen_fields(specimen),
        haemolysis_index=specimen.get("haemolysis_index"),
        specimen_comment=specimen.get("comment"),
        symptoms=_terms(sent, "symptoms"),
        medications=_terms(sent, "medications"),
        conditions=_terms(sent, "conditions"),
        history=_terms(sent, "history"),
        previous=previous,
        choices=_choices(sent),
        problems=tuple(found),
    )


def _moment(
    node: Mapping[str, Any], path: str, received_at: datetime, found: list[PlaceOfProblem]
) -> datetime | None:
    """The node's collection time; one in the future is a problem and counts as unknown."""
    text = node.get("collected_at")
    if text is None:
        return None
    moment = datetime.fromisoformat(text.upper())
    if ages.is_future(moment, received_at):
        where = f"{path}.collected_at" if path else "collected_at"
        found.append(ages.future_problem(where, text))
        return None
    return moment


def _age(
    patient: Mapping[str, Any],
    collected_at: datetime | None,
    received_at: datetime,
    found: list[PlaceOfProblem],
) -> ages.Age | None:
    if "birth_date" in patient:
        birth = date.fromisoformat(patient["birth_date"])
        age, problem = ages.age_from_birth(birth, collected_at, received_at)
    elif "age" in patient:
        age, problem = ages.age_as_sent(patient["age"]["value"], patient["age"]["unit"])
    else:
        return None
    if problem:
        found.append(problem)
    return age


def _results(
    sent: Sequence[Mapping[str, Any]],
    path: str,
    received_at: datetime,
    found: list[PlaceOfProblem],
) -> tuple[ReportedResult, ...]:
    places = _places(sent, path)
    return tuple(
        _result(result, where, received_at, found)
        for result, where in zip(sent, places, strict=True)
    )


def _places(sent: Sequence[Mapping[str, Any]], path: str) -> list[str]:
    """Each result's place: the sender's own where all differ, else its path."""
    paths = [f"{path}[{index}]" for index in range(len(sent))]
    own = [str(result.get("where") or place) for result, place in zip(sent, paths, strict=True)]
    return own if len(set(own)) == len(own) else paths


def _result(
    sent: Mapping[str, Any], where: str, received_at: datetime, found: list[PlaceOfProblem]
) -> ReportedResult:
    comparator, value = _value(sent.get("value"))
    specimen = sent.get("specimen")
    return ReportedResult(
        where=where,
        value=value,
        unit=sent.get("unit"),
        name=sent.get("test"),
        codes=_codes(sent),
        comparator=comparator,
        interval=_interval(sent.get("reference_interval")),
        flag=sent.get("flag"),
        note=sent.get("note"),
        status=sent.get("status"),
        not_measured=sent.get("not_measured"),
        collected_at=_moment(sent, where, received_at, found),
        specimen=None if specimen is None else _specimen_of_result(specimen),
        identifier=sent.get("identifier"),
        as_received=sent.get("as_received"),
    )


def _value(sent: str | Mapping[str, str] | None) -> tuple[str | None, str | None]:
    """Comparator (when it was sent apart) and value; blank is absent."""
    if isinstance(sent, Mapping):
        return sent.get("comparator"), sent["value"].strip() or None
    return None, (sent or "").strip() or None


def _codes(sent: Mapping[str, Any]) -> tuple[ReportedCode, ...]:
    first = [sent["code"]] if "code" in sent else []
    return tuple(_code(code) for code in [*first, *sent.get("codes", ())])


def _code(sent: Mapping[str, str]) -> ReportedCode:
    return ReportedCode(sent["system"], sent["code"], sent.get("display"))


def _interval(sent: str | Mapping[str, str] | None) -> ReportedInterval | None:
    if not sent:
        return None
    return ReportedInterval(text=sent) if isinstance(sent, str) else ReportedInterval(**sent)


def _specimen_fields(sent: Mapping[str, Any]) -> dict[str, str | Decimal]:
    """The fields rules read; a material that is exactly a kind of specimen names the kind."""
    known = (*SPECIMEN_WORDS, *SPECIMEN_NUMBERS)
    fields = {name: sent[name] for name in known if name in sent}
    material = sent.get("material", "").strip().casefold().replace("-", " ")
    if "type" not in fields and material in _MATERIAL_WORDS:
        fields["type"] = _MATERIAL_WORDS[material]
    return fields


def _specimen_of_result(sent: Mapping[str, Any]) -> dict[str, str | Decimal]:
    """The same for one result, with its material: a name in urine means something else."""
    material = {"material": sent["material"]} if "material" in sent else {}
    return {**material, **_specimen_fields(sent)}


def _previous(
    sent: Sequence[Mapping[str, Any]], received_at: datetime, found: list[PlaceOfProblem]
) -> tuple[EarlierPanel, ...]:
    panels = []
    for index, earlier in enumerate(sent):
        path = f"previous[{index}]"
        moment = _moment(earlier, path, received_at, found)
        results = _results(earlier["results"], f"{path}.results", received_at, found)
        panels.append(EarlierPanel(moment, results, path))
    return tuple(panels)


def _terms(sent: Mapping[str, Any], member: str) -> tuple[ReportedTerm, ...]:
    return tuple(
        _term(term, f"{member}[{index}]") for index, term in enumerate(sent.get(member, ()))
    )


def _term(sent: str | Mapping[str, Any], where: str) -> ReportedTerm:
    if isinstance(sent, str):
        return ReportedTerm(where, sent)
    code = _code(sent["code"]) if "code" in sent else None
    named = sent.get("id") or sent.get("label") or (code and (code.display or code.code)) or ""
    return ReportedTerm(
        where, named, code, sent.get("onset"), sent.get("side"), sent.get("duration_days")
    )


def _choices(sent: Mapping[str, Any]) -> Choices:
    return Choices(
        range_set=sent.get("range_set"),
        range_policy=sent.get("range_policy"),
        critical_policy=sent.get("critical_policy"),
        schemes=sent.get("schemes", {}),
    )


def _identity(sent: Mapping[str, Any]) -> Identity:
    patient = sent.get("patient", {})
    identifier = patient.get("identifier", {})
    laboratory = sent.get("laboratory", {})
    birth = patient.get("birth_date")
    return Identity(
        identifier=identifier.get("value"),
        issuer=identifier.get("system"),
        family=patient.get("family"),
        given=patient.get("given"),
        birth_date=date.fromisoformat(birth) if birth else None,
        requester=sent.get("requester"),
        laboratory_name=laboratory.get("name"),
        laboratory_address=laboratory.get("address"),
        laboratory_number=laboratory.get("number"),
    )


def _recipients(deliver: Mapping[str, Any]) -> Recipients:
    addresses = cast("list[str]", deliver.get("email", []))
    once = {address.casefold(): address for address in reversed(addresses)}
    return Recipients(tuple(reversed(once.values())), deliver.get("as") == "attachment")
