"""Which characters foreign text may hold, how it is decoded, and how it is quoted back."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from labinterp.errors import SubmissionError, UnsupportedFormat

_FORBIDDEN: Final = (
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # controls
    "\u2028\u2029"  # separators that break lines unseen
    "\u202a-\u202e\u2066-\u2069"  # direction overrides: the printed order would lie
    "\ud800-\udfff\ufffe\uffff"  # no characters at all
)
_IN_A_LINE: Final = re.compile(f"[{_FORBIDDEN}\t\n\r]")
_IN_LINES: Final = re.compile(f"[{_FORBIDDEN}]")
IN_A_LINE: Final = r"^[^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufffe\uffff]*$"
"""What a text on one line may be, as a JSON Schema says it."""
IN_LINES: Final = IN_A_LINE.replace(r"\u0000-\u001f", r"\u0000-\u0008\u000b\u000c\u000e-\u001f")
_INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_LONGEST_QUOTE: Final = 60
_BINARY: Final = (
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a spreadsheet or another zipped file"),
    (b"\xd0\xcf\x11\xe0", "an old Office document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"\x1f\x8b", "a compressed file"),
)

_CHARSET_MARKS: Final = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
GUESSED_1252: Final = "The file is not UTF-8; it was read as Windows-1252. Check names and units."


def forbidden_character(text: str, *, lines: bool = False) -> str | None:
    """The first character that may not stand in a text, as `U+0007`; None if there is none.

    Args:
        text: the foreign text.
        lines: whether it may have several lines (notes, addresses).
    """
    found = (_IN_LINES if lines else _IN_A_LINE).search(text)
    return f"U+{ord(found.group()):04X}" if found else None


def permitted(text: str) -> str:
    """A text of several lines without the characters that none may hold."""
    return _IN_LINES.sub("", text)


def quoted(text: str) -> str:
    """Foreign text fit to stand in a message: short, on one line, nothing unprintable."""
    clean = _IN_A_LINE.sub("\ufffd", text[: _LONGEST_QUOTE + 1])
    return clean if len(clean) <= _LONGEST_QUOTE else clean[:_LONGEST_QUOTE] + "…"


def folded(text: str) -> str:
    """Text for comparing names: without case, accents, hyphens and other signs."""
    plain = unicodedata.normalize("NFKD", _INVISIBLE.sub("", text)).casefold()
    letters = (mark for mark in plain if not unicodedata.combining(mark))
    return " ".join(
        "".join(mark if mark.isalnum() or mark in "%#+" else " " for mark in letters).split()
    )


def refuse_binary(body: bytes) -> None:
    """Refuse what is no text, by what it is.

    Raises:
        UnsupportedFormat: the body begins like a picture, a PDF, an archive.
    """
    for signature, kind in _BINARY:
        if body.startswith(signature):
            raise UnsupportedFormat(
                f"This is {kind}, which is not read. Send JSON, CSV, or the results as text."
            )


def decoded(body: bytes, agreed: str = "") -> tuple[str, str | None]:
    """A table's or a pasted text's characters, and the sentence that says its charset was guessed.

    UTF-8 and anything with a byte order mark are certain; UTF-16 without one, and Windows-1252,
    are guesses that the answer must name.

    Args:
        body: the bytes as they came.
        agreed: the charset of this sender's texts that are not UTF-8, by Python's name.

    Raises:
        SubmissionError: no charset fits.
    """
    refuse_binary(body)
    charset, mark, guessed = charset_by_its_start(body)
    if charset is not None:
        text = _strictly(body.removeprefix(mark), charset)
        return (text.removeprefix("\ufeff") if mark else text), guessed
    try:
        return body.decode("utf-8"), None
    except UnicodeDecodeError:
        if agreed:
            return _strictly(body, agreed), None
        return _strictly(body, "cp1252"), GUESSED_1252


def charset_by_its_start(start: bytes) -> tuple[str | None, bytes, str | None]:
    """The charset, the mark that says so, and the sentence that it was guessed without a mark.

    None for a charset that only the rest of the text tells: UTF-8, or else Windows-1252.
    """
    for mark, charset in _CHARSET_MARKS:
        if start.startswith(mark):
            return charset, mark, None
    sample = start[:4000]
    if sample.count(0) * 3 > len(sample):
        charset = "utf-16-le" if sample[1:2] == b"\x00" else "utf-16-be"
        return charset, b"", f"The file does not say its charset; read as {charset}."
    return None, b"", None


def _strictly(body: bytes, charset: str) -> str:
    try:
        return body.decode(charset)
    except UnicodeDecodeError as error:
        raise SubmissionError(
            f"The text is not valid {charset} (byte {error.start + 1}). Save it as UTF-8.",
            code="charset-invalid",
        ) from None
