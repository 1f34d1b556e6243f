"""Which release of FHIR a document is of: R4 is read, another that it names is refused by name.

What other releases call otherwise is read where it means the same (`related`, `comments`, a family
name in parts), and that it was met is told; so a document is never half read in silence.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from labinterp.errors import Place, UnsupportedFormat
from labinterp.formats.fhir_document import inner, items, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from labinterp.formats.fhir_document import Located

_RELEASE: Final = r"DSTU1|DSTU2|STU3|R5|R6|0\.[0-9]|1\.[0-9]|3\.[0-9]|5\.[0-9]|6\.[0-9]"
_OF_HL7: Final = re.compile(
    r"https?://(?:www\.)?hl7\.org/fhir/"
    rf"(?:StructureDefinition/[^/|]+\|)?(?P<word>{_RELEASE})(?:[./|-]|$)",
    re.IGNORECASE | re.ASCII,
)
"""HL7's own addresses of a release, or of its base profiles; anybody's profile has its version."""
_NUMBER: Final = re.compile(rf"(?P<word>{_RELEASE})(?:[.-]|$)", re.ASCII)
_RELEASES: Final = {"0": "DSTU1", "1": "DSTU2", "3": "STU3", "5": "R5", "6": "R6"}
_OTHERS: Final = {
    "comments": "DSTU2",
    "comment": "STU3",
    "related": "STU3",
    "triggeredBy": "R5",
    "bodyStructure": "R5",
    "medication": "R5",
}
"""Members of an Observation or medicine that R4 does not have, and the release that has."""


def refuse_other_releases(root: object) -> None:
    """A document that names another release than R4 itself is refused by that name.

    Raises:
        UnsupportedFormat: `version-unsupported`.
    """
    profiles = inner(root, "meta").get("profile")
    listed = profiles if isinstance(profiles, list) else [profiles]
    said = [("implicitRules", text(root, "implicitRules"))]
    said += [("meta.profile", one) for one in listed if isinstance(one, str)]
    matches = [(member, _OF_HL7.match(one)) for member, one in said]
    matches.append(("fhirVersion", _NUMBER.match(text(root, "fhirVersion"))))
    for member, found in matches:
        if found:
            word = found["word"].upper()
            release = _RELEASES.get(word[0], word) if word[0].isdigit() else word
            message = f"is FHIR {release}; only R4 (4.0) is read"
            raise UnsupportedFormat(
                f"The document {message}.",
                code="version-unsupported",
                errors=(
                    Place(f"{text(root, 'resourceType')}.{member}", "version-unsupported", message),
                ),
            )


def met_otherwise(one: Located) -> Iterator[Place]:
    """The members of a resource that are of another release, by their place."""
    if one.kind not in ("Observation", "MedicationStatement", "MedicationRequest"):
        return
    for name, release in _OTHERS.items():
        if name in one.resource and not (one.kind == "Observation" and name == "medication"):
            message = f"is of FHIR {release}; it was read where R4 has the same"
            yield Place(f"{one.path}.{name}", "version-unsupported", message)
    for index, each in enumerate(items(one.resource, "referenceRange")):
        yield from _of_range(each, f"{one.path}.referenceRange[{index}]")


def _of_range(sent: Mapping[str, Any], path: str) -> Iterator[Place]:
    for name, release in (("meaning", "DSTU2"), ("normalValue", "R5")):
        if name in sent:
            message = f"is of FHIR {release}; it was read where R4 has the same"
            yield Place(f"{path}.{name}", "version-unsupported", message)
