"""The signature itself. This module loads pyHanko, so it is loaded by the first report signed."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from pyhanko.keys import load_certs_from_pemder_data, load_private_key_from_pemder_data
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko_certvalidator.registry import SimpleCertificateStore

from labinterp.reporting.archive import SIGNATURE

if TYPE_CHECKING:
    from datetime import datetime

    from labinterp.reporting.sealing import Seal


def signed(pdf: bytes, seal: Seal, moment: datetime) -> bytes:
    """The document with a signature over all of it, in the field that it was made with.

    Args:
        pdf: finished, with its field for a signature.
        seal: who signs.
        moment: when the report was issued; aware.
    """
    own, *others = (next(load_certs_from_pemder_data(one)) for one in seal.certificates)
    vouching = SimpleCertificateStore()  # type: ignore[no-untyped-call]
    vouching.register_multiple(others)
    about = signers.PdfSignatureMetadata(
        field_name=SIGNATURE, md_algorithm="sha256", subfilter=fields.SigSeedSubFilter.PADES
    )
    key = load_private_key_from_pemder_data(seal.key, None)
    signer = signers.SimpleSigner(signing_cert=own, signing_key=key, cert_registry=vouching)
    out = _Signer(about, signer, moment).sign_pdf(
        _Addition(io.BytesIO(pdf)), existing_fields_only=True
    )
    return bytes(out.getvalue())


class _Addition(IncrementalPdfFileWriter):
    """Adds the signature; the properties of the document stay as they were drawn."""

    def _update_meta(self) -> None:
        pass


class _Signer(signers.PdfSigner):
    """Signs as of the moment of issue; the clock is not asked."""

    def __init__(self, about: Any, signer: Any, moment: datetime) -> None:
        super().__init__(about, signer)
        self._moment = moment

    def init_signing_session(self, pdf_out: Any, existing_fields_only: bool = False) -> Any:
        """The session, at its moment."""
        session = super().init_signing_session(pdf_out, existing_fields_only)
        session.system_time = self._moment
        return session
