"""HTTP as every request here uses it: bounded answers, no token to another host, failures in our own words.

The environment's proxies, netrc and certificate bundles are left alone: what is spoken to is what the settings say.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from lesion_measure.config.pacs import Node
from lesion_measure.errors import PacsError
from lesion_measure.pacs.http_waits import Adapter, body_within
from lesion_measure.pacs.retry import BUSY, Transient

_LOST = (
    requests.exceptions.ConnectionError, requests.exceptions.Timeout, requests.exceptions.ChunkedEncodingError,
    urllib3.exceptions.HTTPError,
)  # fmt: skip
_PIECE = 1 << 18
_LEAST_BYTES = 1000
"""Bytes that have to come within ``patience.answer_s``; fewer are a connection that is kept open for nothing."""


class Session(requests.Session):
    """A session of one PACS, with its token and its TLS files.

    Raises
    ------
    ConfigError
        The token is not in the environment.
    """

    def __init__(self, node: Node) -> None:
        super().__init__()
        self._node = node
        self.trust_env = False
        for scheme in ("http://", "https://"):
            self.mount(scheme, Adapter())
        self.max_redirects = 5
        self.headers["Accept-Encoding"] = "identity"  # nothing here unpacks to more than it was
        if authorization := node.authorization():
            self.headers["Authorization"] = authorization
        if node.tls.ca_file:
            self.verify = str(node.tls.ca_file)
        if node.tls.certificate_file and node.tls.key_file:
            self.cert = (str(node.tls.certificate_file), str(node.tls.key_file))

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Send one request; an answer that is not asked for as a stream is read here, within the bound of answers."""
        request.headers.pop("Host", None)  # dicomweb-client's own lacks the port
        streamed = options.get("stream", False)
        answer = super().send(request, **{**options, "stream": True})
        if not streamed:
            most = self._node.bounds.answer_bytes
            answer._content = b"".join(pieces(answer, most, self._node))
            answer._content_consumed = True
        return answer

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Where an answer sends us; another host, or a body that would be sent anew, is refused."""
        target = super().get_redirect_target(resp)
        if target is None:
            return None
        here, there = urlsplit(resp.url), urlsplit(urljoin(resp.url, target))
        same = (here.scheme, here.hostname, here.port) == (there.scheme, there.hostname, there.port)
        if not same or resp.request.method != "GET":
            raise PacsError(
                f"The PACS '{self._node.name}' sends us to another address, which is not followed.",
                remedy="If that address is the PACS, give it as 'dicomweb.url'.", code="pacs_redirect",
            )  # fmt: skip
        resp.close()  # requests would read its body, which nobody needs, however long it is
        resp._content, resp._content_consumed = b"", True
        return target


@contextmanager
def asking(node: Node) -> Iterator[None]:
    """What HTTP libraries raise inside, in our own words, without addresses or values of a query.

    Raises
    ------
    Transient
        The connection could not be made, or was lost.
    PacsError
        TLS failed, or the answer is none of HTTP.
    """
    name = f"The PACS '{node.name}'"
    try:
        yield
    except requests.exceptions.SSLError as error:
        raise PacsError(
            f"{name} and we could not agree on TLS{_why_not(error)}.",
            remedy="Check the files of 'tls': the PACS' certificate has to come from 'ca_file'.", code="pacs_tls",
        ) from error  # fmt: skip
    except requests.exceptions.TooManyRedirects as error:
        raise PacsError(f"{name} sends us round in circles.", code="pacs_redirect") from error
    except requests.exceptions.HTTPError as error:
        if error.response is not None:
            check_status(node, error.response)
        raise _unreadable(name) from error
    except _LOST as error:
        raise _unreachable(name) from error
    except (requests.exceptions.RequestException, ValueError, RecursionError) as error:
        raise _unreadable(name) from error
    except OSError as error:  # after what requests raises, which are all of this kind
        raise _unreachable(name) from error


def _unreachable(name: str) -> Transient:
    return Transient(
        PacsError(
            f"{name} cannot be reached, or the connection was lost.",
            remedy="Check its address, and that it runs.",
            code="pacs_unreachable",
        )
    )


def _unreadable(name: str) -> PacsError:
    return PacsError(f"{name} gave an answer that cannot be read.", remedy="Check 'dicomweb.url'.", code="pacs_answer")


def check_status(node: Node, answer: requests.Response) -> None:
    """Nothing for 2xx.

    Raises
    ------
    Transient
        The server is busy: 408, 429, 503, 504.
    PacsError
        Any other status.
    """
    status = answer.status_code
    if 200 <= status < 300:
        return
    if status in (401, 403):
        raise PacsError(
            f"The PACS '{node.name}' refuses us ({status}).",
            remedy="Check the token in the variable that 'dicomweb.token_env' names.", code="pacs_refused",
        )  # fmt: skip
    error = PacsError(
        f"The PACS '{node.name}' answers with status {status}.",
        remedy="Check 'dicomweb.url'." if status == 404 else "Its log may say why.", code="pacs_answer",
    )  # fmt: skip
    if status in BUSY:
        raise Transient(error, _retry_after_s(answer))
    raise error


def pieces(answer: requests.Response, most: int, node: Node) -> Iterator[bytes]:
    """The body as it comes, of at most ``most`` bytes.

    Raises
    ------
    Transient
        The connection is lost, or gives next to nothing.
    PacsError
        The body is larger.
    """
    with asking(node), body_within(answer, 2 * node.patience.answer_s) as deadline:
        count, since, then = 0, 0, time.monotonic()
        while data := answer.raw.read1(_PIECE):
            count += len(data)
            since += len(data)
            if count > most:
                answer.close()
                raise PacsError(
                    f"An answer of the PACS '{node.name}' is larger than {most} bytes.",
                    remedy="Raise the setting under 'bounds' if it can be trusted.", code="pacs_too_large",
                )  # fmt: skip
            if time.monotonic() - then > node.patience.answer_s:
                if since < _LEAST_BYTES:
                    answer.close()
                    raise TimeoutError
                since, then = 0, time.monotonic()
                deadline.again()
            yield data


def _retry_after_s(answer: requests.Response) -> float | None:
    """Seconds that the server asks for, as a number or as a date (RFC 9110, 10.2.3)."""
    stated = answer.headers.get("Retry-After", "")
    if stated.isascii() and stated.isdigit() and len(stated) < 6:
        return float(stated)
    try:
        return max(0.0, (parsedate_to_datetime(stated) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None


def _why_not(error: BaseException) -> str:
    """What is wrong with the other side's certificate, in OpenSSL's words, where that is why TLS failed."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f": {cause.verify_message}"
        cause = cause.__cause__ or cause.__context__
    return ""
