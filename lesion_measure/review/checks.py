"""What cannot be meant is refused before anything is read."""

from __future__ import annotations

import ssl
from pathlib import Path
from urllib.parse import urlsplit

from lesion_measure.errors import ConfigError, InputError
from lesion_measure.job import folder
from lesion_measure.review.request import ReviewRequest

MOST_NAME = 64
"""Characters of a reader's name."""


def check(request: ReviewRequest) -> None:
    """Refuse what cannot be meant, before anything is read.

    Raises
    ------
    InputError
        The scans are a results folder: those that it came from are needed.
    ConfigError
        A name, an address or a certificate that cannot be used.
    """
    run = request.run
    if run.input.is_dir() and folder.is_ours(run.input):
        raise InputError(
            "This is a results folder, and holds no scans.",
            remedy=f"Give the scans that it came from, and it as -o: lesion-measure review SCANS -o {run.input}",
            code="results_alone",
            path=str(run.input),
        )
    if not request.reader.strip() or len(request.reader) > MOST_NAME or not request.reader.isprintable():
        raise ConfigError(f"The reader's name is not 1 to {MOST_NAME} printable characters.", code="reader_name")
    if request.public_url and not _is_origin(request.public_url):
        raise ConfigError(
            "The public address is none.", remedy="Give it like https://room.example.org", code="public_url"
        )
    if request.tls is not None:
        _check_certificate(*request.tls)


def _is_origin(address: str) -> bool:
    """Whether an address is that of a site, without a page of it."""
    try:
        url = urlsplit(address)
    except ValueError:
        return False
    return (
        url.scheme in ("http", "https") and bool(url.netloc) and not (url.path.strip("/") or url.query or url.fragment)
    )


def _check_certificate(certificate: Path, key: Path) -> None:
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key, lambda: "")
    except OSError as error:  # of which those of TLS are some
        raise ConfigError(
            "The certificate and its key cannot be used.",
            remedy="Give the certificate and its key as PEM files, the key without a password.",
            code="tls",
            path=str(certificate),
        ) from error
