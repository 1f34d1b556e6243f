"""A stored panel put back into the entry form: to correct it, type only what was wrong."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from labinterp.usecases.journey import PanelRecord

Filled = dict[str, list[str]]
_TERMS: Final = ("symptoms", "medications", "conditions", "history")
_IN_THE_FORM: Final[Mapping[str, frozenset[str]]] = {
    "laboratory": frozenset({"name"}),
    "specimen": frozenset({"type", "haemolysis_index", "haemolysis", "site"}),
}
"""Parts of a panel of which the form shows some fields only, and those."""
_ALL_IN_THE_FORM: Final = frozenset({"patient", "collected_at", "results", "deliver", *_TERMS})
"""Parts that the form shows whole; and whom to tell, which a correction knows by itself."""


def form_of(record: PanelRecord) -> Filled:
    """The entry form as it would have been filled to give this panel."""
    panel: Mapping[str, Any] = record.panel
    filled = {
        "corrects": record.id,
        "text": "\n".join(line for line, _ in _lines(record)),
        **_patient(panel.get("patient", {})),
        **_collected(panel.get("collected_at")),
        **_specimen(panel.get("specimen", {})),
        "laboratory": panel.get("laboratory", {}).get("name"),
        "other-symptoms": _terms(panel.get("symptoms")),
        **{name: _terms(panel.get(name)) for name in ("medications", "conditions", "history")},
    }
    return {name: [str(value)] for name, value in filled.items() if value}


def restored(panel: Mapping[str, Any], record: PanelRecord) -> dict[str, Any]:
    """A corrected panel with all that the form does not show, as the version before it had it.

    A line that was left as it stood is the result it was made of, codes and remarks included.
    """
    before: Mapping[str, Any] = record.panel
    whole = dict(panel)
    for member, value in before.items():
        if member in _IN_THE_FORM:
            unseen = {key: part for key, part in value.items() if key not in _IN_THE_FORM[member]}
            whole[member] = unseen | dict(panel.get(member, {}))
        elif member not in _ALL_IN_THE_FORM:
            whole.setdefault(member, value)
    for kind in _TERMS:
        known = {_term(term): term for term in before.get(kind, ())}
        if kind in panel:
            whole[kind] = [known.get(_term(term), term) for term in panel[kind]]
    lines = dict(_lines(record))
    whole["results"] = [
        lines.get(str(result.get("as_received", "")), result) for result in panel["results"]
    ]
    return {member: value for member, value in whole.items() if value not in ({}, [])}


def _lines(record: PanelRecord) -> list[tuple[str, Mapping[str, Any]]]:
    """Each result of a stored panel beside the line the form shows for it."""
    panel: Mapping[str, Any] = record.panel
    names = {result.where: result.name for result in record.interpretation.results}
    return [
        (_line(result, names.get(str(result.get("where", f"results[{index}]")), "")), result)
        for index, result in enumerate(panel.get("results", ()))
    ]


def _line(result: Mapping[str, Any], name: str) -> str:
    """A result as one line that the reader of pasted text takes."""
    if result.get("as_received"):
        return str(result["as_received"])
    interval = _interval(result.get("reference_interval"))
    parts = (
        result.get("test") or name,
        _value(result.get("value")),
        result.get("unit"),
        f"({interval})" if interval else "",
        result.get("flag"),
    )
    return " ".join(str(part) for part in parts if part)


def _value(sent: Any) -> str:
    if isinstance(sent, Mapping):
        return f"{sent.get('comparator') or ''}{sent.get('value') or ''}"
    return str(sent or "")


def _interval(sent: Any) -> str:
    if isinstance(sent, Mapping):
        return str(sent.get("text") or f"{sent.get('low', '')}-{sent.get('high', '')}")
    return str(sent or "")


def _patient(patient: Mapping[str, Any]) -> dict[str, Any]:
    born = patient.get("birth_date")
    age = patient.get("age") or {}
    pregnancy = patient.get("pregnancy") or {}
    status = {"pregnant": "yes", "not_pregnant": "no"}.get(pregnancy.get("status", ""), "")
    identifier = patient.get("identifier") or {}
    return {
        "identifier": identifier.get("value"),
        "issuer": identifier.get("system"),
        "family": patient.get("family"),
        "given": patient.get("given"),
        **(_day("birth", date.fromisoformat(born)) if born else {}),
        "age": age.get("value"),
        "age-unit": age.get("unit"),
        "sex": patient.get("sex"),
        "pregnant": status,
        "gestation-weeks": pregnancy.get("gestation_weeks"),
    }


def _collected(text: str | None) -> dict[str, str]:
    if not text:
        return {}
    shown, zone = _in_zone(datetime.fromisoformat(text))
    return {**_day("sample", shown.date()), "sample-time": f"{shown:%H:%M}", "zone": zone}


def _in_zone(moment: datetime) -> tuple[datetime, str]:
    """The same moment in a zone that has a name: its own for whole hours, else UTC."""
    hours, rest = divmod(moment.utcoffset() or timedelta(0), timedelta(hours=1))
    if rest or not hours:
        return moment.astimezone(UTC), "UTC"
    return moment, f"Etc/GMT{-hours:+d}"  # by that name's custom, `-1` is one hour ahead


def _day(name: str, day: date) -> dict[str, str]:
    return {
        f"{name}-day": str(day.day),
        f"{name}-month": str(day.month),
        f"{name}-year": str(day.year),
    }


def _specimen(specimen: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "material": specimen.get("type"),
        "haemolysis-index": specimen.get("haemolysis_index"),
        "haemolysis": specimen.get("haemolysis"),
        "site": specimen.get("site"),
    }


def _terms(terms: Any) -> str:
    """Each on a line, by its name."""
    return "\n".join(map(_term, terms or ()))


def _term(term: Any) -> str:
    if isinstance(term, Mapping):
        return str(term.get("id") or term.get("label") or "")
    return str(term)
