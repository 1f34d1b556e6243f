"""What was agreed with one sending system: one document, checked by this schema."""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from marshmallow import ValidationError

from labinterp.errors import Place
from labinterp.formats.faults import places, refusal
from labinterp.formats.fields import Base, Text, Word, WordTable

if TYPE_CHECKING:
    from collections.abc import Mapping

_POLICIES: Final = ("lab-then-service", "lab-only", "service-only")


class SenderSettingsSchema(Base):
    """What was agreed with one sending system."""

    codes = WordTable(
        metadata={
            "description": "Its local codes, each with the measurand it means",
            "example": {"MAG": "magnesium"},
        }
    )
    units = WordTable(
        metadata={
            "description": "Its own names of units, each with the unit meant",
            "example": {"MMOLL": "mmol/L"},
        }
    )
    flags = WordTable(
        metadata={
            "description": "Its own flag letters, each with the letter of table 0078",
            "example": {"B": "L", "E": "H"},
        }
    )
    zone = Text(
        60,
        metadata={
            "description": "Time zone of times without an offset",
            "example": "Europe/Paris",
        },
    )
    charset = Text(
        40,
        metadata={
            "description": "Character set of messages that do not say theirs",
            "example": "8859/1",
        },
    )
    range_policy = Word(
        _POLICIES, metadata={"description": "Whose intervals decide, where a message does not say"}
    )
    missing_patient = Word(
        ("accept", "refuse"),
        metadata={
            "description": "Whether results without a patient are taken",
            "example": "accept",
        },
    )
    acknowledgements = Word(
        ("one", "both"),
        metadata={
            "description": "In enhanced mode: one answer, or the accept answer (CA) before it",
            "example": "one",
        },
    )


SCHEMA: Final = SenderSettingsSchema()


@dataclass(frozen=True, slots=True)
class SenderSettings:
    """The same as a noun; empty where nothing was agreed.

    Attributes:
        codes: local code to measurand.
        units: the sender's unit to the unit meant.
        flags: the sender's letter to that of table 0078.
    """

    codes: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, str] = field(default_factory=dict)
    zone: str = ""
    charset: str = ""
    range_policy: str = ""
    missing_patient: Literal["accept", "refuse"] = "accept"
    acknowledgements: Literal["one", "both"] = "one"


PLAIN: Final = SenderSettings()
"""Nothing was agreed."""


def settings_of(document: Mapping[str, Any]) -> SenderSettings:
    """The settings that a document says.

    Raises:
        SubmissionError: it is not what the schema says; each place is named.
    """
    try:
        loaded = SCHEMA.load(dict(document))
    except ValidationError as error:
        raise refusal(places(error.messages, "settings"), most=100) from None
    zone = loaded.get("zone")
    if zone and zone not in zoneinfo.available_timezones():
        message = "is no time zone, such as Europe/Paris"
        raise refusal((Place("zone", "not-allowed", message),), most=1)
    return SenderSettings(**{name: said for name, said in loaded.items() if said is not None})
