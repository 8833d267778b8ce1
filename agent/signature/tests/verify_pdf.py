"""Verifies the signatures of a PDF with pyHanko, which shares no code with this project.

Usage: verify_pdf.py PDF ROOT_PEM

Prints one JSON object with an entry for each signature; exit code 0 if all of them are intact, valid,
trusted from ROOT_PEM and followed only by permitted changes.  Needs pyhanko from PyPI.
"""

import json
import logging
import sys

from pyhanko.keys import load_cert_from_pemder
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

logging.disable(logging.CRITICAL)


def check(signature, root):
    context = ValidationContext(trust_roots=[root], allow_fetching=False)
    status = validate_pdf_signature(signature, signer_validation_context=context)
    return {
        "field": signature.field_name,
        "subfilter": str(signature.sig_object["/SubFilter"]),
        "intact": status.intact,
        "valid": status.valid,
        "trusted": status.trusted,
        "coverage": status.coverage.name,
        "changes": status.modification_level.name if status.modification_level else None,
        "good": status.bottom_line,
    }


def main(pdf, root_pem):
    try:
        root = load_cert_from_pemder(root_pem)
        with open(pdf, "rb") as file:
            reader = PdfFileReader(file, strict=True)
            signatures = [check(one, root) for one in reader.embedded_regular_signatures]
        valid = bool(signatures) and all(one["good"] for one in signatures)
        shown = {"valid": valid, "signatures": signatures}
    except Exception as error:  # Whatever it is: the signature does not verify.
        shown = {"valid": False, "error": f"{type(error).__name__}: {error}"}
    print(json.dumps(shown, ensure_ascii=False))
    return 0 if shown["valid"] else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
