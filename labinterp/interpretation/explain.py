"""Do these results explain the twitching? Mechanism by mechanism, symptom by symptom.

Then as one verdict.

The first line of a mechanism's grading that holds gives its strength; a bare flag is never enough
for "likely". Caps
come after: for an isolated eyelid twitch, for a one-sided face, for a calcium that is only
provisional. What a
probable artefact could have produced is shown with its doubt and explains nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from labinterp.interpretation import conditions
from labinterp.interpretation.conditions import Weighed, weigh
from labinterp.interpretation.facts import ADJUSTED_CALCIUM, Facts
from labinterp.interpretation.findings import Doubts, about, finding, silenced, undecided
from labinterp.interpretation.sentences import Teller
from labinterp.model.interpretation import Explanation, Finding, SymptomVerdict, Undecided
from labinterp.model.patient import Patient, Symptom

if TYPE_CHECKING:
    from collections.abc import Iterable

    from labinterp.model.codes import Strength, Verdict
    from labinterp.model.knowledge import Knowledge
    from labinterp.model.rule import Grading, Mechanism

ORDER: Final[tuple[Strength, ...]] = ("opposes", "unlikely", "possible", "likely")
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
"""Without a usable value of one of these that was reported, the verdict is cannot tell.

Not unlikely.
"""
_MOTOR: Final = frozenset({"twitch", "hyperexcitability", "motor", "movement"})
_GENERAL: Final = frozenset({"twitch", "hyperexcitability"})
_HEMIFACIAL: Final = "hemifacial-spasm"
_SEVERE: Final = ("critical-", "severe-")

EYELID_CAP: Final = "eyelid-only-cap"
ONE_SIDED_CAP: Final = "one-sided-cap"
ARTEFACT_BLOCKS: Final = "artefact-blocks-attribution"
OVERALL: Final = "overall-grade"
PER_SYMPTOM: Final = "grade-per-symptom"
NOTHING_FITS: Final = "say-when-nothing-fits"
BY_SEVERITY: Final = "grade-by-severity-not-by-flag"


@dataclass(frozen=True, slots=True)
class Graded:
    """A mechanism that holds, how strongly, and what that rests on.

    Attributes:
        strength: after the caps; None when a probable artefact leaves it open.
        inherited: the strength is another mechanism's, through which alone this one acts.
        cap: the rule that lowered it, if one did.
    """

    rule: Mechanism
    strength: Strength | None
    weighed: Weighed
    line: Grading
    inherited: bool = False
    cap: str | None = None
    blocked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explained:
    """The verdict and everything behind it."""

    verdict: Verdict
    text: str
    rules: tuple[str, ...]
    drivers: tuple[str, ...]
    per_symptom: tuple[SymptomVerdict, ...]
    mechanisms: tuple[Finding, ...]
    undecided: tuple[Undecided, ...]
    active: tuple[str, ...]


def explain(
    knowledge: Knowledge,
    patient: Patient,
    facts: Facts,
    reported: Facts,
    doubts: Doubts,
    unanswerable: Iterable[str],
) -> Explained:
    """The verdict on the recorded symptoms.

    Args:
        knowledge: the mechanisms and the rules of the verdict.
        patient: whose symptoms are to be explained.
        facts: as assessed: substitutes in place, doubtful results unanswerable.
        reported: as reported, to show what an artefact hides.
        doubts: artefacts by the measurand they could have produced.
        unanswerable: measurands that were reported and can decide nothing: implausible, or
            explained by a
            probable artefact without a substitute.
    """
    graded, open_ones = _grade_all(knowledge, patient, facts, reported)
    verdict = _verdict(graded, unanswerable)
    drivers = _drivers(graded, verdict)
    per_symptom = tuple(
        filter(None, (_for_symptom(one, graded, knowledge) for one in _once(patient.symptoms)))
    )
    teller = Teller(knowledge, reported)
    mechanisms = tuple(_finding(one, patient, knowledge, teller, doubts) for one in graded)
    return Explained(
        verdict=verdict,
        text=_text(verdict, graded, drivers, knowledge, patient, facts),
        rules=_rules_used(verdict, graded),
        drivers=drivers,
        per_symptom=per_symptom,
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


# ---- grading


def _grade_all(
    knowledge: Knowledge, patient: Patient, facts: Facts, reported: Facts
) -> tuple[tuple[Graded, ...], tuple[Undecided, ...]]:
    strengths: dict[str, Strength | None] = {}
    graded: list[Graded] = []
    open_ones: list[Undecided] = []
    for rule in knowledge.mechanisms.values():
        one = _graded(rule, knowledge, patient, facts, strengths)
        if facts.blocked:
            hidden = _hidden(rule, one, knowledge, facts, reported)
            if hidden is not None:
                one, strengths[rule.id] = hidden, None
        if one is not None:
            graded.append(one)
            continue
        weighed = weigh(rule.when, silenced(facts, rule, knowledge))
        missing = undecided(rule, weighed, Teller(knowledge, facts))
        if missing is not None:
            open_ones.append(missing)
    return tuple(graded), tuple(open_ones)


def _graded(
    rule: Mechanism,
    knowledge: Knowledge,
    patient: Patient,
    facts: Facts,
    strengths: dict[str, Strength | None],
) -> Graded | None:
    """The first line of the grading that holds, with its strength capped; None if no line holds."""
    facts = silenced(facts, rule, knowledge)
    for line in rule.grading:
        if conditions.holds(line.when, facts) is not True:
            continue
        weighed = weigh(line.when, facts)
        general = _strength(line, knowledge, patient, facts, strengths)
        strength, cap = _capped(general, weighed, knowledge, patient, facts, rule)
        strengths[rule.id] = strength
        return Graded(rule, strength, weighed, line, line.inherits_from is not None, cap)
    return None


def _strength(
    line: Grading,
    knowledge: Knowledge,
    patient: Patient,
    facts: Facts,
    strengths: dict[str, Strength | None],
) -> Strength:
    """A line's own strength, or that of the mechanism it acts through, under its ceiling."""
    strength = line.strength
    if line.inherits_from is not None:
        source = knowledge.mechanisms.get(line.inherits_from)
        if line.inherits_from not in strengths and source is not None:
            strengths[line.inherits_from] = None  # a circle of inheritance ends here
            _graded(source, knowledge, patient, facts, strengths)
        strength = strengths.get(line.inherits_from)
    strength = strength or "unlikely"
    return weaker(strength, line.at_most) if line.at_most else strength


