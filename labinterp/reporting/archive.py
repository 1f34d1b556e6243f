"""The finished file: structure tree, properties, colour, and the same answer for machines inside.

What ReportLab cannot write, pikepdf writes here: the structure tree that `tagging` gathered, XMP
that says what the document's properties say, an sRGB output intent, and the FHIR Bundle as an
associated file. Nothing is taken from the clock, and the file's identifier is made of its bytes, so
that the same order gives the same file.
"""

from __future__ import annotations

import io
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pikepdf
from pikepdf import Array, Dictionary, Name, String

from labinterp.reporting.tagging import Content, Element, pruned

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

_PROFILE: Final = Path(__file__).parent / "colour" / "sRGB.icc"
SIGNATURE: Final = "Signature"
"""Name of the field that a signature is put into."""
_SIGNATURE_IN_WORDS: Final = "Electronic signature of this report"
_PRINT: Final = 4
"""Flag of an annotation that is printed."""
_PART: Final = "3"
_CONFORMANCE: Final = "B"
"""The part and level of PDF/A that the file is marked as; archives go by this mark."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A file inside the document."""

    name: str
    body: bytes
    media_type: str
    about: str


@dataclass(frozen=True, slots=True)
class Properties:
    """What the file says of itself; title, author and subject as in the document itself."""

    title: str
    author: str
    subject: str
    language: str
    made_at: datetime


def archived(
    drawn: bytes,
    tree: Element,
    properties: Properties,
    attached: Attached | None = None,
    *,
    to_be_signed: bool = False,
) -> bytes:
    """The drawn document with everything around its pages.

    Args:
        drawn: as ReportLab wrote it, its content marked.
        tree: whose elements know where their content stands.
        properties: title, author, subject, language and the moment of issue.
        attached: the same answer for machines.
        to_be_signed: whether it has a field for a signature, made and tagged before signing.
    """
    with pikepdf.open(io.BytesIO(drawn)) as pdf:
        _Tree(pdf).write(pruned(tree), to_be_signed=to_be_signed)
        _describe(pdf, properties)
        _colour(pdf)
        if attached is not None:
            _attach(pdf, attached, properties.made_at)
        out = io.BytesIO()
        pdf.save(
            out,
            min_version="1.7",
            deterministic_id=True,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
            recompress_flate=False,
        )
    return out.getvalue()


class _Tree:
    """Writes a structure tree, and from each page back into it."""

    def __init__(self, pdf: pikepdf.Pdf) -> None:
        self.pdf = pdf
        self.pages = [page.obj for page in pdf.pages]
        self.owners: defaultdict[int, dict[int, Any]] = defaultdict(dict)
        """For each page, the element of each mark."""
        self.annotated: list[Any] = []
        """The element of each annotation, in the order of their numbers."""
        self.links = [list(page.get("/Annots", Array())) for page in self.pages]
        """Annotations that no element has taken, page by page in the order they were drawn."""

    def write(self, tree: Element, *, to_be_signed: bool) -> None:
        """The tree into the catalogue, and every page's marks and links into its parent tree."""
        pdf, root = self.pdf, self.pdf.Root
        top = pdf.make_indirect(Dictionary(Type=Name.StructTreeRoot))
        document = self._element(tree, top)
        top.K = Array([document])
        if to_be_signed:
            self._signature_field(document)
        numbers: Any = Array()
        for place, page in enumerate(self.pages):
            page.StructParents = place
            page.Tabs = Name.S
            if "/Trans" in page:
                del page.Trans
            owners = self.owners[place + 1]
            numbers.extend(
                [place, pdf.make_indirect(Array(owners[mark] for mark in sorted(owners)))]
            )
        for place, owner in enumerate(self.annotated, start=len(self.pages)):
            numbers.extend([place, owner])
        top.ParentTree = pdf.make_indirect(Dictionary(Nums=numbers))
        top.ParentTreeNextKey = len(self.pages) + len(self.annotated)
        root.StructTreeRoot = top
        root.MarkInfo = Dictionary(Marked=True)

    def _element(self, element: Element, parent: Any) -> Any:
        made = self.pdf.make_indirect(
            Dictionary(Type=Name.StructElem, S=Name(f"/{element.role}"), P=parent)
        )
        page = next((content.page for content in element.contents), None)
        if page is not None:
            made.Pg = self.pages[page - 1]
        if element.alt:
            made.Alt = String(element.alt)
        attributes = _attributes(element)
        if attributes:
            made.A = attributes
        kids = [self._kid(kid, made, page) for kid in element.kids]
        if element.url:
            kids += self._link(element, made)
        if kids:
            made.K = Array(kids) if kids[1:] else kids[0]
        return made

    def _kid(self, kid: Element | Content, owner: Any, page: int | None) -> Any:
        if isinstance(kid, Element):
            return self._element(kid, owner)
        self.owners[kid.page][kid.mark] = owner
        if kid.page == page:
            return kid.mark
        return Dictionary(Type=Name.MCR, Pg=self.pages[kid.page - 1], MCID=kid.mark)

    def _link(self, element: Element, owner: Any) -> Iterator[Any]:
        """The annotations of a link: one for each line it stands on, drawn in reading order."""
        for page in dict.fromkeys(content.page for content in element.contents):
            waiting = self.links[page - 1]
            while waiting and str(waiting[0].A.URI) == element.url:
                annotation = waiting.pop(0)
                annotation.Contents = String(element.url)
                annotation.F = _PRINT
                annotation.StructParent = len(self.pages) + len(self.annotated)
                self.annotated.append(owner)
                yield Dictionary(Type=Name.OBJR, Obj=annotation, Pg=self.pages[page - 1])

    def _signature_field(self, document: Any) -> None:
        """A field without a look of its own, at the end of the document."""
        page = self.pages[-1]
        owner = self.pdf.make_indirect(
            Dictionary(
                Type=Name.StructElem,
                S=Name.Form,
                P=document,
                Pg=page,
                Alt=String(_SIGNATURE_IN_WORDS),
            )
        )
        widget = self.pdf.make_indirect(
            Dictionary(
                Type=Name.Annot,
                Subtype=Name.Widget,
                FT=Name.Sig,
                T=String(SIGNATURE),
                TU=String(_SIGNATURE_IN_WORDS),
                F=_PRINT,
                Rect=Array([0, 0, 0, 0]),
                P=page,
                StructParent=len(self.pages) + len(self.annotated),
            )
        )
        self.annotated.append(owner)
        owner.K = Dictionary(Type=Name.OBJR, Obj=widget, Pg=page)
        document.K.append(owner)
        page.Annots = Array([*page.get("/Annots", Array()), widget])
        self.pdf.Root.AcroForm = Dictionary(Fields=Array([widget]), SigFlags=3)


