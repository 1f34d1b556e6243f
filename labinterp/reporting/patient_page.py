"""The patient page: what was found in plain words, for the person whose blood was tested.

It names no illness, no dose and no rule, and never calls a result normal. What may be said when,
and how, is data (`reference_ranges/patient_page.yaml`, `patient_texts/`); here it is chosen. Where
a language lacks one sentence that a page needs, the whole page is in English: never a mix. One
file, so that all that a patient can be told is chosen in one place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from labinterp.model.codes import Standing  # noqa: TC001 - read back by these types
from labinterp.reporting import number_line
from labinterp.reporting.lookups import unit_text, value_text
from labinterp.reporting.patient_foods import foods
from labinterp.reporting.patient_words import ENGLISH, Speech, Unsaid
from labinterp.reporting.result_rows import interval_text, second_unit, unread_rows
from labinterp.reporting.result_rows import number_line as line_of
from labinterp.reporting.words import NBSP, ended, with_unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from labinterp.model.interpretation import Finding, Interpretation, InterpretedResult
    from labinterp.model.patient_text import PatientKnowledge, PatientRules
    from labinterp.model.submission import Identity
    from labinterp.reporting.number_line import Geometry

_ORDER: Final = {
    standing: place
    for place, standing in enumerate(
        ("critically_low", "critically_high", "low", "high", "unknown", "within")
    )
}
"""What matters first; the rest stays as it was sent."""
_FOLDER_OF_KIND: Final = {
    "artefact": "artefacts",
    "pattern": "patterns",
    "mechanism": "mechanisms",
    "red_flag": "red_flags",
    "urgency": "urgency",
}
_NOW: Final = "emergency"
_BOXES: Final = {
    _NOW: ("help-now-box", "critical"),
    "same_day": ("help-today-box", "critical"),
    "soon": ("help-days-box", "notice"),
}
_NO_NUMBER: Final = "–"
_TOLD_TODAY: Final = (_NOW, "same_day")
"""Beside these nothing is said that could be taken for comfort."""


@dataclass(frozen=True, slots=True)
class PatientOrder:
    """Everything one page is made from; the same order gives the same page.

    Attributes:
        language: the one asked for.
        released_by: the clinician who released it.
        contact: whom the patient asks, and how.
        panel: as received, for what the answer does not repeat.
    """

    number: str
    version: int
    interpretation: Interpretation
    identity: Identity
    panel: Mapping[str, object]
    collected_at: datetime | None
    released_at: datetime
    released_by: str
    contact: str
    language: str
    demo: bool = False
    page_size: str = "A4"


@dataclass(frozen=True, slots=True)
class PatientRow:
    """One result.

    Attributes:
        word: where it lies, in words; what counts.
        range: what it is compared with.
        picture: its number line as SVG; empty where it has none.
    """

    test: str
    value: str
    word: str
    range: str
    standing: Standing
    picture: str = ""


@dataclass(frozen=True, slots=True)
class PatientSection:
    """One part of the page.

    Attributes:
        tone: critical and notice stand in a box.
        before, after: paragraphs before and after the rows and bullets.
    """

    id: str
    title: str
    tone: str = ""
    before: tuple[str, ...] = ()
    bullets: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    rows: tuple[PatientRow, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PatientPage:
    """The whole page, ready to be shown, drawn and kept.

    Attributes:
        language: the one it is in; `asked` is the one that was wanted.
        reviewed: whether its general sentences were checked in this language.
        about_patient: who it is for, and what of.
        paging: how a page number is said, `{page}` and `{pages}` to be filled in.
        mark: what test data is marked with; empty for a patient.
    """

    language: str
    asked: str
    reviewed: bool
    title: str
    number: str
    version: int
    about_patient: tuple[str, ...]
    sections: tuple[PatientSection, ...]
    paging: str
    mark: str = ""
    page_size: str = "A4"


@dataclass(frozen=True, slots=True)
class Made:
    """A page, and the number lines of its rows for the PDF."""

    page: PatientPage
    lines: tuple[Geometry | None, ...]


def languages(patient: PatientKnowledge) -> tuple[tuple[str, str, bool], ...]:
    """Code, own name and whether it was checked, of every language there is."""
    return tuple((told.language, told.name, told.reviewed) for told in patient.texts.values())


def build(order: PatientOrder, patient: PatientKnowledge) -> Made:
    """The page in the language asked for, or all of it in English.

    Raises:
        KeyError: there are no texts in English.
    """
    asked = patient.texts.get(order.language)
    if asked is not None and asked.language != ENGLISH:
        try:
            return _Maker(order, patient.rules, Speech(asked)).made()
        except Unsaid:
            pass
    english = Speech(patient.texts[ENGLISH])
    missed = "" if order.language == ENGLISH else asked.name if asked else order.language
    return _Maker(order, patient.rules, english, missed).made()


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes one page in one language.

    Attributes:
        missed: name of the language that was asked for and is not complete.
    """

    order: PatientOrder
    rules: PatientRules
    speech: Speech
    missed: str = ""

    @property
    def answer(self) -> Interpretation:
        """What is told."""
        return self.order.interpretation

    def made(self) -> Made:
        """Every section in reading order."""
        shown = _shown(self.answer)
        lines = tuple(self._line(result) for result in shown)
        says = self.speech.says
        sections = (
            self._box(),
            self._found(shown, lines),
            self._twitching(),
            self._causes(),
            self._foods(),
            *self._help(),
            self._about(),
        )
        page = PatientPage(
            language=self.speech.texts.language,
            asked=self.order.language,
            reviewed=self.speech.texts.reviewed,
            title=says("title"),
            number=self.order.number,
            version=self.order.version,
            about_patient=tuple(self._patient()),
            sections=tuple(section for section in sections if section is not None),
            paging=says("page-of"),
            mark=says("test-data") if self.order.demo else "",
            page_size=self.order.page_size,
        )
        return Made(page, lines)

    def _patient(self) -> Iterator[str]:
        order, says, day = self.order, self.speech.says, self.speech.day
        known = order.identity
        name = " ".join(part for part in (known.given, known.family) if part)
        at = order.collected_at
        facts = (
            says("for", name=name) if name else "",
            says("born", date=day(known.birth_date)) if known.birth_date else "",
            says("taken", date=day(at)) if at else says("taken-unknown"),
        )
        told = " · ".join(filter(None, facts))
        yield told[0].upper() + told[1:]
        released = says("released", clinician=order.released_by, date=day(order.released_at))
        unchecked = "" if self.speech.texts.reviewed else says("not-reviewed")
        yield " ".join(filter(None, (released, unchecked)))
        if self.missed:
            yield says("fallback", language=self.missed)

    def _box(self) -> PatientSection | None:
        """What cannot wait comes first."""
        if self.answer.urgency not in _BOXES:
            return None
        key, tone = _BOXES[self.answer.urgency]
        told = self.speech.says(key, contact=self.order.contact)
        return PatientSection("now", "", tone, before=(told,))

    # ---- what was found

    def _found(
        self, shown: tuple[InterpretedResult, ...], lines: tuple[Geometry | None, ...]
    ) -> PatientSection:
        says = self.speech.says
        rows = tuple(self._row(result, line) for result, line in zip(shown, lines, strict=True))
        columns = ("test", "word", "result", "range")
        return PatientSection(
            "found",
            says("found-title"),
            header=tuple(says(f"found-column-{name}") for name in columns) if rows else (),
            rows=rows,
            after=(*self._meaning(shown), *self._remarks(shown, lines)),
        )

    def _row(self, result: InterpretedResult, line: Geometry | None) -> PatientRow:
        word = self._standing(result)
        doubted = bool(result.doubts)
        digits = self.speech.digits
        return PatientRow(
            test=self._name(result),
            value=self._value(result),
            word=f"{word} ({self.speech.says('doubt-mark')})" if doubted else word,
            range=digits(interval_text(result)) or self.speech.says("range-none"),
            standing=result.standing,
            picture=number_line.svg(line) if line else "",
        )

    def _value(self, result: InterpretedResult) -> str:
        """As sent; and in the unit of the range, where that is another.

        A word in place of a number is the laboratory's, for other readers and in its language; the
        next column says what it means.
        """
        if not any(map(str.isdigit, value_text(result))):
            return _NO_NUMBER
        digits = self.speech.digits
        sent = with_unit(digits(value_text(result)), unit_text(result))
        compared_in_another = any(map(str.isalpha, interval_text(result)))
        also = digits(second_unit(result)) if compared_in_another else ""
        return f"{sent} (={NBSP}{also})" if also else sent

    def _standing(self, result: InterpretedResult) -> str:
        return self.speech.of("standings", result.standing)

    def _name(self, result: InterpretedResult) -> str:
        """What the test is called in this language; English has the answer's own name too."""
        told = self.speech.texts.measurands.get(result.measurand)
        if told is None and self.speech.texts.language == ENGLISH:
            return result.name
        return told or self.speech.of("measurands", result.measurand)

    def _line(self, result: InterpretedResult) -> Geometry | None:
        """The range, the value, from where a care team acts; no number: the row has the words."""
        line = line_of(result, self.answer)
        if line is None:
            return None
        digits = self.speech.digits
        told = with_unit(digits(value_text(result)), unit_text(result))
        alt = f"{self._name(result)}: {told}, {self._standing(result)}."
        return replace(
            line,
            alt=alt[: number_line.ALT_LENGTH],
            value_text=digits(line.value_text),
            labels=(),
            decision=(),
            previous=None,
            previous_off=False,
        )

    def _meaning(self, shown: tuple[InterpretedResult, ...]) -> tuple[str, ...]:
        """What the results mean, a paragraph each."""
        told = tuple(self.speech.of("findings", key) for key in self._finding_keys())
        if not _judged(shown):
            return (*told, self.speech.says("nothing"))
        return told or (self.speech.says("no-finding"),)

    def _remarks(
        self, shown: tuple[InterpretedResult, ...], lines: tuple[Geometry | None, ...]
    ) -> tuple[str, ...]:
        """What is in doubt or could not be judged, and how the table is read: one paragraph."""
        told = " ".join(self._remarked(shown, tuple(filter(None, lines))))
        return (told,) if told else ()

    def _remarked(
        self, shown: tuple[InterpretedResult, ...], lines: tuple[Geometry, ...]
    ) -> Iterator[str]:
        says = self.speech.says
        if self._is_in_doubt(shown):
            yield says("doubts")
        if _was_unread(self.order):
            yield says("not-read")
        if self.answer.undecided:
            yield says("undecided")
        if _judged(shown) and self.answer.urgency not in _TOLD_TODAY:
            yield says("range-note")
        if any(line.critical for line in lines):
            yield says("picture-note-limits")
        elif lines:
            yield says("picture-note")

    def _is_in_doubt(self, shown: tuple[InterpretedResult, ...]) -> bool:
        """A result may be wrong, and no sentence about the sample says so."""
        artefacts = self.answer.artefacts
        said = set(map(self._key, artefacts)) & set(self._finding_keys())
        return not said and (bool(artefacts) or any(result.doubts for result in shown))

    def _finding_keys(self) -> tuple[str, ...]:
        """Keys of the sentences for the leading findings, each once, the most telling kept."""
        keys = tuple(dict.fromkeys(map(self._key, _leading(self.answer))))
        needless = {covered for key in keys for covered in self.rules.covers.get(key, ())}
        return tuple(key for key in keys if key not in needless)[: self.rules.most_findings]

    def _key(self, finding: Finding) -> str:
        general = self.rules.general_texts[_FOLDER_OF_KIND[finding.kind]]
        return self.rules.finding_texts.get(finding.rule, general)

    # ---- what it means for the patient

    def _twitching(self) -> PatientSection:
        says = self.speech.says
        verdict = self.speech.of("verdicts", self.answer.twitching.verdict)
        return PatientSection(
            "twitching", says("twitching-title"), before=(f"{verdict} {says('twitching-rest')}",)
        )

    def _causes(self) -> PatientSection:
        """One sentence: there is room for more of them only where there is less to be told."""
        says = self.speech.says
        names = ", ".join(self.speech.of("causes", name) for name in self.rules.causes)
        told = f"{says('causes-intro', names=names)} {says('medicines')}"
        return PatientSection("causes", says("causes-title"), before=(told,))

    def _foods(self) -> PatientSection | None:
        named = foods(self.answer, self.rules)
        if not named:
            return None
        says = self.speech.says
        return PatientSection(
            "foods",
            says("foods-title"),
            before=(says("foods-intro"),),
            bullets=tuple(self.speech.of("foods", name) for name in named),
        )

    def _help(self) -> Iterator[PatientSection]:
        """What is an emergency, then what can wait a little."""
        says = self.speech.says
        for when, title in (("now", says("help-title")), ("soon", "")):
            yield PatientSection(
                f"help-{when}",
                title,
                before=(says(f"help-{when}"),),
                bullets=self._warnings(when),
            )

    def _warnings(self, when: str) -> tuple[str, ...]:
        return tuple(
            self.speech.of("warnings", sign.id) for sign in self.rules.warnings if sign.when == when
        )

    def _about(self) -> PatientSection:
        says, order = self.speech.says, self.order
        number = says("about-number", number=order.number, version=str(order.version))
        contact = says("contact", contact=order.contact)
        return PatientSection("about", "", before=(f"{ended(contact)} {says('about')} {number}",))


def _shown(answer: Interpretation) -> tuple[InterpretedResult, ...]:
    """What matters first. Of calculated results, those that lie outside their interval alone."""
    told = [
        result
        for result in answer.results
        if not result.derived_from or result.standing not in ("within", "unknown")
    ]
    return tuple(sorted(told, key=lambda result: _ORDER[result.standing]))


def _judged(shown: tuple[InterpretedResult, ...]) -> bool:
    return any(result.standing != "unknown" for result in shown)


def _leading(answer: Interpretation) -> tuple[Finding, ...]:
    """What is said of the sample, then of signs, then of the results, joint meanings first."""
    every: tuple[Any, ...] = (
        *answer.artefacts,
        *answer.twitching.red_flags,
        *answer.patterns,
        *answer.mechanisms,
    )
    return tuple(finding for finding in every if finding.leading)


def _was_unread(order: PatientOrder) -> bool:
    return any(True for _ in unread_rows(order.interpretation, order.panel))
