"""One PACS: where it is, who we are to it, and how long and how often it is asked (docs/pacs.md).

The token itself stands in no file: the settings name the environment variable that holds it, and it is read here.
"""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from lesion_measure.config.reading import read_settings
from lesion_measure.config.section import Positive, PositiveInt, Section
from lesion_measure.errors import ConfigError

AeTitle = Annotated[str, Field(min_length=1, max_length=16, pattern=r"^[!-\[\]-~]([ -\[\]-~]*[!-\[\]-~])?$")]
"""PS3.5 6.2, AE: printable ASCII without a backslash; blanks around it mean nothing."""
Port = Annotated[int, Field(ge=1, le=65535)]
Host = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9.:_-]+$")]


def _web_address(value: str) -> str:
    """An address without user, password and query.

    Raises
    ------
    ValueError
        It is none of those.
    """
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("give an address that begins with https:// or http://")
    if parts.username or parts.password:
        raise ValueError("an address holds no user and no password; give them by 'token_env'")
    if parts.query or parts.fragment:
        raise ValueError("give the address without what follows a ? or #")
    return value.rstrip("/")


WebAddress = Annotated[str, Field(max_length=1000), AfterValidator(_web_address)]


class DicomWeb(Section):
    """The DICOMweb services (PS3.18): search, retrieve and store below one address."""

    url: WebAddress = Field(description="Address, such as https://pacs.example/dicom-web.")
    token_env: str | None = Field(
        None,
        pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$",
        description="Name of the environment variable that holds the token, or user:password for basic.",
    )
    scheme: Literal["bearer", "basic"] = Field("bearer", description="How the token is sent.")

    @model_validator(mode="after")
    def _no_token_in_the_open(self) -> DicomWeb:
        parts = urlsplit(self.url)
        if self.token_env and parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            raise ValueError("a token would travel readable over http://; give an https:// address")
        return self


class Dimse(Section):
    """The DIMSE services (PS3.7): C-ECHO, C-FIND, C-GET or C-MOVE, C-STORE, storage commitment."""

    ae_title: AeTitle = Field(description="The AE title of the PACS.")
    host: Host = Field(description="Its name or address.")
    port: Port = Field(104, description="Its port.")
    tls: bool = Field(False, description="Whether it is spoken to over TLS.")
    retrieve: Literal["get", "move"] = Field("get", description="How it sends objects: C-GET, or C-MOVE to our node.")
    commitment: bool = Field(False, description="Whether storage commitment is asked for after a push.")


class OwnNode(Section):
    """Our own node: its AE title, and where it listens for C-MOVE, storage commitment and ``pacs listen``."""

    ae_title: AeTitle = Field("LESION_MEASURE", description="Our AE title.")
    address: Host = Field("127.0.0.1", description="Address to listen on; loopback unless another one is given.")
    port: Port = Field(11112, description="Port to listen on.")
    tls: bool = Field(False, description="Whether those who connect to us have to speak TLS.")


class Tls(Section):
    """Files for TLS, PEM; relative names count from the folder of the settings file."""

    ca_file: Path | None = Field(None, description="Certificates that the other side's must come from.")
    certificate_file: Path | None = Field(None, description="Our certificate, for whoever asks for one.")
    key_file: Path | None = Field(None, description="Its private key.")

    @model_validator(mode="after")
    def _pairs(self) -> Tls:
        if (self.certificate_file is None) is not (self.key_file is None):
            raise ValueError("'certificate_file' and 'key_file' go together")
        return self


class Patience(Section):
    """How long and how often the PACS is asked."""

    connect_s: Positive = Field(10, le=600, description="Seconds for a connection.")
    answer_s: Positive = Field(60, le=3600, description="Seconds without a byte after which a connection is lost.")
    attempts: PositiveInt = Field(4, le=20, description="Tries of each request in all.")
    wait_s: Positive = Field(1, le=60, description="Seconds before the second try; doubled before each further one.")
    commitment_s: Positive = Field(60, le=3600, description="Seconds to wait for the report of storage commitment.")


class Bounds(Section):
    """Bounds on what a PACS may send."""

    answer_bytes: PositiveInt = Field(67_108_864, description="Largest answer to a search, in bytes.")
    instance_bytes: PositiveInt = Field(4_000_000_000, description="Largest object, in bytes.")
    total_bytes: PositiveInt = Field(100_000_000_000, description="Most bytes that a folder may hold.")
    studies: PositiveInt = Field(1000, description="Most studies that a query may find, or a node may receive.")
    instances: PositiveInt = Field(20_000, description="Most objects of one study.")