def _hidden(
    rule: Mechanism, one: Graded | None, knowledge: Knowledge, facts: Facts, reported: Facts
) -> Graded | None:
    """A mechanism, or a stronger line of it.

    That rests on what a probable artefact could have made.
    """
    reported = silenced(reported, rule, knowledge)
    for line in rule.grading:
        if one is not None and line is one.line:
            return None
        if conditions.holds(line.when, reported) is True:
            weighed = weigh(line.when, reported)
            blocked = tuple(name for name in about(weighed.clauses) if name in facts.blocked)
            if not blocked:
                return None
            return Graded(rule, None, weighed, line, cap=ARTEFACT_BLOCKS, blocked=blocked)
    return None


def weaker(one: Strength, other: Strength) -> Strength:
    """The weaker of two strengths."""
    return min(one, other, key=ORDER.index)


# ---- caps


def _capped(
    strength: Strength,
    weighed: Weighed,
    knowledge: Knowledge,
    patient: Patient,
    facts: Facts,
    rule: Mechanism,
) -> tuple[Strength, str | None]:
    """The strength under every cap that applies, and the rule of the one that lowered it."""
    has_tetany = _has_tetany_features(knowledge, facts)
    caps: list[tuple[Strength, str]] = []
    if (
        _rests_on_provisional(weighed, facts)
        and not has_tetany
        and not _is_believed(knowledge, facts)
    ):
        caps.append(("possible", "calcium-resolution"))
    if (
        _is_only(patient, knowledge, "eyelid-only")
        and not has_tetany
        and not _has_severe_band(facts)
    ):
        caps.append(("possible", EYELID_CAP))
    if _is_one_sided_only(patient, knowledge) and not has_tetany:
        caps.append((rule.by_sign.get(_HEMIFACIAL, "unlikely"), ONE_SIDED_CAP))
    for ceiling, name in caps:
        if ORDER.index(strength) > ORDER.index(ceiling):
            return weaker(strength, min((one for one, _ in caps), key=ORDER.index)), name
    return strength, None


