"""From HL7 v2 bytes to messages, segments and texts; the only module that uses the `hl7` library.

The library splits segments and fields by the message's own delimiters. Charsets, line ends,
batches and escapes are read here: senders bend those in more ways than it knows. One file, since
each of these steps rests on the delimiters that the one before it found.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import hl7

from labinterp.errors import Place, SubmissionError
from labinterp.formats.fhir_document import quotable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labinterp.formats.ages import PlaceOfProblem

_LINE_ENDS: Final = re.compile(rb"[\r\n\x1c]+")
_NAME: Final = re.compile(rb"[A-Z][A-Z0-9]{2}")
_HEADERS: Final = (b"MSH", b"FHS", b"BHS")
_WRAPPERS: Final = ("FHS", "BHS", "BTS", "FTS")
_MARK: Final = b"\xef\xbb\xbf"
_DECLARED: Final = {
    "": "ascii",
    "ASCII": "ascii",
    "UNICODE": "utf-8",
    "UNICODE UTF-8": "utf-8",
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
    "UNICODE UTF-16": "utf-8",  # the bytes were turned into UTF-8 before
    "GB 18030-2000": "gb18030",
    "BIG-5": "big5",
    "KS X 1001": "euc-kr",
    "ISO IR87": "iso2022_jp",
    "ISO IR6": "ascii",
}
_LATIN: Final = re.compile(r"(?:ISO[- ]?)?8859[/-]([0-9]{1,2})")
_HIGHEST_ASCII: Final = 127
_FEWEST, _MOST = 3, 5
_DOUBLED: Final = '""'
_LONGEST_ESCAPE: Final = 200
_SPACES: Final = re.compile(r"\.(?:br|sp\d{0,3}|ce)", re.ASCII)
_DROPPED: Final = re.compile(r"(?:[HN]|\.(?:in|ti|sk)[+-]?\d{0,3}|\.fi|\.nf|Z[^\\]*)", re.ASCII)
_HEX: Final = re.compile(r"X(?:[0-9A-Fa-f]{2})+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Delimiters:
    """The signs of one message, as its first segment declares them."""

    field: str
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"
    truncation: str = ""

    @property
    def encoding(self) -> str:
        """MSH-2."""
        inner = self.component + self.repetition + self.escape + self.subcomponent
        return inner + self.truncation


STANDARD: Final = Delimiters("|")


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment: its fields as they came, numbered as the standard does.

    Attributes:
        number: which of its name it is in the message, from 1.
        fields: `fields[0]` is the name.
        raw: the line itself.
    """

    name: str
    number: int
    fields: tuple[str, ...]
    raw: str
    signs: Delimiters
    charset: str

    @property
    def place(self) -> str:
        """`OBX[3]`."""
        return f"{self.name}[{self.number}]"

    def field(self, number: int) -> str:
        """A field as it came; empty where there is none."""
        return self.fields[number] if number < len(self.fields) else ""

    def repetitions(self, number: int) -> list[str]:
        """Its repetitions that say something, as they came."""
        sent = self.field(number)
        return [part for part in sent.split(self.signs.repetition) if part] if sent else []

    def components(self, number: int, repetition: int = 0) -> list[str]:
        """The components of one repetition, read; a null (`""`) is empty."""
        sent = self.repetitions(number)
        return self.parts(sent[repetition]) if repetition < len(sent) else []

    def parts(self, text: str) -> list[str]:
        """The components of a text, read."""
        return [self.plain(part) for part in text.split(self.signs.component)]

    def component(self, number: int, which: int = 1) -> str:
        """One component (from 1) of the first repetition, read."""
        found = self.components(number)
        return found[which - 1] if which <= len(found) else ""

    def whole(self, number: int) -> str:
        """A field read as one text, its repetitions on lines of their own."""
        return "\n".join(self.plain(part) for part in self.repetitions(number)).strip()

    def plain(self, text: str) -> str:
        """A text without escapes, and without what no text may hold."""
        if text.strip() == _DOUBLED:
            return ""
        return quotable(unescaped(text, self.signs, self.charset)).strip()

    def is_null(self, number: int) -> bool:
        """Is the field deliberately empty?"""
        return self.field(number).strip() == _DOUBLED


