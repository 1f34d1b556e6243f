"""A FHIR document taken apart: each resource with its FHIRPath place, and who refers to whom.

Nothing here knows what a resource means. Foreign JSON is never trusted to have the right shape:
`inner`, `items` and `text` give the empty answer where a member is missing or of another type.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from labinterp.errors import Place, SubmissionError, UnsupportedFormat
from labinterp.formats.characters import folded, permitted, quoted
from labinterp.formats.fields import NumberLiteral

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_READ_BUNDLES: Final = ("collection", "searchset", "transaction", "batch", "message", "document")
_KNOWN: Final = re.compile(
    "Patient|Specimen|Observation|DiagnosticReport|Condition|Medication|Organization|Practitioner|"
    "Encounter|ServiceRequest|Device|Composition|MessageHeader|Provenance|Location|RelatedPerson"
)
"""How the types begin that are read, or that only tell the circumstances."""
_LONE: Final = ("DiagnosticReport", "Observation")
_TYPE_AND_ID: Final = 2
_PANELS: Final = ("panel", "resource", "bundle")
Parameter = tuple[str, dict[str, Any]]
"""One of a Parameters resource, with its place."""
ROOTS: Final = ("Bundle", "Parameters", *_LONE)


@dataclass(frozen=True, slots=True)
class Located:
    """One resource where it stands.

    Attributes:
        path: its FHIRPath place, `Bundle.entry[6].resource`.
        url: the entry's `fullUrl`.
        owner: the resource that contains it, if one does.
    """

    resource: Mapping[str, Any]
    path: str
    url: str = ""
    owner: Located | None = None

    @property
    def kind(self) -> str:
        """The resource's type."""
        return text(self.resource, "resourceType")

    @property
    def id(self) -> str:
        """Its id, where it has one."""
        return text(self.resource, "id")


@dataclass(frozen=True, slots=True)
class Document:
    """Everything one body holds.

    Attributes:
        parameters: those of a Parameters resource beside the panel, each with its place.
        bundle: the Bundle itself, without its entries being looked at.
        problems: what is to be told of the document as a whole.
        by_kind: the resources of each type.
        index: the resources that each reference finds; more than one where a sender gave several
            the same address.
    """

    resources: tuple[Located, ...]
    parameters: tuple[Parameter, ...] = ()
    bundle: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[Place, ...] = ()
    index: Mapping[str, tuple[Located, ...]] = field(init=False)
    by_kind: Mapping[str, tuple[Located, ...]] = field(init=False)

    def __post_init__(self) -> None:
        """Note by which references each resource is found, and where several share one."""
        found: dict[str, dict[str, Located]] = {}
        for one in self.resources:
            for name in _references(one):
                found.setdefault(name, {})[one.path] = one
        for one in self.resources:
            if "/" in one.url:
                found.setdefault("/".join(one.url.split("/")[-2:]), {})[one.path] = one
        index = {name: _unlike(several.values()) for name, several in found.items()}
        problems = dict.fromkeys((*self.problems, *_shared(index)))
        object.__setattr__(self, "index", index)
        object.__setattr__(self, "by_kind", _by_kind(self.resources))
        object.__setattr__(self, "problems", tuple(problems))

    def of(self, kind: str) -> tuple[Located, ...]:
        """The resources of one type, in their order."""
        return self.by_kind.get(kind, ())

    def find(self, reference: object, origin: Located) -> Located | None:
        """What a Reference points at; of several of one address the first.

        That several have it is a problem of the document; nobody's results are given to another for
        it, since whose they are is asked of `all_of`.
        """
        return next(iter(self.all_of(reference, origin)), None)

    def all_of(self, reference: object, origin: Located) -> tuple[Located, ...]:
        """What a Reference may point at.

        By its address, beside the one who refers where it is relative; then by type and id; then
        among the contained.
        """
        target = text(reference, "reference").strip() if isinstance(reference, dict) else ""
        if not target:
            return ()
        if target.startswith("#"):
            return self.index.get(f"{(origin.owner or origin).path}#{target[1:]}", ())
        whole = target.split("?")[0].partition("/_history/")[0]
        short = "/".join(whole.split("/")[-2:])
        beside = f"{_server(origin)}{short}" if short == whole else whole
        for name in (beside, target, short):
            if name in self.index:
                return self.index[name]
        return ()


def _by_kind(resources: Iterable[Located]) -> dict[str, tuple[Located, ...]]:
    found: dict[str, list[Located]] = {}
    for one in resources:
        found.setdefault(one.kind, []).append(one)
    return {kind: tuple(several) for kind, several in found.items()}


