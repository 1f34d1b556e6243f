"""A QR code as SVG; the modules are ReportLab's, the drawing is one path without style."""

from __future__ import annotations

from xml.sax.saxutils import escape

QUIET = 4
"""Empty modules around it, as the standard wants them."""


def svg(text: str, title: str) -> str:
    """The code of a short text, named by a title for whoever does not see it."""
    from reportlab.graphics.barcode.qrencoder import (  # noqa: PLC0415  # costs start-up
        QRCode,
        QRErrorCorrectLevel,
    )

    code = QRCode(None, QRErrorCorrectLevel.M)
    code.addData(text)
    code.make()
    size = code.getModuleCount()
    dark = (
        f"M{column + QUIET} {row + QUIET}h1v1h-1z"
        for row in range(size)
        for column in range(size)
        if code.isDark(row, column)
    )
    whole = size + 2 * QUIET
    return (
        f'<svg class="qr" viewBox="0 0 {whole} {whole}" width="{4 * whole}" height="{4 * whole}"'
        f' role="img"><title>{escape(title)}</title>'
        f'<rect width="{whole}" height="{whole}" fill="#fff"/>'
        f'<path d="{"".join(dark)}" fill="#000"/></svg>'
    )
