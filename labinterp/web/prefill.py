"""A stored panel put back into the entry form: to correct it, type only what was wrong."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labinterp.usecases.journey import PanelRecord

Filled = dict[str, list[str]]


def form_of(record: PanelRecord) -> Filled:
    """The entry form as it would have been filled to give this panel."""
    panel: Mapping[str, Any] = record.panel
    names = {result.where: result.name for result in record.interpretation.results}
    lines = [
        _line(result, names.get(str(result.get("where", f"results[{index}]")), ""))
        for index, result in enumerate(panel.get("results", ()))
    ]
    filled = {
        "corrects": record.id,
        "text": "\n".join(lines),
        **_patient(panel.get("patient", {})),
        **_collected(panel.get("collected_at")),
        **_specimen(panel.get("specimen", {})),
        "laboratory": panel.get("laboratory", {}).get("name"),
        "other-symptoms": _terms(panel.get("symptoms")),
        **{name: _terms(panel.get(name)) for name in ("medications", "conditions", "history")},
    }
    return {name: [str(value)] for name, value in filled.items() if value}


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
    moment = datetime.fromisoformat(text)
    offset = moment.utcoffset()
    shown = moment if offset else moment.replace(tzinfo=None)
    zone = "UTC" if not offset else _zone(moment)
    return {**_day("sample", shown.date()), "sample-time": f"{shown:%H:%M}", "zone": zone}


def _zone(moment: datetime) -> str:
    """A whole-hour offset as the zone that always has it (`Etc/GMT-1` is one hour ahead)."""
    hours = int((moment.utcoffset() or moment - moment).total_seconds() // 3600)
    return f"Etc/GMT{-hours:+d}"


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
    """Each on a line; a term with more than its name keeps the name."""
    return "\n".join(
        str(term.get("id") or term.get("label") or "") if isinstance(term, Mapping) else str(term)
        for term in terms or ()
    )