@dataclass(frozen=True, slots=True)
class Message:
    """One message, its segments in order.

    Attributes:
        charset: the one its bytes were read in, by Python's name.
        problems: what had to be guessed.
    """

    segments: tuple[Segment, ...]
    signs: Delimiters
    charset: str
    body: bytes
    problems: tuple[PlaceOfProblem, ...] = ()

    @property
    def header(self) -> Segment:
        """MSH."""
        return self.segments[0]

    @property
    def control_id(self) -> str:
        """MSH-10, as it came."""
        return self.header.field(10)

    @property
    def sender(self) -> tuple[str, str]:
        """MSH-3 and MSH-4: the namespaces of application and facility."""
        return self.header.component(3), self.header.component(4)


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a body holds: messages, those of them that cannot be read, and what is odd around them.

    Attributes:
        broken: a message's own bytes, and why no segment of it can be read.
    """

    messages: tuple[Message, ...]
    broken: tuple[tuple[bytes, Place], ...] = ()
    problems: tuple[PlaceOfProblem, ...] = ()


def envelope_of(body: bytes, charset: str = "") -> Envelope:
    """Every message of a body, framed or not, in a batch or not.

    Args:
        body: the bytes as they came.
        charset: what this sender uses when it does not say, or what it says is not true.

    Raises:
        SubmissionError: `header-missing`: nothing in it begins a message.
    """
    plain, is_utf8 = _as_bytes(body)
    lines = _lines(plain)
    groups, wrappers, stray = _grouped(lines)
    if not groups:
        message = "No segment begins with MSH; nothing of this can be read as HL7 v2."
        raise SubmissionError(message, code="header-missing", errors=(_no_header(message),))
    messages, broken = [], []
    for group in groups:
        try:
            messages.append(_message(group, charset, is_utf8=is_utf8))
        except SubmissionError as error:
            broken.append((b"\r".join(group), Place("MSH[1]-2", error.code, error.message)))
    problems = [*_counted(wrappers, len(groups))]
    if stray:
        message = f"{stray} segments before the first MSH belong to no message; they were not read"
        problems.append(("MSH[1]", "row-not-read", message))
    return Envelope(tuple(messages), tuple(broken), tuple(problems))


def _no_header(message: str) -> Place:
    return Place("MSH[1]", "header-missing", message)


# ---- bytes to lines


def _as_bytes(body: bytes) -> tuple[bytes, bool]:
    """The body without its frame and mark, UTF-16 turned into UTF-8, and whether it is UTF-8."""
    body = body.lstrip(b"\x0b\r\n")
    for mark, charset in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if body.startswith(mark):
            return body[2:].decode(charset, "replace").encode("utf-8", "replace"), True
    sample = body[:2000]
    if sample.count(0) * 3 > len(sample):
        charset = "utf-16-le" if sample[1:2] == b"\0" else "utf-16-be"
        return body.decode(charset, "replace").encode("utf-8", "replace"), True
    marked = body.startswith(_MARK)
    return body.removeprefix(_MARK).replace(b"\x0b", b"").replace(b"\0", b""), marked


def _lines(body: bytes) -> list[bytes]:
    """The segments; a line that begins like none continues the one before it."""
    lines: list[bytes] = []
    sign = b""
    for line in _LINE_ENDS.split(body):
        stripped = line.lstrip()
        if not stripped:
            continue
        if stripped.startswith(_HEADERS) and not stripped[3:4].isalnum():
            sign = stripped[3:4]
        named = _NAME.match(stripped) and stripped[3:4] in (sign, b"")
        if named or not lines:
            lines.append(stripped)
        else:
            lines[-1] += b"\n" + line
    return lines


def _grouped(lines: list[bytes]) -> tuple[list[list[bytes]], list[bytes], int]:
    """Lines by message; wrappers of batches; how many stand before any message."""
    groups: list[list[bytes]] = []
    wrappers: list[bytes] = []
    stray = 0
    for line in lines:
        name = line[:3].decode("ascii", "replace")
        if name == "MSH":
            groups.append([line])
        elif name in _WRAPPERS:
            wrappers.append(line)
        elif groups:
            groups[-1].append(line)
        else:
            stray += 1
    return groups, wrappers, stray


def _counted(wrappers: list[bytes], messages: int) -> Iterator[PlaceOfProblem]:
    """Do the trailers count what came?"""
    batches = sum(line.startswith(b"BHS") for line in wrappers)
    told = [_count(line) for line in wrappers if line.startswith(b"BTS")]
    known = [count for count in told if count is not None]
    if known and len(known) == len(told) and sum(known) != messages:
        message = f"the trailer counts {sum(known)} messages; {messages} came"
        yield ("BTS[1]-1", "batch-count", message)
    for line in wrappers:
        count = _count(line) if line.startswith(b"FTS") else None
        if count is not None and count != batches:
            yield ("FTS[1]-1", "batch-count", f"the trailer counts {count} batches; {batches} came")


def _count(line: bytes) -> int | None:
    digits = re.match(rb"...[^0-9A-Za-z]([0-9]{1,9})(?![0-9])", line)
    return int(digits[1]) if digits else None


# ---- one message


def _message(lines: list[bytes], charset: str, *, is_utf8: bool) -> Message:
    certain = is_utf8 and _fits(b"\r".join(lines), "utf-8")
    used, problems = ("utf-8", []) if certain else _charset(lines, charset)
    texts = [line.decode(used) for line in lines]
    signs = delimiters_of(texts[0])
    counts: dict[str, int] = {}
    segments = []
    for text, fields in zip(texts, _split(texts, signs), strict=True):
        name = text[:3]
        counts[name] = counts.get(name, 0) + 1
        segments.append(Segment(name, counts[name], fields, text, signs, used))
    return Message(tuple(segments), signs, used, b"\r".join(lines) + b"\r", tuple(problems))


def delimiters_of(header: str) -> Delimiters:
    """The delimiters that MSH declares.

    Raises:
        SubmissionError: `delimiters-invalid`: fewer than three, or one of them twice.
    """
    field = header[3:4]
    inner = header[4:].partition(field)[0] if field else ""
    signs = field + inner
    if (
        not field
        or not _FEWEST <= len(inner) <= _MOST
        or len(set(signs)) != len(signs)
        or any(sign.isalnum() or sign.isspace() for sign in signs)
    ):
        message = "MSH-1 and MSH-2 must declare at least four different signs, such as |^~\\&."
        raise SubmissionError(message, code="delimiters-invalid")
    return Delimiters(field, *inner, **({} if len(inner) > _FEWEST else {"subcomponent": ""}))


def _split(texts: list[str], signs: Delimiters) -> list[tuple[str, ...]]:
    """Each segment's fields, split by the library; MSH-1 is the sign itself.

    What is inside a field is split where it is read: a field's kind decides how.

    Raises:
        SubmissionError: `unreadable`: the library makes something else of it.
    """
    header = f"MSH{signs.field}{signs.encoding}{signs.field}"
    sent = "\r".join([header + texts[0][len(header) :], *texts[1:]])
    try:
        split = [tuple(str(field) for field in segment) for segment in hl7.parse(sent)]
    except Exception as error:
        message = f"The segments cannot be told apart ({type(error).__name__})."
        raise SubmissionError(message, code="unreadable") from error
    if len(split) != len(texts):
        raise SubmissionError("The segments cannot be told apart.", code="unreadable")
    return split


def _charset(lines: list[bytes], configured: str) -> tuple[str, list[PlaceOfProblem]]:
    """The charset that fits: declared, else UTF-8, else the sender's, else Windows-1252."""
    whole = b"\r".join(lines)
    said = _declared_in(lines[0])
    declared = charset_name(said)
    if all(byte <= _HIGHEST_ASCII for byte in whole):
        return "utf-8" if declared in (None, "ascii", "utf-8") else declared, []
    for name, certain in (
        (declared, declared != "ascii"),
        ("utf-8", said == ""),
        (charset_name(configured) if configured else None, True),
        ("cp1252", False),
    ):
        if name is None or not _fits(whole, name):
            continue
        if certain:
            return name, []
        message = f"MSH-18 says {quotable(said)[:40] or 'nothing'!r}; it was read as {name}"
        return name, [("MSH[1]-18", "charset-guessed", message)]
    message = "no charset fits every byte; it was read as ISO 8859-1"
    return "latin-1", [("MSH[1]-18", "charset-guessed", message)]


