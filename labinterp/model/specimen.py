"""What was drawn, into what, how it travelled and how it looked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Specimen:
    """A specimen's material, container and condition.

    Attributes:
        material: as stated (`serum`).
        fields: the fields of the clinical sheet (`type`, `haemolysis`, `site`, …) to their word or
            number;
            a field not stated is absent.
        haemolysis_index: the number as sent, when sent; its meaning is the laboratory's own.
    """

    material: str | None = None
    container: str | None = None
    fields: Mapping[str, str | Decimal] = field(default_factory=dict)
    haemolysis_index: Decimal | None = None
    comment: str | None = None
