"""From documents to the one frozen Knowledge; the folder a file lies in says what it is."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final, TypeVar

from labinterp.errors import Place
from labinterp.knowledge import measurands as measurands_
from labinterp.knowledge import patient, rules, settings, terms
from labinterp.knowledge.entry import Entry
from labinterp.knowledge.reader import Document, Fault, refusal
from labinterp.model.knowledge import Knowledge, Term
from labinterp.model.patient_text import PatientKnowledge
from labinterp.model.spelling import folded_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from labinterp.model.measurand import Measurand

VERSION: Final = "2026.11.0"
"""Calendar version of the medical content; the digest tells any two states apart."""

TERM_KINDS: Final = ("symptom", "medication", "condition", "history")
T = TypeVar("T")


class Library:
    """The documents by folder, with builders that turn a Fault into file and line."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self._documents = {document.name: document for document in documents}

    def each(self, folder: str, build: Callable[[Entry], T]) -> Iterable[T]:
        """What `build` makes of every file in the folder."""
        return [self._built(d, build) for d in self.folder(folder)]

    def one(self, name: str, build: Callable[[Entry], T]) -> T:
        """What `build` makes of one file."""
        if name not in self._documents:
            raise refusal([Place(f"{name}:1", "knowledge-invalid", "the file is missing")])
        return self._built(self._documents[name], build)

    def folder(self, folder: str) -> list[Document]:
        """The documents below a folder."""
        return [d for name, d in self._documents.items() if name.startswith(f"{folder}/")]

    def versioned(self, folder: str, build: Callable[[Entry, str], T]) -> Iterable[T]:
        """What `build` makes of every file, given the file's own short digest."""
        return [
            self._built(d, lambda entry, d=d: build(entry, content_version(d)))  # type: ignore[misc]
            for d in self.folder(folder)
        ]

    def _built(self, document: Document, build: Callable[[Entry], T]) -> T:
        try:
            return build(Entry(document.data))
        except Fault as fault:
            raise refusal([document.place(fault.where, fault.message)]) from fault


def content_version(document: Document) -> str:
    """Changes when the file's content does, not when its comments do."""
    canonical = json.dumps(document.data, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def knowledge(documents: Sequence[Document], digest: str) -> Knowledge:
    """Everything the documents say, linked.

    Args:
        documents: the files of the folder, schema-checked.
        digest: SHA-256 over the files.

    Raises:
        KnowledgeError: a value cannot be what its place asks for.
    """
    library = Library(documents)
    bare = _measurands(library)
    sets = library.one("range_sets.yaml", lambda e: settings.range_sets(e, bare))
    found = library.one("policies.yaml", lambda e: settings.titled(bare, sets, e))
    pieces = _pieces(library)
    return Knowledge(
        version=VERSION,
        digest=digest,
        measurands=found,
        range_sets=sets,
        schemes=settings.schemes(found, pieces["formulas"].values()),
        decision_schemes=library.one(
            "policies.yaml", lambda e: settings.decision_schemes(e, found)
        ),
        policies=library.one("policies.yaml", lambda e: settings.policies(e, found)),
        ambiguous_names=_ambiguous(library),
        reviews={
            document.name: library.one(document.name, rules.review)
            for document in documents
            if "review" in document.data
        },
        **_rules(library),
        **pieces,
        **_vocabulary(library),
        **_settings(library),
        patient=PatientKnowledge(
            rules=library.one(patient.RULES, patient.rules),
            texts={told.language: told for told in library.each(patient.TEXTS, patient.texts)},
        ),
    )


def _measurands(library: Library) -> dict[str, Measurand]:
    return {m.id: m for group in library.each("analytes", measurands_.measurands) for m in group}


def _ambiguous(library: Library) -> dict[str, tuple[str, ...]]:
    """Names that mean more than one measurand, with all of them."""
    pairs: dict[str, list[str]] = {}
    for document in library.folder("analytes"):
        for row in Entry(document.data).rows("measurands"):
            for name in row.texts("ambiguous_names"):
                pairs.setdefault(folded_name(name), []).append(row.text("id"))
    return {name: tuple(ids) for name, ids in pairs.items()}


def _by_id(items: Iterable[Any]) -> dict[str, Any]:
    return {item.id: item for item in items}


def _rules(library: Library) -> dict[str, Any]:
    return {
        "artefacts": _by_id(library.versioned("artefacts", rules.artefact)),
        "patterns": _by_id(library.versioned("patterns", rules.pattern)),
        "mechanisms": _by_id(library.versioned("mechanisms", rules.mechanism)),
        "red_flags": _by_id(library.versioned("red_flags", rules.red_flag)),
        "urgency_rules": _by_id(library.versioned("urgency", rules.urgency_rule)),
    }


def _pieces(library: Library) -> dict[str, Any]:
    return {
        "formulas": _by_id(library.versioned("formulas", terms.formula)),
        "next_steps": _by_id(library.each("next_steps", terms.step)),
        "causes": _by_id(library.each("causes", terms.cause)),
        "advice": _by_id(library.each("advice", terms.advice)),
    }


def _vocabulary(library: Library) -> dict[str, Any]:
    documents = {d.data.get("kind"): d for d in library.folder("vocabulary")}
    found: dict[str, Mapping[str, Term]] = {}
    for kind in TERM_KINDS:
        rows = Entry(documents[kind].data).rows("terms") if kind in documents else ()
        found[kind] = _by_id([terms.term(kind, row) for row in rows])
    symptoms = Entry(documents["symptom"].data)
    return {
        "terms": found,
        "symptom_groups": {
            name: tuple(words) for name, words in (symptoms.data.get("groups") or {}).items()
        },
        "specimen_fields": library.one("vocabulary/specimen.yaml", settings.specimen_fields),
    }


def _settings(library: Library) -> dict[str, Any]:
    units, policies, the_map = "units.yaml", "policies.yaml", "map.yaml"
    return {
        "sources": library.one("sources.yaml", settings.sources),
        "unit_spellings": library.one(units, settings.unit_spellings),
        "case_sensitive_spellings": library.one(units, settings.case_sensitive),
        "printed_units": library.one(units, settings.printed_units),
        "defaults": library.one(policies, settings.defaults),
        "critical_policies": library.one(policies, settings.critical_policies),
        "critical_fallbacks": library.one(
            policies,
            lambda e: (
                *e.words("critical_default_by_country").values(),
                *e.texts("critical_asked_when_silent"),
            ),
        ),
        "twitch_rules": library.one(policies, settings.twitch_rules),
        "named_conditions": library.one(policies, settings.named_conditions),
        "finding_codes": library.one(policies, settings.finding_codes),
        "ignores_normal_ionised": library.one(
            policies, lambda e: e.inner("calcium_resolution").texts("ignores_normal_ionised")
        ),
        "nodes": library.one(the_map, lambda e: e.words("nodes")),
        "paths": library.one(the_map, settings.path_steps),
        "statements": {
            document.data["language"]: Entry(document.data).words("statements")
            for document in library.folder("texts")
            if document.name.endswith("/statements.yaml")
        },
    }
