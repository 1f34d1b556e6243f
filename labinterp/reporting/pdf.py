"""Each block of the view as flowables for the PDF, in reading order; the words are the view's.

Long because the report has many blocks: one short function each, in the order they are printed.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import singledispatch
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from reportlab.lib.colors import HexColor
from reportlab.platypus import CondPageBreak, Flowable, Spacer

from labinterp.reporting import fonts, palette, words
from labinterp.reporting.blocks import (
    Block,
    Bullets,
    CriticalBox,
    Emphasis,
    Fact,
    Facts,
    Line,
    Paragraph,
    ResultTable,
    Section,
    SourceEntry,
    Sources,
    Span,
    View,
    numbers_in,
    sentences,
)
from labinterp.reporting.conclusion_blocks import (
    CauseEntry,
    Causes,
    FindingEntry,
    Findings,
    StepGroup,
    Steps,
    UndecidedList,
    VerdictBlock,
)
from labinterp.reporting.flowables import (
    PATH_PEN,
    SWITCH,
    TALLEST,
    Grid,
    PathPicture,
    Role,
    Run,
    Text,
)
from labinterp.reporting.glyphs import escape
from labinterp.reporting.paper import TEST_DATA
from labinterp.reporting.path_picture import legend, not_drawn, picture, sentence
from labinterp.reporting.pdf_results import table
from labinterp.reporting.plain import finding_brief, finding_labels, finding_trace, source_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from labinterp.reporting.style import Styles

_COLUMNS: Final = 3
"""Columns of facts in a box."""
_IDENTIFIERS: Final = (
    (re.compile(r"doi\.org/(10\.\S+)"), "doi:{}"),
    (re.compile(r"pubmed\.ncbi\.nlm\.nih\.gov/(\d+)"), "PMID\u00a0{}"),
    (re.compile(r"/(PMC\d+)"), "{}"),
    (re.compile(r"/(NBK\d+)"), "{}"),
)
_IN_ADDRESSES: Final = "%/:=&?~#+!$,;'@()*[]"
_STRONG: Final = ("Patient", "Identifier")
_MUTED_SIZE: Final = 7.2
_TABLE_BEGINS: Final = 4
"""The heading of the results stays with so many rows: header, group, first result, its remarks."""
_WHOLE: Final = 3
"""A text of so many lines is not parted."""
_TALL: Final = 10_000.0
_LONGEST: Final = 2500
"""Longest run of text that is printed whole [characters]: it must fit on one page."""
_LONGEST_FACT: Final = 300
_END: Final = "End of report"
_BOXES: Final = {
    "critical": (palette.CRITICAL_GROUND, palette.CRITICAL),
    "notice": (palette.PALE, palette.MUTED),
}


def story(view: View, look: Styles, width: float) -> list[Flowable]:
    """The whole report as flowables.

    Args:
        view: what is said.
        look: normal or tight.
        width: of the text column [pt].
    """
    made: list[Flowable] = [
        text(view.title, look.title, "H1"),
        text(f"{TEST_DATA} · {view.status_line}" if view.demo else view.status_line, look.small),
        Spacer(0, look.gap),
    ]
    *sections, last = view.sections
    for section in sections:
        made.extend(_section(section, look, width))
    return [*made, *_ended(last, look, width)]


def _ended(section: Section, look: Styles, width: float) -> Iterator[Flowable]:
    """The last section and that it is the last; in its own line only where there is room."""
    *others, last = section.blocks
    if isinstance(last, Paragraph):
        closed = replace(last, line=(*last.line, Span(f" {_END}.", "strong")))
        yield from _section(replace(section, blocks=(*others, closed)), look, width)
        return
    yield from _section(section, look, width)
    yield Spacer(0, look.gap)
    yield text(_END, look.note)


def _section(section: Section, look: Styles, width: float) -> Iterator[Flowable]:
    content = [made for block in section.blocks for made in flowables(block, look, width)]
    heading = [text(section.title, look.heading, "H2")] if section.title else []
    if section.tone in _BOXES:
        yield _box([*heading, *content], section.tone, width)
        yield Spacer(0, look.gap + 1)
        return
    if heading:
        yield CondPageBreak(sum(_least_height((*heading, *content), width)))
    yield from heading
    yield from content
    yield Spacer(0, look.gap)


def _least_height(made: Iterable[Flowable], width: float) -> Iterator[float]:
    """What must stand together from the first of these on: a heading, and where its text begins."""
    for place, item in enumerate(made):
        _, height = item.wrap(width, _TALL)
        lines = len(item.blPara.lines) if isinstance(item, Text) else 0
        if isinstance(item, Grid) and item.repeats:
            begun = sum(item._rowHeights[:_TABLE_BEGINS])  # noqa: SLF001 - there is no public way
        else:
            begun = 2 * item.style.leading if lines > _WHOLE else height
        yield begun + item.getSpaceBefore() + item.getSpaceAfter()
        if place and not item.getKeepWithNext():
            return


def _box(content: list[Flowable], tone: str, width: float) -> Grid:
    """A ground with a bar at its left; it may break between its paragraphs, never inside one."""
    ground, bar = _BOXES[tone]
    commands = [
        ("FONTNAME", (0, 0), (-1, -1), fonts.REGULAR),
        ("BACKGROUND", (0, 0), (-1, -1), HexColor(ground)),
        ("LINEBEFORE", (0, 0), (0, -1), 2.4, HexColor(bar)),
        ("LEFTPADDING", (0, 0), (-1, -1), 7),
        ("RIGHTPADDING", (0, 0), (-1, -1), 6),
        ("TOPPADDING", (0, 0), (-1, -1), 0.3),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 0.3),
        ("TOPPADDING", (0, 0), (0, 0), 1.4),
        ("BOTTOMPADDING", (0, -1), (0, -1), 2.4),
        ("NOSPLIT", (0, 0), (0, min(1, len(content) - 1))),
    ]
    rows = [[item] for item in content]
    return Grid(rows, colWidths=[width], style=commands, hAlign="LEFT", splitInRow=1)


def text(told: str, look: Any, role: Role = "P", **more: Any) -> Text:
    """A paragraph of plain words."""
    return rich((Span(told),), look, role, **more)


def rich(line: Line, look: Any, role: Role = "P", **more: Any) -> Text:
    """A paragraph of spans with emphasis; each link is a run of its own."""
    return _in_runs(((Run(), line),), look, role, **more)


def _in_runs(parts: Iterable[tuple[Run, Line]], look: Any, role: Role, **more: Any) -> Text:
    """A paragraph whose markup says where each run but the first begins."""
    found = [stretch for run, line in parts for stretch in _stretches(run, line)] or [(Run(), "")]
    told = (f"{_switch(place)}{shown}" for place, (_, shown) in enumerate(found))
    return Text("".join(told), look, role, runs=tuple(run for run, _ in found), **more)


def _stretches(run: Run, line: Line) -> Iterator[tuple[Run, str]]:
    """Spans of one address, and what stands between them; the first text begins the run."""
    for link, spans in groupby(line, lambda span: span.link):
        yield (Run("link", link) if link else run), "".join(map(markup, spans))
        run = Run()


def _switch(place: int) -> str:
    return f'<onDraw name="{SWITCH}" label="{place}"/>' if place else ""


def markup(span: Span) -> str:
    """One run as ReportLab markup; its text is escaped, only the tags are ours."""
    told = escape(words.clipped(span.text, _LONGEST))
    match span.emphasis:
        case "strong":
            told = f"<b>{told}</b>"
        case "italic":
            told = f"<i>{told}</i>"
        case "muted":
            told = f'<font color="{palette.MUTED}" size="{_MUTED_SIZE}">{told}</font>'
        case "critical":
            told = f'<b><font color="{palette.CRITICAL}">{told}</font></b>'
        case _:
            pass
    if span.link is None:
        return told
    address = escape(quote(span.link, safe=_IN_ADDRESSES)).replace('"', "%22")
    return f'<a href="{address}" color="{palette.LINK}">{told}</a>'


@singledispatch
def flowables(block: Block, look: Styles, width: float) -> Iterable[Flowable]:
    """One block as flowables."""
    raise TypeError(f"no drawing for {type(block).__name__} ({look}, {width})")


@flowables.register(Paragraph)
def _paragraph(block: Paragraph, look: Styles, _width: float) -> Iterable[Flowable]:
    return (rich(block.line, look.note if block.role == "note" else look.body),)


@flowables.register(Bullets)
def _bullets(block: Bullets, look: Styles, _width: float) -> Iterable[Flowable]:
    return (_bullet(item, look) for item in block.items)


def _bullet(line: Line, look: Styles) -> Text:
    return rich(line, look.bullet, "LI", sign="•")


@flowables.register(Facts)
def _facts(block: Facts, look: Styles, width: float) -> Iterator[Flowable]:
    narrow = [row for row in block.rows if not row.wide]
    depth = -(-len(narrow) // _COLUMNS)
    columns = [
        [_fact(row, look) for row in narrow[start : start + depth]]
        for start in range(0, max(len(narrow), 1), max(depth, 1))
    ]
    wide = [_fact(row, look) for row in block.rows if row.wide]
    rows = [[*columns, *[[]] * (_COLUMNS - len(columns))], *([item, "", ""] for item in wide)]
    commands = [
        ("BACKGROUND", (0, 0), (-1, -1), HexColor(palette.PALE)),
        ("BOX", (0, 0), (-1, -1), 0.5, HexColor(palette.RULE)),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("FONTNAME", (0, 0), (-1, -1), fonts.REGULAR),
        ("FONTSIZE", (0, 0), (-1, -1), 1),
        ("LEADING", (0, 0), (-1, -1), 1),
        ("LEFTPADDING", (0, 0), (-1, -1), 5),
        ("RIGHTPADDING", (0, 0), (-1, -1), 4),
        ("TOPPADDING", (0, 0), (-1, -1), 1),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
        ("TOPPADDING", (0, 0), (-1, 0), 2.4),
        ("BOTTOMPADDING", (0, -1), (-1, -1), 2.4),
        *(("SPAN", (0, row), (-1, row)) for row in range(1, len(rows))),
    ]
    widths = [width / _COLUMNS] * _COLUMNS
    yield Grid(rows, role="L", colWidths=widths, style=commands, hAlign="LEFT")
    yield Spacer(0, look.gap + 1)


def _fact(row: Fact, look: Styles) -> Text:
    weight: Emphasis = "strong" if row.label in _STRONG else "plain"
    value = words.clipped(row.value, _LONGEST_FACT)
    label = f"{row.label}: " if row.label else ""
    return rich((Span(label, "muted"), Span(value, weight)), look.cell)


@flowables.register(CriticalBox)
def _critical(block: CriticalBox, look: Styles, _width: float) -> Iterator[Flowable]:
    for item in block.entries:
        limit = words.ended(sentences(f"({item.limit})", numbers_in(item.source_numbers)))
        rest = sentences(limit, *item.doubts)
        yield _bullet((Span(item.line, "critical"), Span(f" {rest}")), look)
    yield text(sentences(block.policy, *block.acknowledged), look.body)


@flowables.register(ResultTable)
def _results(block: ResultTable, look: Styles, width: float) -> Iterator[Flowable]:
    if block.groups:
        yield table(block, look, width)
    else:
        yield text("No result arrived.", look.body)
    yield Spacer(0, look.gap)
    for place, note in enumerate(block.footnotes, start=1):
        yield text(f"({place}) {note}", look.note)
    for note in (block.legend, block.no_history if block.groups else ""):
        if note:
            yield text(note, look.note)


@flowables.register(Findings)
def _findings(block: Findings, look: Styles, _width: float) -> Iterator[Flowable]:
    for item in block.leading:
        yield from _finding(item, look)
    if block.also:
        told = "; ".join(finding_brief(item) for item in block.also)
        yield rich((Span("Also noted: ", "strong"), Span(f"{told}.")), look.note)
    if block.none:
        yield text(block.none, look.body)


def _finding(item: FindingEntry, look: Styles) -> Iterator[Flowable]:
    """Title, then what it means, then in small type how sure, from what, by which rule."""
    told = sentences(item.text, item.action, *item.doubts)
    explains = f"Explains: {'; '.join(item.explains)}." if item.explains else ""
    labels = words.ended(words.capital(", ".join(finding_labels(item))))
    trace = sentences(labels, explains, *item.remarks, finding_trace(item))
    yield rich(
        (Span(f"{words.ended(item.title)} ", "strong"), Span(f"{told} "), Span(trace, "muted")),
        look.body,
    )
    yield Spacer(0, look.gap)


@flowables.register(VerdictBlock)
def _verdict(block: VerdictBlock, look: Styles, width: float) -> Iterator[Flowable]:
    yield rich((Span(f"{block.headline}. ", "strong"), Span(block.text)), look.body)
    for item in block.symptoms:
        by = f" ({'; '.join(item.mechanisms)})" if item.mechanisms else ""
        yield _bullet((Span(f"{item.label}: ", "strong"), Span(f"{item.words}{by}")), look)
    yield from _drawn_paths(block, look, width)
    for path in block.paths:
        told = sentences(path.sentence, numbers_in(path.source_numbers))
        yield rich((Span("Path: ", "strong"), Span(told)), look.note)


def _drawn_paths(block: VerdictBlock, look: Styles, width: float) -> Iterator[Flowable]:
    """The picture of the paths, and below it what it leaves out unless sentences follow."""
    made = picture(block.drawn, PATH_PEN, width, "across")
    if made is None:
        return
    cited = numbers_in(block.source_numbers)
    if made.height > TALLEST:
        if not block.paths:
            yield text(sentences(sentence(block.drawn), cited), look.note)
        return
    rest = "" if block.paths else not_drawn(block.drawn)
    more = f"Also active: {rest}" if rest else ""
    yield Spacer(0, look.gap)
    yield PathPicture(made)
    yield text(sentences(legend(block.drawn), more, cited), look.note)


@flowables.register(Steps)
def _steps(block: Steps, look: Styles, _width: float) -> Iterator[Flowable]:
    for group in block.groups:
        if not any(step.detail for step in group.steps):
            yield rich(tuple(_steps_in_line(group)), look.body)
            continue
        head = rich((Span(group.title, "strong"),), look.body)
        head.keepWithNext = 1
        yield head
        for step in group.steps:
            rest = sentences(step.detail, numbers_in(step.source_numbers))
            yield _bullet((Span(f"{step.text.rstrip('.')}. "), Span(rest, "muted")), look)


def _steps_in_line(group: StepGroup) -> Iterator[Span]:
    """Steps without details, one after the other behind their urgency."""
    yield Span(f"{group.title}: ", "strong")
    for step in group.steps:
        yield Span(words.ended(step.text))
        yield Span(f" {numbers_in(step.source_numbers)} ", "muted")


@flowables.register(Causes)
def _causes(block: Causes, look: Styles, _width: float) -> Iterator[Flowable]:
    for cause in block.entries:
        yield _bullet(_cause(cause), look)
    if block.named:
        yield text(f"{'. '.join(block.named)}.", look.note)


def _cause(cause: CauseEntry) -> Line:
    hint = f"Recorded here: {', '.join(cause.suggested_by)}." if cause.suggested_by else ""
    rest = sentences(cause.typical, cause.clue, hint, numbers_in(cause.source_numbers))
    return (Span(f"{cause.label} ", "strong"), Span(f"({cause.frequency}). ", "muted"), Span(rest))


@flowables.register(UndecidedList)
def _undecided(block: UndecidedList, look: Styles, _width: float) -> Iterator[Flowable]:
    spans: list[Span] = []
    for missing, titles in block.together:
        lead = f"{missing} would settle: " if missing else "Not settled by any one result: "
        spans += [Span(lead, "strong"), Span(f"{'; '.join(titles)}. ")]
    if block.left_out:
        spans.append(Span(f"And {words.plural(block.left_out, 'rule', 'rules')} in the record."))
    yield rich(tuple(spans), look.note)


@flowables.register(Sources)
def _sources(block: Sources, look: Styles, _width: float) -> Iterator[Flowable]:
    items = [(Run("item"), _source(item)) for item in block.entries]
    note = [(Run("note"), (Span(block.note),))] if block.note else []
    yield _in_runs((*items, *note), look.small, "L")


def _source(item: SourceEntry) -> Line:
    told = f"[{item.number}]{words.NBSP}{source_line(item.title, item.publisher, item.year)} "
    if not item.url:
        return (Span(told),)
    return (Span(told), Span(short_address(item.url), "plain", item.url), Span("  "))


def short_address(url: str) -> str:
    """The identifier in an address: DOI, PubMed, PMC or Bookshelf number, else the site."""
    for pattern, form in _IDENTIFIERS:
        found = pattern.search(url)
        if found:
            return form.format(found[1])
    return url.split("://", 1)[-1].split("/", 1)[0].removeprefix("www.")