class Listening(Section):
    """The receiving node of ``pacs listen``."""

    quiet_s: Positive = Field(
        60, le=86_400, description="A study without a new object for so many seconds is complete."
    )
    measure_s: Positive = Field(
        21_600,
        le=604_800,
        description="Seconds that measuring one study may take; then it is ended, and others follow.",
    )
    accept: tuple[AeTitle, ...] = Field((), description="AE titles that may send; empty: any.")
    associations: PositiveInt = Field(4, le=50, description="Associations at the same time.")


class Replacing(Section):
    """What ``pacs push --replace`` does with results of ours that a corrected one replaces."""

    by: Literal["note", "orthanc"] | None = Field(
        None, description="A rejection note (IHE IOCM), or deletion by Orthanc's own interface."
    )
    orthanc_url: WebAddress | None = Field(
        None, description="Address of that interface, of the same server as 'dicomweb.url'."
    )

    @model_validator(mode="after")
    def _address(self) -> Replacing:
        if (self.by == "orthanc") is not (self.orthanc_url is not None):
            raise ValueError("'orthanc_url' goes with 'by: orthanc'")
        return self


class Node(Section):
    """One PACS and our own node."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="A short name, for messages and journals.")
    dicomweb: DicomWeb | None = Field(None, description="DICOMweb.")
    dimse: Dimse | None = Field(None, description="DIMSE.")
    own: OwnNode = Field(OwnNode(), description="Our own node.")
    tls: Tls = Field(Tls(), description="TLS.")
    patience: Patience = Field(Patience(), description="Patience.")
    bounds: Bounds = Field(Bounds(), description="Bounds.")
    listening: Listening = Field(Listening(), description="Listening.")
    replacing: Replacing = Field(Replacing(), description="Replacing.")

    @model_validator(mode="after")
    def _some_way(self) -> Node:
        if self.dicomweb is None and self.dimse is None:
            raise ValueError("give 'dicomweb', 'dimse' or both")
        if self.own.tls and self.tls.certificate_file is None:
            raise ValueError("'own.tls' needs 'tls.certificate_file' and 'tls.key_file'")
        return self

    @model_validator(mode="after")
    def _one_server(self) -> Node:
        """The token of DICOMweb is sent there, too."""
        address = self.replacing.orthanc_url
        if address is not None and (self.dicomweb is None or _server(address) != _server(self.dicomweb.url)):
            raise ValueError("'replacing.orthanc_url' is an address of the server of 'dicomweb.url'")
        return self

    @classmethod
    def from_yaml(cls, path: Path) -> Node:
        """Read the settings of a PACS; names of TLS files are made absolute, and the files have to be there.

        Raises
        ------
        ConfigError
            The file cannot be read, is no YAML mapping, or holds an unknown or impossible setting.
        """
        node = read_settings(cls, path, remedy="'lesion-measure help pacs' describes every setting.")
        files = {name: path.parent.absolute() / file for name, file in node.tls if file is not None}
        for name, file in files.items():
            if not file.is_file():
                raise ConfigError(
                    f"Setting 'tls.{name}' names a file that is not there.", remedy="Check the path.", path=str(path)
                )
        return node.model_copy(update={"tls": Tls(**files)})

    def authorization(self) -> str | None:
        """The value of HTTP's Authorization header, from the environment; None where no token is asked for.

        Raises
        ------
        ConfigError
            The variable is not set, or holds what no header can.
        """
        if self.dicomweb is None or self.dicomweb.token_env is None:
            return None
        name = self.dicomweb.token_env
        token = os.environ.get(name, "").strip()
        if not token or not token.isascii() or not token.isprintable():
            raise ConfigError(
                f"The environment variable {name} is not set, or holds no token.",
                remedy="Set it to the token of this PACS.", code="no_token",
            )  # fmt: skip
        if self.dicomweb.scheme == "bearer":
            return f"Bearer {token}"
        import base64

        return "Basic " + base64.b64encode(token.encode()).decode()


def _server(address: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(address)
    return parts.scheme, parts.hostname, parts.port


def is_loopback(host: str) -> bool:
    """Whether a name or address is this machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