def _unlike(several: Iterable[Located]) -> tuple[Located, ...]:
    """Resources of one address, without those that say the same as the first."""
    first, *others = several
    return first, *(one for one in others if one.resource != first.resource)


def _shared(index: Mapping[str, tuple[Located, ...]]) -> Iterator[Place]:
    """Each resource whose own address an earlier and different one has too."""
    for name, several in index.items():
        for one in several[1:]:
            if name == one.url:
                message = "has the address of an earlier entry; references to it reach that one"
                yield Place(one.path, "structure", message)


def _server(origin: Located) -> str:
    """The base that a relative reference is meant on: that of whoever refers."""
    url = (origin.owner or origin).url
    parts = url.split("/")
    return f"{'/'.join(parts[:-2])}/" if "://" in url and len(parts) > _TYPE_AND_ID else ""


def _references(one: Located) -> Iterator[str]:
    """Its full URL and `Type/id`; a contained one is found from within its owner only."""
    if one.owner is not None:
        yield f"{one.owner.path}#{one.id}"
        return
    if one.url:
        yield one.url
    if one.id:
        yield f"{one.kind}/{one.id}"


def document_of(root: object) -> Document:
    """A parsed body taken apart.

    Raises:
        UnsupportedFormat: FHIR, but of a kind or version that is not read.
        SubmissionError: no FHIR resource.
    """
    kind = text(root, "resourceType")
    if not isinstance(root, dict) or not kind:
        raise _refused("resourceType", "a FHIR resource names its resourceType")
    if kind == "Parameters":
        return _of_parameters(root)
    if kind == "Bundle":
        return _of_bundle(root, "Bundle")
    if kind in _LONE:
        return Document(tuple(_with_contained(Located(root, kind))))
    raise _refused("resourceType", f"a {quoted(kind)} is not read; send one of {', '.join(ROOTS)}")


def loose(resources: Iterable[Located]) -> Document:
    """Resources that came one by one, as a document."""
    return Document(tuple(each for one in resources for each in _with_contained(one)))


def bundle_identifier(root: object) -> str | None:
    """`system|value` of the Bundle's own identifier, by which a sender sends it again."""
    if text(root, "resourceType") == "Parameters":
        panel, _ = parameters_of(root)
        root = inner(panel[1], "resource") if panel else {}
    identifier = inner(root, "identifier")
    value = text(identifier, "value")
    return f"{text(identifier, 'system')}|{value}" if value else None


def parameters_of(root: object) -> tuple[Parameter | None, tuple[Parameter, ...]]:
    """The parameter that holds the panel, and those beside it."""
    listed = [(f"Parameters.parameter[{n}]", one) for n, one in enumerate(items(root, "parameter"))]
    holding = [one for one in listed if inner(one[1], "resource")]
    named = (one for one in holding if text(one[1], "name") in _PANELS)
    panel = next(named, None) or next(iter(holding), None)
    return panel, tuple(one for one in listed if one is not panel)


def _of_parameters(root: Mapping[str, Any]) -> Document:
    """The panel of `$interpret-panel`, with the other parameters beside it."""
    panel, others = parameters_of(root)
    if panel is None:
        raise _refused("Parameters.parameter", "a parameter `panel` holds the Bundle or report")
    path, resource = f"{panel[0]}.resource", inner(panel[1], "resource")
    if text(resource, "resourceType") == "Bundle":
        found = _of_bundle(resource, path)
    elif text(resource, "resourceType") in _LONE:
        found = Document(tuple(_with_contained(Located(resource, path))))
    else:
        raise _refused(path, "must be a Bundle, a DiagnosticReport or an Observation")
    return Document(found.resources, others, found.bundle, found.problems)


