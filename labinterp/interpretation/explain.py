"""Do these results explain the twitching? Symptom by symptom, then as one verdict.

The verdict is that of the strongest mechanism. Where none reaches "possible", it is said plainly
that the results do not explain it, or that what would decide it cannot be relied on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from labinterp.interpretation.findings import Doubts, finding
from labinterp.interpretation.grading import (
    EYELID_CAP,
    HEMIFACIAL,
    ONE_SIDED_CAP,
    ORDER,
    PROVISIONAL_CAP,
    Case,
    Graded,
    grade,
    weaker,
)
from labinterp.interpretation.keeping import kept
from labinterp.interpretation.sentences import Teller, sentence_case
from labinterp.model.interpretation import Explanation, Finding, SymptomVerdict, Undecided
from labinterp.model.patient import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterable

    from labinterp.model.codes import Strength, Verdict
    from labinterp.model.knowledge import Knowledge

JUDGED_BY: Final = frozenset(
    {
        "magnesium",
        "calcium",
        "adjusted_calcium",
        "ionized_calcium",
        "potassium",
        "sodium",
        "vitamin_b12",
    }
)
"""When one of these was reported and cannot be used, "unlikely" becomes "cannot tell"."""
_GENERAL: Final = frozenset({"twitch", "hyperexcitability"})
_WAYS: Final = {"low": "down", "high": "up"}
_BY_SEVERITY: Final = "grade-by-severity-not-by-flag"
_PER_SYMPTOM: Final = "grade-per-symptom"
_OVERALL: Final = "overall-grade"
_NOTHING_FITS: Final = "say-when-nothing-fits"


@dataclass(frozen=True, slots=True)
class Explained:
    """The verdict and everything behind it.

    Attributes:
        drivers: mechanisms that reach the verdict in their own right.
        active: mechanisms that act, for or against twitching; the causal paths follow them.
    """

    verdict: Verdict
    text: str
    rules: tuple[str, ...]
    drivers: tuple[str, ...]
    per_symptom: tuple[SymptomVerdict, ...]
    mechanisms: tuple[Finding, ...]
    undecided: tuple[Undecided, ...]
    active: tuple[str, ...]


def explain(case: Case, doubts: Doubts, unanswerable: Iterable[str]) -> Explained:
    """The verdict on the recorded symptoms.

    Args:
        case: the panel as mechanisms see it.
        doubts: artefacts by the measurand they could have produced.
        unanswerable: measurands that were reported and can decide nothing: implausible, or
            explained by a probable artefact without a substitute.
    """
    graded, open_ones = grade(case)
    verdict = _verdict(graded, unanswerable)
    drivers = _drivers(graded, verdict)
    symptoms = (_for_symptom(one, graded, case) for one in _once(case.patient.symptoms))
    teller = Teller(case.knowledge, case.reported)
    mechanisms = [_finding(one, case, teller, doubts) for one in graded]
    return Explained(
        verdict=verdict,
        text=_text(verdict, graded, drivers, case),
        rules=_rules_used(verdict, graded),
        drivers=drivers,
        per_symptom=tuple(one for one in symptoms if one is not None),
        mechanisms=tuple(sorted(mechanisms, key=_rank)),
        undecided=open_ones,
        active=tuple(
            one.rule.id for one in graded if one.strength in ("likely", "possible", "opposes")
        ),
    )


def _once(symptoms: Iterable[Symptom]) -> tuple[Symptom, ...]:
    """Each recorded symptom once; of a one-sided and a plain record the one-sided counts."""
    chosen: dict[str, Symptom] = {}
    for symptom in symptoms:
        if symptom.id not in chosen or symptom.side in ("left", "right"):
            chosen[symptom.id] = symptom
    return tuple(chosen.values())


# ---- symptoms


def strength_for(symptom: Symptom, one: Graded, case: Case) -> Strength | None:
    """How strongly a mechanism accounts for one symptom; None when it says nothing of it."""
    if one.strength is None:
        return None
    term = case.knowledge.terms.get("symptom", {}).get(symptom.id)
    by_sign = one.rule.by_sign.get(symptom.id)
    if term is not None and term.domain in _GENERAL:
        strength = weaker(one.strength, by_sign or one.strength)
    elif by_sign is None:
        return None
    else:
        strength = "unlikely" if one.strength == "unlikely" else by_sign
    if case.is_one_sided(symptom):
        return weaker(strength, one.rule.by_sign.get(HEMIFACIAL, "unlikely"))
    return strength


def _for_symptom(symptom: Symptom, graded: tuple[Graded, ...], case: Case) -> SymptomVerdict | None:
    """The highest strength over all mechanisms.

    Nothing is said of a symptom that is no twitch and that no mechanism speaks of.
    """
    term = case.knowledge.terms.get("symptom", {}).get(symptom.id)
    label = term.label if term else symptom.id
    strengths = {one.rule.id: strength_for(symptom, one, case) for one in graded}
    stated = {rule: strength for rule, strength in strengths.items() if strength is not None}
    hidden = tuple(one.rule.id for one in graded if _might_account(one, symptom))
    highest = max(stated.values(), key=ORDER.index, default=None)
    if highest in ("likely", "possible") or (highest is not None and not hidden):
        rules = tuple(rule for rule, one in stated.items() if one == highest)
        return SymptomVerdict(symptom.id, label, highest, rules)
    if term is None or term.domain not in _GENERAL:
        return None
    return SymptomVerdict(symptom.id, label, "cannot_tell" if hidden else "not_explained", hidden)


def _might_account(one: Graded, symptom: Symptom) -> bool:
    """Might a mechanism that an artefact hides account for this symptom?"""
    by_sign = one.rule.by_sign.get(symptom.id, "possible")
    return one.strength is None and by_sign in ("likely", "possible")


# ---- the verdict


def _verdict(graded: Iterable[Graded], unanswerable: Iterable[str]) -> Verdict:
    """Likely or possible if a mechanism reaches it; else cannot tell where a value is unusable."""
    strengths = {one.strength for one in graded}
    if "likely" in strengths:
        return "likely"
    if "possible" in strengths:
        return "possible"
    if JUDGED_BY.intersection(unanswerable):
        return "cannot_tell"
    if "opposes" in strengths or not strengths:
        return "not_explained"
    return "unlikely"


def _drivers(graded: Iterable[Graded], verdict: Verdict) -> tuple[str, ...]:
    """The mechanisms that reach the verdict in their own right."""
    if verdict not in ("likely", "possible"):
        return ()
    reaching = [one for one in graded if one.strength == verdict]
    own = [one.rule.id for one in reaching if not one.inherited]
    return tuple(own or [one.rule.id for one in reaching])


def _rules_used(verdict: Verdict, graded: Iterable[Graded]) -> tuple[str, ...]:
    caps = {one.cap for one in graded if one.cap}
    used = (_BY_SEVERITY, _PER_SYMPTOM, _OVERALL, *sorted(caps))
    return (*used, _NOTHING_FITS) if verdict in ("unlikely", "not_explained") else used


# ---- in words


def _text(
    verdict: Verdict, graded: tuple[Graded, ...], drivers: tuple[str, ...], case: Case
) -> str:
    """The verdict in a few sentences, as something to consider."""
    titles = [_lowered(case.knowledge.mechanisms[one].title) for one in drivers]
    text = [_first_sentence(verdict, titles), *_cap_sentences(graded, case)]
    by_itself = _opposing(case.knowledge)
    opposing = [
        _lowered(one.rule.title)
        for one in graded
        if one.strength == "opposes" and one.rule.id in by_itself
    ]
    if opposing:
        lowers = "lower excitability and are" if len(opposing) > 1 else "lowers excitability and is"
        text.append(f"{sentence_case(_listed(opposing))} {lowers} no explanation.")
    if not case.motor_symptoms:
        text.append("No twitching was recorded with this panel.")
    return " ".join(text)


@kept(most=8)
def _opposing(knowledge: Knowledge) -> frozenset[str | None]:
    """Mechanisms that work against excitability by themselves."""
    return frozenset(step.mechanism for step in knowledge.paths if step.opposes)


def _first_sentence(verdict: Verdict, titles: list[str]) -> str:
    named = _listed(titles)
    accepted = "are accepted causes" if len(titles) > 1 else "is an accepted cause"
    sentences: dict[Verdict, str] = {
        "likely": f"These results are a likely explanation: at this degree {named} {accepted} "
        "of overexcitable nerve and muscle.",
        "possible": f"These results may contribute: {named} can raise excitability; "
        "a second cause should be looked for.",
        "unlikely": "These results are an unlikely explanation; consider another cause.",
        "not_explained": "These results do not explain twitching; consider another cause.",
        "cannot_tell": "The results that would decide it cannot be relied on, "
        "and a repeat is needed first.",
    }
    return sentences[verdict]


def _cap_sentences(graded: Iterable[Graded], case: Case) -> list[str]:
    """What held a mechanism back, a sentence each."""
    caps = {one.cap for one in graded}
    said = []
    if EYELID_CAP in caps:
        said.append("With an isolated eyelid twitch no result is more than a possible cause.")
    if ONE_SIDED_CAP in caps:
        said.append("A one-sided facial movement is not attributed to a metabolic cause alone.")
    if PROVISIONAL_CAP in caps:
        said.append(
            "The calcium is not reliably adjusted for albumin: ionised calcium is needed before "
            "it counts more."
        )
    facts = case.facts
    if facts.blocked:
        names = _listed([facts.name(name) for name in facts.blocked if name in facts.results])
        titles = _listed(list(dict.fromkeys(map(_lowered, facts.blocked.values()))))
        said.append(f"{names[:1].upper()}{names[1:]}: pattern fits {titles}.")
    return said


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def _lowered(title: str) -> str:
    return title if title[:2].isupper() else title[:1].lower() + title[1:]


# ---- findings


def _finding(one: Graded, case: Case, teller: Teller, doubts: Doubts) -> Finding:
    """A graded mechanism as a finding; one that an artefact hides explains nothing and says why."""
    notes = (one.line.note,) if one.line.note else ()
    return finding(
        one.rule,
        one.weighed,
        teller,
        doubts=doubts,
        certain="cannot_tell" if one.strength is None else None,
        kind="mechanism",
        strength=one.strength,
        explains=_explains(one, case),
        affects=one.weighed.about,
        caveats=(*notes, *_pushed_by(one, case, teller), *one.rule.caveats),
    )


def _pushed_by(one: Graded, case: Case, teller: Teller) -> tuple[str, ...]:
    """The recorded medicines and conditions that push this measurand the way it went."""
    way = _WAYS.get(one.rule.direction)
    recorded = {"medication": case.patient.medications, "condition": case.patient.conditions}
    told = [
        teller.term(kind, (name,))
        for kind, names in recorded.items()
        for name in names
        if (term := case.knowledge.terms.get(kind, {}).get(name)) is not None
        and way is not None
        and term.effects.get(one.rule.measurand) == way
    ]
    if not told:
        return ()
    verb = "lower" if way == "down" else "raise"
    return (f"Recorded, and able to {verb} it: {', '.join(dict.fromkeys(told))}.",)


def _explains(one: Graded, case: Case) -> tuple[Explanation, ...]:
    """What it explains of the recorded symptoms; where none is recorded, of its known signs."""
    terms = case.knowledge.terms.get("symptom", {})
    symptoms = _once(case.patient.symptoms) or tuple(
        Symptom(sign) for sign in one.rule.by_sign if sign in terms
    )
    strengths = ((symptom, strength_for(symptom, one, case)) for symptom in symptoms)
    return tuple(
        Explanation(
            symptom.id, terms[symptom.id].label if symptom.id in terms else symptom.id, strength
        )
        for symptom, strength in strengths
        if strength is not None
    )


def _rank(one: Finding) -> tuple[int, str]:
    place = ORDER.index(one.strength) if one.strength in ORDER else -1
    return -place, one.rule
