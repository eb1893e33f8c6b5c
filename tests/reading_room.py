"""A made-up trial whose every name is known, a reading room on it, and browsers that talk to it."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from pydicom import Dataset

import screens
from header_files import written
from lesion_measure.job.request import RunRequest
from lesion_measure.review.messages import Role
from lesion_measure.review.opening import open_room
from lesion_measure.review.request import ReviewRequest
from lesion_measure.review.room import Room
from lesion_measure.review.serve import listening, make_server
from lesion_measure.review.users import add_user

ROOT = "1.2.826.0.1.3680043.8.498.9142"
"""The root of every UID of the trial."""
CHILDREN = {"KHE-7719": "Zwetschge^Paula", "KHE-7728": "Quitte^Eginhard", "KHE-7731": "Mirabelle^Adelgunde"}
"""Subject codes and names."""
DATES = {"baseline": "20230306", "one_month": "20230405"}
PLANES = ("Trv-Leber", "Sag-Leber")
SECRETS = (
    *CHILDREN,
    *(part for name in CHILDREN.values() for part in name.split("^")),
    "MRN-884422", "Doeberman", *DATES.values(), "2023-03-06", "2023-04-05", ROOT, *PLANES, "besuch", ".dcm",
    "Baseline", "baseline", "1 month", "one month", "one_month", "20230105",
)  # fmt: skip
"""Whatever would tell a reader whose image it is, or when it was made."""


def trial(folder: Path, children: int = 3) -> Path:
    """Two visits of each child, two images each: 320 x 400 pixels of 0.3 mm with the child's name burnt in."""
    for number, (subject, name) in enumerate(list(CHILDREN.items())[:children], start=1):
        for visit, date in enumerate(DATES.values(), start=1):
            study = f"{ROOT}.{number}.{visit}"
            for index, plane in enumerate(PLANES, start=1):
                pixels = screens.screen(seed=10 * number + visit, outside=name)
                image = screens.dataset(
                    pixels, ClinicalTrialSubjectID=subject, StudyDate=date, StudyInstanceUID=study,
                    SeriesInstanceUID=f"{study}.1", SOPInstanceUID=f"{study}.1.{index}", ProtocolName=plane[:3],
                )  # fmt: skip
                image.PatientName = name
                write_image(folder / subject / f"besuch-{date}" / f"{plane}.dcm", image)
    return folder


def write_image(path: Path, image: Dataset) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(written(image))


@contextmanager
def served(scans: Path, out: Path, *, run: dict[str, Any] | None = None, **options: Any) -> Iterator[Room]:
    """A reading room that listens on a port of its own; ``run`` are options of the run, the others of the room."""
    asked = RunRequest(input=scans, out=out, **(run or {}))
    request = ReviewRequest(run=asked, **{"network": False, **options})
    with listening("127.0.0.1", 0) as bound, open_room(request, bound.getsockname()[1]) as room, _running(room, bound):
        yield room


@contextmanager
def _running(room: Room, bound: socket.socket) -> Iterator[None]:
    server = make_server(room)
    bound.listen()
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[bound])))
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


class Browser:
    """One browser of one reader: it keeps the cookie, and says the session's token with every write."""

    def __init__(self, room: Room, **who: str) -> None:
        self.room = room
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{room.door.port}", timeout=30)
        self.session = self.post("login", who or {"token": room.token}).json()
        self.client.headers["X-Review-Token"] = self.session.get("csrf", "")

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.client.get(f"/api/{path}", **more)

    def post(self, path: str, body: Any, **more: Any) -> httpx.Response:
        return self.client.post(f"/api/{path}", json=body, **more)

    def put(self, path: str, body: Any) -> httpx.Response:
        return self.client.put(f"/api/{path}", json=body)

    def delete(self, path: str, body: Any) -> httpx.Response:
        return self.client.request("DELETE", f"/api/{path}", json=body)

    def cases(self) -> list[dict[str, Any]]:
        """The cases of the worklist, each whole."""
        return [self.get(f"cases/{case['id']}").json() for case in self.get("worklist").json()["cases"]]

    def add(self, case: dict[str, Any], **changes: Any) -> httpx.Response:
        """Keep a caliper of 100 pixels on the case's first image."""
        return self.post(f"cases/{case['id']}/readings", caliper(images(case)[0], **changes))


def people_file(folder: Path, readers: Iterable[str], chief: str, password: str) -> Path:
    """The file of people: readers, and one who decides between them."""
    file = folder / "readers.txt"
    for name in readers:
        add_user(file, name, Role.READER, password)
    add_user(file, chief, Role.ADJUDICATOR, password)
    return file


def images(case: dict[str, Any]) -> list[dict[str, Any]]:
    """The images of a case, visit by visit."""
    return [image for visit in case["visits"] for image in visit["images"]]


def caliper(image: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A draft: a line of 100 pixels, 30 mm, in the scan."""
    known = {"image": image["id"], "frame": 1, "lesion": "L1", "kind": "caliper", "long": [[200, 160], [200, 260]]}
    return {**known, **changes}


def found(data: bytes | str, words: tuple[str, ...] = SECRETS) -> list[str]:
    """Which of the words an answer holds."""
    text = data if isinstance(data, str) else data.decode("latin-1")
    return [word for word in words if re.search(re.escape(word), text, re.IGNORECASE)]