def _rests_on_provisional(weighed: Weighed, facts: Facts) -> bool:
    fact = facts.results.get(ADJUSTED_CALCIUM)
    return fact is not None and fact.provisional and ADJUSTED_CALCIUM in about(weighed.clauses)


def _is_believed(knowledge: Knowledge, facts: Facts) -> bool:
    condition = knowledge.named_conditions.get("provisional-calcium-believed")
    return condition is not None and conditions.holds(condition, facts) is True


def _has_tetany_features(knowledge: Knowledge, facts: Facts) -> bool:
    condition = knowledge.named_conditions.get("tetany-features")
    return condition is not None and conditions.holds(condition, facts) is True


def _has_severe_band(facts: Facts) -> bool:
    return any(
        fact.band is not None and fact.band.startswith(_SEVERE) and name not in facts.blocked
        for name, fact in facts.results.items()
    )


def _motor(patient: Patient, knowledge: Knowledge) -> tuple[Symptom, ...]:
    terms = knowledge.terms.get("symptom", {})
    return tuple(
        one for one in patient.symptoms if one.id in terms and terms[one.id].domain in _MOTOR
    )


def _is_only(patient: Patient, knowledge: Knowledge, group: str) -> bool:
    """Are the recorded motor symptoms all of this group, and is there one?"""
    motor = _motor(patient, knowledge)
    members = knowledge.symptom_groups.get(group, ())
    return bool(motor) and all(one.id in members for one in motor)


def _is_one_sided_only(patient: Patient, knowledge: Knowledge) -> bool:
    motor = _motor(patient, knowledge)
    return bool(motor) and all(_is_one_sided(one, knowledge) for one in motor)


def _is_one_sided(symptom: Symptom, knowledge: Knowledge) -> bool:
    groups = knowledge.symptom_groups
    if symptom.id in groups.get("one-sided", ()):
        return True
    return symptom.id in groups.get("side-matters", ()) and symptom.side in ("left", "right")


# ---- symptoms


def strength_for(symptom: Symptom, one: Graded, knowledge: Knowledge) -> Strength | None:
    """How strongly a mechanism accounts for one recorded symptom.

    None when it says nothing of it.
    """
    if one.strength is None:
        return None
    terms = knowledge.terms.get("symptom", {})
    by_sign = one.rule.by_sign.get(symptom.id)
    domain = terms[symptom.id].domain if symptom.id in terms else None
    if domain in _GENERAL:
        strength = weaker(one.strength, by_sign or one.strength)
    elif by_sign is None:
        return None
    else:
        strength = "unlikely" if one.strength == "unlikely" else by_sign
    if _is_one_sided(symptom, knowledge):
        strength = weaker(strength, one.rule.by_sign.get(_HEMIFACIAL, "unlikely"))
    return strength


def _for_symptom(
    symptom: Symptom, graded: Iterable[Graded], knowledge: Knowledge
) -> SymptomVerdict | None:
    """The highest strength over all mechanisms.

    No statement about symptoms that are no twitch and fit none.
    """
    graded = tuple(graded)
    term = knowledge.terms.get("symptom", {}).get(symptom.id)
    label = term.label if term else symptom.id
    strengths = {one.rule.id: strength_for(symptom, one, knowledge) for one in graded}
    stated = {rule: strength for rule, strength in strengths.items() if strength is not None}
    if stated:
        highest = max(stated.values(), key=ORDER.index)
        if highest in ("likely", "possible") or not _is_hidden(symptom, graded):
            return SymptomVerdict(
                symptom.id,
                label,
                highest,
                tuple(rule for rule, one in stated.items() if one == highest),
            )
    if term is None or term.domain not in _GENERAL:
        return None
    hidden = tuple(one.rule.id for one in graded if one.strength is None)
    return SymptomVerdict(symptom.id, label, "cannot_tell" if hidden else "not_explained", hidden)


def _is_hidden(symptom: Symptom, graded: Iterable[Graded]) -> bool:
    """Might a mechanism that an artefact hides account for this symptom?"""
    return any(
        one.strength is None
        and one.rule.by_sign.get(symptom.id, "possible") in ("likely", "possible")
        for one in graded
    )


# ---- the verdict


