"""What `$interpret-panel` is asked beside the panel: each has its effect, or is named as idle.

A parameter may stand alone under its whole name (`deliver.email`) or be a part (`email` of
`deliver`); what may be said once and is said again counts as the first time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from labinterp.formats.fhir_document import items, line, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from labinterp.formats.ages import PlaceOfProblem

_WORDS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "rangePolicy": ("range_policy", ("lab-then-service", "lab-only", "service-only")),
    "unitSystem": ("unit_system", ("si", "conventional")),
}
"""Parameter to the panel's own member, and the words it may be."""
PDF: Final = "deliver.pdf"
EMAIL: Final = "deliver.email"
NAMES: Final = (*_WORDS, PDF, EMAIL)


@dataclass(slots=True)
class Asked:
    """What was asked.

    Attributes:
        panel: members of the panel's own form.
        wants_document: the answer is to hold the PDF itself, not only its address.
        problems: what has no effect, and why.
        places: where each address stands, by its place in the panel's own form.
    """

    panel: dict[str, Any] = field(default_factory=dict)
    wants_document: bool = False
    problems: list[PlaceOfProblem] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)


def asked_of(parameters: Iterable[tuple[str, Mapping[str, Any]]]) -> Asked:
    """What the parameters beside the panel ask."""
    asked = Asked()
    said: set[str] = set()
    for name, path, sent in _flat(parameters):
        if name not in NAMES:
            _tell(asked, path, f"the parameter {line(name, 40)!r} is not known; it has no effect")
        elif name in said and name != EMAIL:
            _tell(asked, path, f"the parameter {name} was said before; that one counts")
        else:
            said.add(name)
            _take(asked, name, path, sent)
    return asked


def _flat(
    parameters: Iterable[tuple[str, Mapping[str, Any]]],
) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, sent in parameters:
        name, parts = text(sent, "name"), items(sent, "part")
        if name != "deliver" or not parts:
            yield name, path, sent
        for index, part in enumerate(parts if name == "deliver" else ()):
            own = text(part, "name").removeprefix("deliver.")
            yield f"deliver.{own}", f"{path}.part[{index}]", part


def _take(asked: Asked, name: str, path: str, sent: Mapping[str, Any]) -> None:
    if name == PDF:
        wanted = sent.get("valueBoolean")
        if isinstance(wanted, bool):
            asked.wants_document = wanted
        else:
            _tell(asked, path, f"the parameter {name} must be a valueBoolean; it has no effect")
        return
    said = line(text(sent, "valueCode") or text(sent, "valueString"), 320)
    if name == EMAIL:
        address = said or line(text(sent, "valueUri"), 320)
        if address:
            deliver = asked.panel.setdefault("deliver", {"email": []})
            asked.places[f"deliver.email[{len(deliver['email'])}]"] = path
            deliver["email"].append(address.removeprefix("mailto:"))
        else:
            _tell(asked, path, f"the parameter {name} must be a valueString; it has no effect")
        return
    member, known = _WORDS[name]
    if said in known:
        asked.panel[member] = said
    else:
        _tell(
            asked, path, f"the parameter {name} is {line(said, 40)!r}; it may be {', '.join(known)}"
        )


def _tell(asked: Asked, path: str, message: str) -> None:
    asked.problems.append((path, "setting-unknown", message))