def _attributes(element: Element) -> Any:
    """What a cell heads and how wide it is; where a figure stands."""
    if element.box:
        return Dictionary(O=Name.Layout, BBox=Array(element.box), Placement=Name.Block)
    told: dict[str, Any] = {}
    if element.scope:
        told["/Scope"] = Name(f"/{element.scope}")
    if element.span > 1:
        told["/ColSpan"] = element.span
    return Dictionary({"/O": Name.Table, **told}) if told else None


def _describe(pdf: pikepdf.Pdf, properties: Properties) -> None:
    """XMP that says what the document's properties say; their dates in full, none of them empty."""
    for empty in ("/Keywords", "/Trapped"):
        if empty in pdf.docinfo:
            del pdf.docinfo[empty]
    pdf.docinfo.CreationDate = pdf.docinfo.ModDate = String(_date(properties.made_at))
    producer = str(pdf.docinfo.get("/Producer", ""))
    moment = properties.made_at.astimezone(UTC).isoformat(timespec="seconds")
    said: Mapping[str, object] = {
        "dc:title": properties.title,
        "dc:creator": [properties.author],
        "dc:description": properties.subject,
        "dc:language": {properties.language},
        "dc:format": "application/pdf",
        "xmp:CreatorTool": str(pdf.docinfo.get("/Creator", "")),
        "xmp:CreateDate": moment,
        "xmp:ModifyDate": moment,
        "xmp:MetadataDate": moment,
        "pdf:Producer": producer,
        "pdfaid:part": _PART,
        "pdfaid:conformance": _CONFORMANCE,
    }
    with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as metadata:
        for name, value in said.items():
            metadata[name] = value


@lru_cache(maxsize=1)
def _profile() -> bytes:
    return _PROFILE.read_bytes()


def _colour(pdf: pikepdf.Pdf) -> None:
    """What the colours mean, so that they are the same on paper elsewhere."""
    profile = pdf.make_stream(_profile(), N=3)
    pdf.Root.OutputIntents = Array(
        [
            Dictionary(
                Type=Name.OutputIntent,
                S=Name.GTS_PDFA1,
                OutputConditionIdentifier=String("sRGB"),
                RegistryName=String("http://www.color.org"),
                Info=String("sRGB IEC61966-2.1"),
                DestOutputProfile=profile,
            )
        ]
    )


def _attach(pdf: pikepdf.Pdf, attached: Attached, made_at: datetime) -> None:
    """A file inside the document, associated with all of it."""
    spec = pikepdf.AttachedFileSpec(
        pdf,
        attached.body,
        description=attached.about,
        filename=attached.name,
        mime_type=attached.media_type,
        creation_date=_date(made_at),
        mod_date=_date(made_at),
    )
    spec.obj.AFRelationship = Name.Data
    pdf.attachments[attached.name] = spec
    pdf.Root.AF = Array([spec.obj])


def _date(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("D:%Y%m%d%H%M%S+00'00'")