def _verdict(graded: Iterable[Graded], unanswerable: Iterable[str]) -> Verdict:
    """Likely or possible if any mechanism reaches it; else cannot tell where a value is unusable.

    Else no.
    """
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
    used = [BY_SEVERITY, PER_SYMPTOM, OVERALL, *sorted(caps)]
    if verdict in ("unlikely", "not_explained"):
        used.append(NOTHING_FITS)
    return tuple(used)


def _text(
    verdict: Verdict,
    graded: Iterable[Graded],
    drivers: tuple[str, ...],
    knowledge: Knowledge,
    patient: Patient,
    facts: Facts,
) -> str:
    """The verdict in one or two sentences, in considerations."""
    graded = tuple(graded)
    titles = _listed([_lowered(knowledge.mechanisms[one].title) for one in drivers])
    sentences = {
        "likely": (
            f"These results are a likely explanation: {titles} at this degree "
            f"{_is_are(drivers)} accepted to raise the excitability of nerve and muscle."
        ),
        "possible": (
            f"These results may contribute: {titles} can raise excitability; a second cause "
            "should be looked for."
        ),
        "unlikely": "These results are an unlikely explanation; another cause should be looked for.",
        "not_explained": "These results do not explain twitching; another cause should be looked for.",
        "cannot_tell": (
            "Cannot tell: results that would decide it cannot be relied on, and a repeat "
            "is needed first."
        ),
    }
    text = [sentences[verdict], *_cap_sentences(graded, facts)]
    opposing = [_lowered(one.rule.title) for one in graded if one.strength == "opposes"]
    if opposing:
        text.append(f"{_listed(opposing).capitalize()} lowers excitability and is no explanation.")
    if not _motor(patient, knowledge):
        text.append("No twitching was recorded with this panel.")
    return " ".join(text)


def _cap_sentences(graded: Iterable[Graded], facts: Facts) -> list[str]:
    caps = {one.cap for one in graded}
    said = []
    if EYELID_CAP in caps:
        said.append(
            "With an isolated eyelid twitch no result counts as more than a possible cause."
        )
    if ONE_SIDED_CAP in caps:
        said.append("A one-sided facial movement is not attributed to a metabolic cause alone.")
    if "calcium-resolution" in caps:
        said.append(
            (
                "The calcium is unadjusted: albumin or ionised calcium is needed before it "
                "can count for more."
            )
        )
    if facts.blocked:
        names = _listed([facts.name(name) for name in facts.blocked if name in facts.results])
        artefacts = _listed(list(dict.fromkeys(_lowered(one) for one in facts.blocked.values())))
        said.append(f"{names}: pattern fits {artefacts}.")
    return said


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def _lowered(title: str) -> str:
    return title if title[:2].isupper() else title[:1].lower() + title[1:]


def _is_are(drivers: tuple[str, ...]) -> str:
    return "are" if len(drivers) > 1 else "is"


# ---- findings


def _finding(
    one: Graded, patient: Patient, knowledge: Knowledge, teller: Teller, doubts: Doubts
) -> Finding:
    """A graded mechanism as a finding; one that an artefact hides explains nothing and says why."""
    base = finding(one.rule, one.weighed, teller, doubts=doubts)
    notes = (one.line.note,) if one.line.note else ()
    return replace(
        base,
        kind="mechanism",
        certainty="cannot_tell" if one.strength is None else base.certainty,
        strength=one.strength,
        explains=_explains(one, patient, knowledge),
        affects=about(one.weighed.clauses),
        caveats=(*notes, *one.rule.caveats),
    )


def _explains(one: Graded, patient: Patient, knowledge: Knowledge) -> tuple[Explanation, ...]:
    """What it explains of the recorded symptoms.

    Where none is recorded, of the signs it is known for.
    """
    terms = knowledge.terms.get("symptom", {})
    symptoms = _once(patient.symptoms) or tuple(
        Symptom(sign) for sign in one.rule.by_sign if sign in terms
    )
    strengths = ((symptom, strength_for(symptom, one, knowledge)) for symptom in symptoms)
    return tuple(
        Explanation(
            symptom.id, terms[symptom.id].label if symptom.id in terms else symptom.id, strength
        )
        for symptom, strength in strengths
        if strength is not None
    )


def _rank(one: Finding) -> tuple[int, str]:
    strength = one.strength
    place = ORDER.index(strength) if strength in ORDER else -1
    return -place, one.rule
