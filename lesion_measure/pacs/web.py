"""DICOMweb (PS3.18): QIDO-RS by dicomweb-client; WADO-RS and STOW-RS as streams, through the client's session.

``retrieve_instance`` of dicomweb-client keeps an instance five times in memory and takes half of a body for the whole.
So objects go straight to a file here, are asked for as they are stored (``transfer-syntax=*``), and are checked.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import requests
from dicomweb_client import DICOMwebClient

from lesion_measure.config.pacs import Node
from lesion_measure.errors import InputError, PacsError
from lesion_measure.files.reading import open_regular
from lesion_measure.files.writing import streaming
from lesion_measure.pacs.found import FoundInstance, FoundStudy
from lesion_measure.pacs.multipart import cut_off, media_type, write_part
from lesion_measure.pacs.query import Query, is_uid
from lesion_measure.pacs.session import Session, asking, check_status, pieces

_PAGE = 500
_AS_STORED = 'multipart/related; type="application/dicom"; transfer-syntax=*'
_JSON = "application/dicom+json"
_TEXT_VALUES = 256
_PATIENT_ID, _STUDY_DATE, _STUDY_UID, _SERIES_UID = "00100020", "00080020", "0020000D", "0020000E"
_SOP_CLASS, _SOP_UID, _MODALITY, _MODALITIES = "00080016", "00080018", "00080060", "00080061"
_STUDY_INSTANCES, _FRAMES = "00201208", "00280008"
_ORTHANC_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{8}){4}")
_FAILED, _FAILURE_REASON = "00081198", "00081197"
_CHECKED = {"PatientID": _PATIENT_ID, "StudyInstanceUID": _STUDY_UID}


class Web:
    """The DICOMweb services of one PACS. Every method raises `Transient` or `PacsError` where the PACS fails."""

    def __init__(self, node: Node) -> None:
        assert node.dicomweb
        self._node = node
        self._url = node.dicomweb.url
        self._session = Session(node)
        self._times = (node.patience.connect_s, node.patience.answer_s)
        # permissive_uid: real studies have UIDs with components that begin with 0; `is_uid` bounds what is sent.
        self._client = DICOMwebClient(self._url, session=self._session, timeout=self._times, permissive_uid=True)
        self._client.set_http_retry_params(retry=False)  # `retry` has one set of bounds for both ways

    def close(self) -> None:
        """End the connections."""
        self._session.close()

    def echo(self) -> None:
        """Ask for one study, whichever it is, and look at nothing of it."""
        with asking(self._node):
            self._client.search_for_studies(limit=1)

    def studies(self, query: Query) -> list[FoundStudy]:
        """Studies that fit. A server may pass over what it cannot match: what does not fit is left out here."""
        found: dict[str, FoundStudy] = {}
        for entry in self._pages(self._node.bounds.studies, dict(query.filters)):
            uid = _text(entry, _STUDY_UID)
            if not is_uid(uid) or any(_text(entry, _CHECKED[k]) != v for k, v in query.filters if k in _CHECKED):
                continue
            found[uid] = FoundStudy(
                study_uid=uid, patient_id=_text(entry, _PATIENT_ID), date=_text(entry, _STUDY_DATE),
                modalities=tuple(sorted(set(_texts(entry, _MODALITIES)))), instances=_number(entry, _STUDY_INSTANCES),
            )  # fmt: skip
        return list(found.values())

    def instances(self, study_uid: str) -> list[FoundInstance]:
        """Every object of a study, series by series, since a modality is a series'."""
        found: dict[str, FoundInstance] = {}
        most = self._node.bounds.instances
        for series in self._pages(most, {}, study_uid):
            series_uid, modality = _text(series, _SERIES_UID), _text(series, _MODALITY)
            if not is_uid(series_uid):
                continue
            for entry in self._pages(most - len(found), {}, study_uid, series_uid):
                uid = _text(entry, _SOP_UID)
                if is_uid(uid):
                    found[uid] = FoundInstance(
                        study_uid=study_uid, series_uid=series_uid, sop_uid=uid, modality=modality,
                        sop_class_uid=_text(entry, _SOP_CLASS), frames=_number(entry, _FRAMES),
                    )  # fmt: skip
        return sorted(found.values())

    def holds(self, instance: FoundInstance) -> bool:
        """Whether the PACS has an object of this UID."""
        where = {"StudyInstanceUID": instance.study_uid, "SOPInstanceUID": instance.sop_uid}
        with asking(self._node):
            answer = self._client.search_for_instances(search_filters=where)
        return any(_text(entry, _SOP_UID) == instance.sop_uid for entry in answer)

    def fetch(self, instance: FoundInstance, path: Path) -> None:
        """Write an object to ``path`` as the PACS has stored it. Whether it is whole is for `whole` to say.

        Raises
        ------
        WriteError
            The file cannot be written.
        """
        url = f"{self._url}/studies/{instance.study_uid}/series/{instance.series_uid}/instances/{instance.sop_uid}"
        with asking(self._node):
            answer = self._session.get(url, headers={"Accept": _AS_STORED}, timeout=self._times, stream=True)
        with answer, streaming(path, "object") as file:
            check_status(self._node, answer)
            kind, boundary = media_type(answer.headers.get("Content-Type", ""))
            body = pieces(answer, self._node.bounds.instance_bytes, self._node)
            if kind == "application/dicom":
                for piece in body:
                    file.write(piece)
            elif kind == "multipart/related":
                part = write_part(body, boundary, file.write)
                if part not in ("", "application/dicom"):
                    raise self._wrong(part)
                if next(body, b"").strip():
                    raise self._wrong("more after the end of its body")
            else:
                raise self._wrong(kind)
            if file.tell() == 0:
                raise cut_off()

    def store(self, path: Path, study_uid: str) -> None:
        """Send a file as it is, without loading it. What the PACS then holds is for a retrieve to say.

        Raises
        ------
        InputError
            The PACS refuses this object; code ``store_refused``.
        """
        boundary = secrets.token_hex(16)
        with _body(path) as body:
            data = _Related(body, boundary)
            with asking(self._node):
                answer = self._session.post(
                    f"{self._url}/studies/{study_uid}", data=data, timeout=self._times,
                    headers={
                        "Accept": _JSON,
                        "Content-Type": f'multipart/related; type="application/dicom"; boundary={boundary}',
                    },
                )  # fmt: skip
        reasons = _failures(answer)
        if reasons or answer.status_code in (400, 409, 415):
            told = f" (reason {', '.join(sorted(reasons))})" if reasons else ""
            raise InputError(
                f"The PACS refuses the object with status {answer.status_code}{told}.",
                remedy="Its log may say why; it may not store objects of this class.", code="store_refused",
            )  # fmt: skip
        check_status(self._node, answer)

    def delete(self, instance: FoundInstance) -> None:
        """Delete an object by Orthanc's own interface; DICOMweb has none for it.

        Raises
        ------
        PacsError
            Orthanc knows it not, or several of that UID.
        """
        with asking(self._node):
            base = self._node.replacing.orthanc_url
            answer = self._session.post(f"{base}/tools/lookup", data=instance.sop_uid, timeout=self._times)
            check_status(self._node, answer)
            listed = answer.json()
            found = [one for one in (listed if isinstance(listed, list) else []) if isinstance(one, dict)]
            instances = [str(one.get("ID")) for one in found if one.get("Type") == "Instance"]
            names = [name for name in instances if _ORTHANC_ID.fullmatch(name)]
            if len(names) != 1:
                raise PacsError(
                    f"Orthanc finds {len(names)} objects under the UID of one that was to be deleted.",
                    remedy="Check 'replacing.orthanc_url'.", code="pacs_not_deleted",
                )  # fmt: skip
            answer = self._session.delete(f"{base}/instances/{names[0]}", timeout=self._times)
        check_status(self._node, answer)

    def _pages(self, most: int, filters: dict[str, str], *above: str) -> Iterator[dict[str, Any]]:
        """The answers of a search, page by page; a server that ignores 'limit' or 'offset' gives nothing new.

        Raises
        ------
        PacsError
            There are more than ``most``; code ``pacs_too_many``.
        """
        key = (_STUDY_UID, _SERIES_UID, _SOP_UID)[len(above)]
        seen: set[str] = set()
        offset = 0
        while True:
            with asking(self._node):
                page = self._page(above, {"search_filters": filters, "limit": _PAGE, "offset": offset})
            if not all(isinstance(entry, dict) for entry in page):
                raise self._wrong("JSON that is no list of objects")
            new = [entry for entry in page if _text(entry, key) not in seen]
            if len(seen) + len(new) > most:
                raise too_many(self._node, most)
            seen |= {_text(entry, key) for entry in new}
            yield from new
            if not new or len(page) < _PAGE:
                return
            offset += len(page)

    def _page(self, above: tuple[str, ...], how: dict[str, Any]) -> list[dict[str, Any]]:
        if not above:
            return self._client.search_for_studies(**how)
        if len(above) == 1:
            return self._client.search_for_series(above[0], **how)
        return self._client.search_for_instances(above[0], above[1], **how)

    def _wrong(self, kind: str) -> PacsError:
        return PacsError(
            f"The PACS '{self._node.name}' answers with {kind[:60]} in the place of an object.",
            remedy="Check 'dicomweb.url': a page to log in looks like this.", code="pacs_answer",
        )  # fmt: skip