def _of_bundle(root: Mapping[str, Any], path: str) -> Document:
    kind = text(root, "type")
    if kind and kind not in _READ_BUNDLES:
        known = ", ".join(_READ_BUNDLES)
        raise _refused(f"{path}.type", f"a Bundle of type {quoted(kind)} is not read; {known} are")
    resources: list[Located] = []
    problems: list[Place] = []
    for index, entry in enumerate(items(root, "entry")):
        where = f"{path}.entry[{index}].resource"
        resource = inner(entry, "resource")
        name = text(resource, "resourceType")
        if not name:
            problems.append(Place(where, "structure", "has no resource with a resourceType"))
        elif name == "OperationOutcome":
            problems.extend(_outcome(resource, where))
        elif name == "Bundle":
            nested = _nested(resource, where)
            resources.extend(nested.resources)
            problems.extend(nested.problems)
        elif text(inner(entry, "request"), "method").upper() == "DELETE":
            problems.append(Place(where, "not-supported", "nothing is deleted here"))
        else:
            resources.extend(_with_contained(Located(resource, where, text(entry, "fullUrl"))))
            if not _KNOWN.match(name):
                message = "is a resource that is not read; it was kept and not interpreted"
                problems.append(Place(where, "not-supported", message))
    if kind == "searchset" and any(text(one, "relation") == "next" for one in items(root, "link")):
        message = "the search has more pages, which were not sent; what they hold is not in this"
        problems.append(Place(f"{path}.link", "more-pages", message))
    return Document(tuple(resources), (), root, tuple(problems))


def _nested(root: Mapping[str, Any], path: str) -> Document:
    """A Bundle within a Bundle; one of a kind that is not read is told and loses only itself."""
    try:
        return _of_bundle(root, path)
    except SubmissionError as error:
        return Document((), problems=error.errors)


def _with_contained(one: Located) -> Iterator[Located]:
    """A resource and all within it; what a contained one contains is found from the outermost."""
    yield one
    for index, resource in enumerate(items(one.resource, "contained")):
        if text(resource, "resourceType"):
            path = f"{one.path}.contained[{index}]"
            yield from _with_contained(Located(resource, path, "", one.owner or one))


def _outcome(resource: Mapping[str, Any], path: str) -> Iterator[Place]:
    for index, issue in enumerate(items(resource, "issue")):
        said = text(inner(issue, "details"), "text") or text(issue, "diagnostics")
        message = f"the sender's own server says: {quoted(said or text(issue, 'code'))}"
        yield Place(f"{path}.issue[{index}]", "sender-outcome", message)


def _refused(where: str, message: str) -> SubmissionError:
    return SubmissionError(
        f"{where}: {message}.",
        code="submission-invalid",
        errors=(Place(where, "structure", message),),
    )


def refuse_other_versions(body: bytes) -> None:
    """FHIR in XML is refused by name; it would be half read otherwise.

    Raises:
        UnsupportedFormat: XML.
    """
    if body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise UnsupportedFormat(
            "FHIR as XML is not read; send FHIR R4 as JSON.", code="version-unsupported"
        )


# ---- members of foreign JSON


def inner(node: object, name: str) -> dict[str, Any]:
    """A member that is an object; empty when it is none."""
    found = node.get(name) if isinstance(node, dict) else None
    return found if isinstance(found, dict) else {}


def items(node: object, name: str) -> list[dict[str, Any]]:
    """The objects of a member that is a list (or, as STU3 has it, one object).

    What is no object counts as an empty one, so that an index is that of the sender.
    """
    found = node.get(name) if isinstance(node, dict) else None
    if isinstance(found, dict):
        return [found]
    listed = found if isinstance(found, list) else []
    return [one if isinstance(one, dict) else {} for one in listed]


def text(node: object, name: str) -> str:
    """A member as text; a number keeps its digits, all else is empty."""
    found = node.get(name) if isinstance(node, dict) else None
    if isinstance(found, NumberLiteral):
        return found.text
    return found if isinstance(found, str) else ""


def codings(concept: object) -> list[tuple[str, str, str]]:
    """System, code and display of each coding that has a code."""
    return [
        (text(one, "system").strip(), text(one, "code").strip(), text(one, "display"))
        for one in items(concept, "coding")
        if quotable(text(one, "code")).strip()
    ]


def code_in(concept: object, *codes: str) -> bool:
    """Is one of these among the concept's codes, in whatever system?"""
    return any(code in codes for _, code, _ in codings(concept))


def words(concept: object) -> str:
    """A concept in words: its text, else the first display, else the first code."""
    said = text(concept, "text").strip()
    listed = codings(concept)
    return (
        said or next((one[2] for one in listed if one[2]), "") or (listed[0][1] if listed else "")
    )


def line(said: str, longest: int = 200) -> str:
    """Foreign text on one line, short enough for the panel's form."""
    return quotable(" ".join(said.split()))[:longest].strip()


def quotable(said: str) -> str:
    """Foreign text without the characters that no text may hold."""
    return permitted(said)


def says(said: str, *what: str) -> bool:
    """Is one of these words in a text, whatever its case and accents?"""
    plain = f" {folded(said)} "
    return any(word in plain for word in what)