def _declared_in(header: bytes) -> str:
    fields = header.split(header[3:4] or b"|")
    if len(fields) <= 17:  # noqa: PLR2004 - the separator itself is MSH-1, so MSH-18 is the 17th
        return ""
    repetition = header[5:6] or b"~"
    return fields[17].split(repetition)[0].decode("ascii", "replace").strip().upper()


def charset_name(said: str) -> str | None:
    """A charset of table 0211, or one by any name Python knows; None for others."""
    name = said.strip().upper()
    if name in _DECLARED:
        return _DECLARED[name]
    latin = _LATIN.fullmatch(name)
    try:
        return codecs.lookup(f"iso8859-{latin[1]}" if latin else name).name
    except (LookupError, ValueError):
        return None


def _fits(whole: bytes, name: str) -> bool:
    try:
        text = whole.decode(name)
    except (UnicodeError, LookupError, TypeError, AttributeError):
        return False
    # Controls of ISO 8859 are Windows' letters under another name.
    return not (name.startswith("iso8859") and any("\x80" <= sign <= "\x9f" for sign in text))


# ---- escapes


def unescaped(text: str, signs: Delimiters, charset: str = "utf-8") -> str:
    """A text with its escape sequences read; an escape that is not closed stands for itself."""
    if signs.escape not in text:
        return text
    made: list[str] = []
    position = 0
    while (start := text.find(signs.escape, position)) >= 0:
        end = text.find(signs.escape, start + 1)
        body = text[start + 1 : end] if end > 0 else ""
        read = _escape(body, signs, charset) if end > 0 and len(body) <= _LONGEST_ESCAPE else None
        made.append(text[position:start])
        made.append(signs.escape if read is None else read)
        position = start + 1 if read is None else end + 1
    return "".join((*made, text[position:]))