def too_many(node: Node, most: int) -> PacsError:
    """The error for an answer over its bound."""
    return PacsError(
        f"The PACS '{node.name}' finds more than {most}.",
        remedy="Ask for less, or raise the setting under 'bounds'.",
        code="pacs_too_many",
    )


class _Related:
    """A multipart body of one part, read from a file while it is sent; its length is known beforehand."""

    def __init__(self, file: BinaryIO, boundary: str) -> None:
        head = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        self._end = f"\r\n--{boundary}--\r\n".encode()
        self._file, self._left, self._size = file, head, file.seek(0, 2)
        self._length = len(head) + self._size + len(self._end)
        file.seek(0)
        self._in_file = True

    def __len__(self) -> int:
        return self._length

    def read(self, count: int = -1) -> bytes:
        """The next bytes, at most ``count``; empty at the end."""
        count = 1 << 18 if count < 0 else count
        if not self._left and self._in_file:
            self._left = self._file.read(count)
            if not self._left:
                self._left, self._in_file = self._end, False
        data, self._left = self._left[:count], self._left[count:]
        return data


def _body(path: Path) -> BinaryIO:
    try:
        return open_regular(path)
    except OSError as error:
        raise InputError(f"The file cannot be read ({error.strerror}).", code="unreadable") from error


