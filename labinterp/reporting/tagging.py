"""What each piece of a page is, for whoever does not see it: the structure tree and its content.

ReportLab draws and does not tag. So every flowable knows its element of the tree, brackets what it
draws with that element's mark, and the tree remembers where its content stands. Whatever has no
element (grounds, rules, symbols, running lines) is bracketed as an artefact, so that nothing on a
page is without a meaning. `archive` writes the tree into the finished file.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

CLOSED: Final = "EMC"
_ARTEFACT: Final = "/Artifact BMC"
_FURNITURE: Final = "/Artifact <</Type /Pagination>> BDC"
_STAYS: Final = frozenset({"TH", "TD"})
"""Elements that stand though they hold nothing: a table's rows must have the same cells."""


@dataclass(frozen=True, slots=True)
class Content:
    """A marked stretch of a page; pages count from 1, marks from 0 on each page."""

    page: int
    mark: int


@dataclass(slots=True, eq=False)
class Element:
    """A piece of the document by what it is.

    Attributes:
        role: a standard type: `P`, `H2`, `TH`, `Figure`, …
        kids: in reading order; drawing adds the content.
        alt: for a figure and a link: the words in its place.
        scope: of a header cell: what it heads.
        span: columns that a cell takes.
        url: of a link.
        box: of a figure: its edges on the page [pt].
        repeats: whether it is drawn again on each page, where it is an artefact.
        within: where it goes when its content is first drawn; None if it has its place already.
    """

    role: str
    kids: list[Element | Content] = field(default_factory=list)
    alt: str = ""
    scope: str = ""
    span: int = 1
    url: str = ""
    box: tuple[float, ...] = ()
    repeats: bool = False
    within: Element | None = None

    def add(self, role: str, **more: Any) -> Element:
        """A new kid."""
        made = Element(role, **more)
        self.kids.append(made)
        return made

    @property
    def contents(self) -> Iterator[Content]:
        """Its own stretches."""
        return (kid for kid in self.kids if isinstance(kid, Content))


def opening(canvas: Any, element: Element | None) -> str:
    """The operator that opens a stretch of an element; of none, an artefact's."""
    page = canvas.getPageNumber()
    if element is None or (element.repeats and any(c.page != page for c in element.contents)):
        return _ARTEFACT
    if element.within is not None and not element.kids:
        element.within.kids.append(element)
    mark = canvas.marks[page]
    canvas.marks[page] += 1
    element.kids.append(Content(page, mark))
    return f"/{element.role} <</MCID {mark}>> BDC"


@contextmanager
def marked(canvas: Any, element: Element | None) -> Iterator[None]:
    """What is drawn meanwhile is content of this element; of none, an artefact."""
    canvas.addLiteral(opening(canvas, element))
    yield
    canvas.addLiteral(CLOSED)


@contextmanager
def furniture(canvas: Any) -> Iterator[None]:
    """What is drawn meanwhile is the page's, not the document's."""
    canvas.addLiteral(_FURNITURE)
    yield
    canvas.addLiteral(CLOSED)


def pruned(element: Element) -> Element:
    """The tree without elements that hold nothing."""
    for kid in element.kids:
        if isinstance(kid, Element):
            pruned(kid)
    element.kids = [
        kid for kid in element.kids if isinstance(kid, Content) or kid.kids or kid.role in _STAYS
    ]
    return element
