"""For whom the rules were written: adults who are not pregnant, unless a rule says more.

Under 18 and in pregnancy critical limits, red flags and artefacts stay; every other rule answers
"cannot tell".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from labinterp.interpretation.conditions import leaves
from labinterp.interpretation.intervals import is_child
from labinterp.model.interpretation import Finding, Undecided
from labinterp.model.rule import ConditionIs, Rule

if TYPE_CHECKING:
    from labinterp.model.patient import Patient

_PREGNANCY: Final = "pregnancy"


@dataclass(frozen=True, slots=True)
class Scope:
    """Whether the adult rules speak for this patient, and the notice where they do not."""

    notice: str | None = None
    is_pregnancy_only: bool = False

    def covers(self, rule: Rule) -> bool:
        """Does this rule speak for this patient? One that asks about pregnancy speaks for them."""
        if self.notice is None:
            return True
        return self.is_pregnancy_only and any(
            isinstance(leaf, ConditionIs) and _PREGNANCY in leaf.conditions
            for leaf in leaves(rule.when)
        )

    def undecided(self, one: Finding) -> Undecided:
        """A finding that the adult rules would make, left open."""
        return Undecided(one.rule, one.title, (), f"cannot tell; {self.notice}")


def scope_of(patient: Patient) -> Scope:
    """The scope for this patient."""
    if is_child(patient):
        return Scope(
            "the rules are for adults: under 18 only critical limits and red flags are judged"
        )
    if patient.pregnancy == "pregnant":
        return Scope(
            (
                "the rules are for those not pregnant: in pregnancy only critical limits "
                "and red flags are judged"
            ),
            is_pregnancy_only=True,
        )
    return Scope()