def _failures(answer: requests.Response) -> set[str]:
    """The reasons (PS3.7 C) of an answer's Failed SOP Sequence, as hexadecimal numbers; empty where there is none."""
    try:
        document = answer.json()
    except (json.JSONDecodeError, requests.exceptions.JSONDecodeError, UnicodeDecodeError, RecursionError):
        return set()
    entry = document[0] if isinstance(document, list) and document else document
    failed = entry.get(_FAILED) if isinstance(entry, dict) else None
    items = failed.get("Value") if isinstance(failed, dict) else None
    reasons = {_number(item, _FAILURE_REASON) for item in items or [] if isinstance(item, dict)}
    return {"not stated" if reason is None else f"0x{reason:04X}" for reason in reasons}


def _values(entry: dict[str, Any], tag: str) -> list[Any]:
    element = entry.get(tag)
    values = element.get("Value") if isinstance(element, dict) else None
    return values if isinstance(values, list) else []


def _texts(entry: dict[str, Any], tag: str) -> list[str]:
    values = (value for value in _values(entry, tag)[:100] if isinstance(value, str))
    return ["".join(c if c.isprintable() else "\ufffd" for c in value.strip()[:_TEXT_VALUES]) for value in values]


def _text(entry: dict[str, Any], tag: str) -> str:
    return next(iter(_texts(entry, tag)), "")


def _number(entry: dict[str, Any], tag: str) -> int | None:
    """A whole number; some servers write it as a text."""
    value = next(iter(_values(entry, tag)), None)
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 10:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