def _escape(body: str, signs: Delimiters, charset: str) -> str | None:
    """What one sequence stands for; None when it is none."""
    one = {
        "F": signs.field,
        "S": signs.component,
        "T": signs.subcomponent,
        "R": signs.repetition,
        "E": signs.escape,
        "P": signs.truncation or "#",
    }.get(body)
    if one is not None:
        return one
    if _SPACES.fullmatch(body):
        return "\n"
    if _DROPPED.fullmatch(body):
        return ""
    if _HEX.fullmatch(body):
        return _from_hex(body[1:], charset)
    return None


def _from_hex(digits: str, charset: str) -> str:
    raw = bytes.fromhex(digits)
    try:
        return raw.decode(charset).replace("\r", "\n")
    except UnicodeError:
        return raw.decode("latin-1").replace("\r", "\n")


def escaped(text: str, signs: Delimiters) -> str:
    """Our own text for a field: no sign of it is a delimiter, no line of it ends the segment."""
    names = {
        signs.escape: "E",
        signs.field: "F",
        signs.component: "S",
        signs.subcomponent: "T",
        signs.repetition: "R",
        signs.truncation: "P",
    }
    names.pop("", None)
    plain = " ".join(quotable(text).split())
    return "".join(
        f"{signs.escape}{names[sign]}{signs.escape}" if sign in names else sign for sign in plain
    )
