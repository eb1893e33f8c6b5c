"""TLS both ways: to a PACS by HTTPS and DICOM TLS, each with certificates of both sides, and to our own node."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
from pathlib import Path

import pytest
from pynetdicom import AE
from pynetdicom.presentation import build_context

from lesion_measure.config.pacs import Node
from lesion_measure.errors import PacsError
from lesion_measure.pacs.listen import receiving
from lesion_measure.pacs.peer import spoken_to
from lesion_measure.pacs.pull import pull
from lesion_measure.pacs.push import push
from lesion_measure.pacs.query import parse
from orthanc import Namespace, started
from pacs_objects import settings, study
from test_pacs_faults import JSON, body, server

CA, OURS, THEIRS, STRANGER = "ca", "ours", "theirs", "stranger"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of keys: an authority, one of its certificates for each side, and a stranger's of no authority."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is needed to make certificates")
    folder = tmp_path_factory.mktemp("keys")

    def run(*words: str) -> None:
        subprocess.run([openssl, *words], cwd=folder, check=True, capture_output=True)

    # What RFC 5280 asks of an authority and of what it signs; Python takes nothing less from 3.13 on.
    (folder / "san.txt").write_text("subjectAltName=IP:127.0.0.1\nauthorityKeyIdentifier=keyid\n")
    for name in (CA, STRANGER):
        run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign",
            "-keyout", f"{name}.key", "-out", f"{name}.pem")  # fmt: skip
    for name in (OURS, THEIRS):
        run(
            "req",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            f"/CN={name}",
            "-keyout",
            f"{name}.key",
            "-out",
            "asked.csr",
        )
        run("x509", "-req", "-in", "asked.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
            "-extfile", "san.txt", "-out", f"{name}.pem")  # fmt: skip
    return folder


def tls(keys: Path, own: str = OURS, ca: str = CA) -> dict[str, str]:
    """The section of the settings."""
    return {
        "ca_file": str(keys / f"{ca}.pem"),
        "certificate_file": str(keys / f"{own}.pem"),
        "key_file": str(keys / f"{own}.key"),
    }


def test_to_a_pacs_by_dimse(tmp_path: Path, keys: Path) -> None:
    secured = {
        "DicomTlsEnabled": True, "DicomTlsCertificate": str(keys / "theirs.pem"),
        "DicomTlsPrivateKey": str(keys / "theirs.key"), "DicomTlsTrustedCertificates": str(keys / "ca.pem"),
    }  # fmt: skip
    sent = study(tmp_path, "TLS", count=2)

    def where(section: dict[str, str]) -> Node:
        given = settings(dicomweb=None, dimse={"tls": True}, patience={"attempts": 1})
        return Node.model_validate({**given, "tls": section})

    with started(tmp_path, secured) as running, running.inside():
        with spoken_to(where(tls(keys))) as peer:
            assert peer.echo() == {"DIMSE": None}
            assert push(peer, [sent]).stored == 2
            found = peer.find(parse("PatientID=TLS")).studies
            assert pull(peer, found, tmp_path / "scans").fetched == 2
        for section in (tls(keys, ca=STRANGER), tls(keys, own=STRANGER), {"ca_file": str(keys / "ca.pem")}):
            with spoken_to(where(section)) as peer:
                error = peer.echo()["DIMSE"]
            assert error, section
            assert error.code == "pacs_unreachable"


def test_to_a_pacs_by_https(keys: Path) -> None:
    """A server of Python's own, since Debian's Orthanc 1.10.1 shakes hands by HTTPS and then gives no answer."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(keys / "ca.pem"))
    context.load_cert_chain(keys / "theirs.pem", keys / "theirs.key")
    context.verify_mode = ssl.CERT_REQUIRED
    with server(body(b"[]", JSON), tls=context) as (url, _):

        def echo(section: dict[str, str]) -> PacsError | None:
            given = settings(dicomweb={"url": url}, dimse=None, patience={"attempts": 1})
            with spoken_to(Node.model_validate({**given, "tls": section})) as peer:
                return peer.echo()["DICOMweb"]

        assert url.startswith("https://127.0.0.1")
        assert echo(tls(keys)) is None
        for section in (tls(keys, ca=STRANGER), tls(keys, own=STRANGER), {"ca_file": str(keys / "ca.pem")}, {}):
            error = echo(section)
            assert error, section
            assert error.code in ("pacs_tls", "pacs_unreachable")  # a side that was refused may see it as a lost line
        unknown = echo(tls(keys, ca=STRANGER))
        assert unknown is not None
        assert "certificate" in unknown.reason.partition("TLS: ")[2]  # OpenSSL's words say what is wrong


def test_to_our_own_node(tmp_path: Path, keys: Path) -> None:
    space = Namespace()
    own = Node.model_validate({**settings(own={"tls": True}), "tls": tls(keys, own=THEIRS)})
    try:
        # Whoever connects and does not greet shuts nobody out.
        with space.inside(), receiving(own, tmp_path / "inbox"), socket.create_connection(("127.0.0.1", own.own.port)):
            for name, taken in ((OURS, True), (STRANGER, False), (None, False)):
                context = ssl.create_default_context(cafile=str(keys / "ca.pem"))
                if name:
                    context.load_cert_chain(keys / f"{name}.pem", keys / f"{name}.key")
                assert _answers(own, (context, "127.0.0.1")) is taken, name
            assert not _answers(own, None)
    finally:
        space.close()


def _answers(own: Node, tls_args: tuple[ssl.SSLContext, str] | None) -> bool:
    entity = AE(ae_title="SENDER")
    entity.acse_timeout = entity.connection_timeout = 3
    contexts = [build_context("1.2.840.10008.1.1")]
    association = entity.associate(
        "127.0.0.1", own.own.port, contexts=contexts, ae_title=own.own.ae_title, tls_args=tls_args
    )
    if not association.is_established:
        return False
    answered = "Status" in association.send_c_echo()
    association.release()
    return answered
