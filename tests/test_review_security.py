"""Whom the reading room lets in, what it refuses, and what it tells browsers: each rule by itself."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lesion_measure.errors import ConfigError
from lesion_measure.review import patience
from lesion_measure.review.attempts import Attempts
from lesion_measure.review.messages import Role
from lesion_measure.review.room import Room
from lesion_measure.review.security import MOST_BODY, Door
from lesion_measure.review.sessions import IDLE_SECONDS, MOST_SESSIONS, Person, Sessions
from lesion_measure.review.users import Users, add_user
from reading_room import Browser, caliper, found, images, served, trial

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trial(tmp_path_factory.mktemp("scans"), children=1)


@pytest.fixture(scope="module")
def room(scans: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with served(scans, tmp_path_factory.mktemp("results") / "out", reader="reader-1") as opened:
        yield opened


@pytest.fixture
def browser(room: Room) -> Iterator[Browser]:
    with Browser(room) as one:
        yield one


@pytest.fixture
def stranger(room: Room) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{room.door.port}") as client:
        yield client


def test_nothing_is_told_without_a_session(browser: Browser, stranger: httpx.Client) -> None:
    case = browser.cases()[0]
    image = images(case)[0]["id"]
    for path in (
        "session", "worklist", f"cases/{case['id']}", f"audit?case={case['id']}", f"images/{image}/frames/1.png",
        f"images/{image}/area",
    ):  # fmt: skip
        answer = stranger.get(f"/api/{path}")
        assert (answer.status_code, answer.json()["code"]) == (401, "no_session"), path
    for path in ("measure", f"cases/{case['id']}/readings", f"cases/{case['id']}/sign", "logout"):
        assert stranger.post(f"/api/{path}", json={}).status_code in (401, 422), path
    assert stranger.post("/api/login", json={"token": "guess"}).status_code == 401


def test_the_cookie_is_for_this_site_and_for_no_script(room: Room, stranger: httpx.Client) -> None:
    answer = stranger.post("/api/login", json={"token": room.token})
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie  # plain HTTP on loopback
    assert Door(host="127.0.0.1", port=1, public_url="https://room.example").secure
    assert Door(host="127.0.0.1", port=1, tls=True).cookie.startswith("__Host-")


def test_a_session_ends_when_its_reader_leaves(room: Room) -> None:
    with Browser(room) as browser:
        assert browser.get("session").status_code == 200
        assert browser.post("logout", {}).status_code == 200
        assert browser.get("session").status_code == 401


def test_every_answer_tells_the_browser_what_to_refuse(browser: Browser, stranger: httpx.Client) -> None:
    case = browser.cases()[0]
    answers = [
        browser.get("worklist"),
        browser.get(f"images/{images(case)[0]['id']}/frames/1.png"),
        stranger.get("/"),
        stranger.get("/api/worklist"),
        stranger.get("/nothing"),
        stranger.get("/", headers={"host": "elsewhere"}),
    ]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert "server" not in answer.headers
    assert browser.get("worklist").headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "host", ["elsewhere", "[", "[::1", ":", "127.0.0.1", "127.0.0.1:1", "192.168.1.7:{port}", "evil.example:{port}"]
)
def test_a_name_that_is_not_the_servers_is_refused(browser: Browser, host: str) -> None:
    named = host.format(port=browser.room.door.port)
    answer = browser.get("worklist", headers={"host": named})
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_host")


def test_other_names_of_this_machine_are_known(browser: Browser) -> None:
    assert browser.get("worklist", headers={"host": f"localhost:{browser.room.door.port}"}).status_code == 200


def test_beyond_this_machine_addresses_are_known_and_names_are_not() -> None:
    door = Door(host="0.0.0.0", port=8765, public_url="https://room.example")
    assert door.knows("192.168.1.7:8765")
    assert door.knows("room.example")
    assert door.knows("[fe80::1]:8765")
    assert not any(door.knows(host) for host in ("evil.example:8765", "[", "[::1", "", ":", "1.2.3.4.evil.example"))
    assert door.is_own("https://room.example", "room.example")
    assert not door.is_own("http://room.example", "room.example")


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_another_site_can_neither_write_nor_come_in(browser: Browser, headers: dict[str, str]) -> None:
    for path, body in (("measure", {}), ("login", {"token": browser.room.token})):
        answer = browser.post(path, body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "cross_origin")
    assert browser.get("worklist", headers=headers).status_code == 403


def test_its_own_page_can(browser: Browser) -> None:
    own = {"origin": f"http://127.0.0.1:{browser.room.door.port}", "sec-fetch-site": "same-origin"}
    case = browser.cases()[0]
    assert browser.post(f"cases/{case['id']}/comments", {"why": "seen"}, headers=own).status_code == 200
    assert browser.get("worklist", headers=own).status_code == 200
    # a link in a letter leads to the page, and not to what it asks for
    assert browser.client.get("/", headers={"sec-fetch-site": "cross-site"}).status_code == 200


def test_a_write_needs_the_token_that_the_page_alone_knows(browser: Browser) -> None:
    case = browser.cases()[0]
    for token in ("", "guess"):
        browser.client.headers["X-Review-Token"] = token
        answers = [
            browser.add(case),
            browser.put(f"readings/{'0' * 32}", {"version": 1, "draft": caliper(images(case)[0])}),
            browser.delete(f"readings/{'0' * 32}", {"version": 1}),
            browser.post(f"cases/{case['id']}/sign", {"versions": {}}),
            browser.post("logout", {}),
        ]
        assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(403, "no_token")] * 5
    assert browser.get("worklist").status_code == 200


def test_a_body_that_nobody_means_is_refused(browser: Browser) -> None:
    whole = b'{"why": "' + b"a" * MOST_BODY + b'"}'
    path = f"/api/cases/{browser.cases()[0]['id']}/comments"
    json = {"content-type": "application/json"}
    assert browser.client.post(path, content=whole, headers=json).status_code == 413
    in_parts = (whole[at : at + 65536] for at in range(0, len(whole), 65536))  # which states no length
    assert browser.client.post(path, content=in_parts, headers=json).status_code == 413
    assert browser.post(path.removeprefix("/api/"), {"why": "a" * 2001}).status_code == 422
    points = [[float(n), 1.0] for n in range(4001)]
    image = images(browser.cases()[0])[0]["id"]
    assert browser.post("measure", {"image": image, "frame": 1, "contour": points}).status_code == 422
    assert browser.client.post(path, content=b"[" * 100_000, headers=json).status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "/../serve.py", "/..%2fserve.py", "/%2e%2e/serve.py", "/static/../../serve.py", "//etc/passwd",
        "/%2fetc%2fpasswd", "/..%5cserve.py", "/css/..%2f..%2fserve.py", "/index.html%00.css",
    ],
)  # fmt: skip
def test_no_path_leads_out_of_the_pages_files(room: Room, path: str) -> None:
    import socket

    with socket.create_connection(("127.0.0.1", room.door.port)) as raw:  # clients would tidy the path
        host = f"127.0.0.1:{room.door.port}"
        raw.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: raw.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 404")
    assert b"asyncio" not in answer
    assert b"root:" not in answer


@pytest.mark.parametrize("id_", ["..", "%2e%2e%2f", "0" * 15, "0" * 33, "G" * 32, "0" * 32, "1.2.3", "KHE-7719"])
def test_ids_that_stand_for_nothing_lead_nowhere(browser: Browser, id_: str) -> None:
    for path in (f"cases/{id_}", f"cases/{id_}/result", f"images/{id_}/frames/1.png", f"images/{id_}/area"):
        assert browser.get(path).status_code in (404, 422), path
    assert browser.get("audit", params={"case": id_}).status_code in (404, 422)


def test_what_is_refused_is_not_repeated(browser: Browser) -> None:
    case = browser.cases()[0]
    answer = browser.post(f"cases/{case['id']}/readings", {"lesion": "Zwetschge", "kind": "Zwetschge"})
    assert answer.status_code == 422
    assert not found(answer.content)


def test_there_are_no_pages_about_the_interface(stranger: httpx.Client) -> None:
    assert [stranger.get(path).status_code for path in ("/docs", "/redoc", "/openapi.json")] == [404] * 3


def test_people_come_in_by_name_and_password(scans: Path, tmp_path: Path) -> None:
    users = tmp_path / "readers.txt"
    add_user(users, "reader-1", Role.READER, PASSWORD)
    add_user(users, "chief", Role.ADJUDICATOR, PASSWORD + "!")
    assert users.stat().st_mode & 0o777 == 0o600
    assert PASSWORD not in users.read_text()
    with served(scans, tmp_path / "out", users=users) as room:
        assert room.token == ""
        with Browser(room, name="reader-1", password=PASSWORD) as one, Browser(room, token="") as nobody:
            assert (one.session["reader"], one.session["role"]) == ("reader-1", "reader")
            assert nobody.session["code"] == "not_known"
        with Browser(room, name="chief", password=PASSWORD + "!") as chief:
            assert chief.session["role"] == "adjudicator"
        for name, password in (("reader-1", PASSWORD + "!"), ("nobody", PASSWORD), ("", "")):
            with Browser(room, name=name, password=password) as wrong:
                assert wrong.session["code"] == "not_known"


def test_a_name_is_one_however_its_letters_are_typed(scans: Path, tmp_path: Path) -> None:
    users, composed, decomposed = tmp_path / "readers.txt", "Ren\u00e9", "Rene\u0301"
    add_user(users, decomposed, Role.READER, PASSWORD)
    with served(scans, tmp_path / "out", users=users) as room:
        for name in (composed, decomposed):
            with Browser(room, name=name, password=PASSWORD) as browser:
                case = browser.cases()[0]
                browser.add(case, lesion=f"L{len(case['readings'])}")
                assert (
                    {each["reader"] for each in browser.cases()[0]["readings"]}
                    == {browser.session["reader"]}
                    == {composed}
                )
        assert len(room.store.readings()) == 2
    with served(scans, tmp_path / "out", reader=decomposed) as room, Browser(room) as browser:
        assert len(browser.cases()[0]["readings"]) == 2


def test_another_readers_readings_stay_as_they_are(scans: Path, tmp_path: Path) -> None:
    users = tmp_path / "readers.txt"
    for name in ("reader-1", "reader-2"):
        add_user(users, name, Role.READER, PASSWORD)
    with (
        served(scans, tmp_path / "out", users=users) as room,
        Browser(room, name="reader-1", password=PASSWORD) as one,
        Browser(room, name="reader-2", password=PASSWORD) as two,
    ):
        case = one.cases()[0]
        kept = one.add(case).json()
        change = {"version": 1, "draft": caliper(images(case)[0], comment="mine now")}
        assert two.put(f"readings/{kept['id']}", change).status_code == 403
        assert two.delete(f"readings/{kept['id']}", {"version": 1}).status_code == 403
        assert two.post(f"cases/{case['id']}/sign", {"versions": {kept["id"]: 1}}).status_code == 409
        one.post(f"cases/{case['id']}/sign", {"versions": {kept["id"]: 1}})
        assert two.post(f"cases/{case['id']}/reopen", {"why": "no"}).status_code == 400
        assert one.cases()[0]["readings"][0]["draft"]["comment"] == ""


def test_a_file_of_users_that_is_none_is_refused(tmp_path: Path) -> None:
    users = tmp_path / "readers.txt"
    for text in ("reader-1:reader:secret\n", "reader-1\n", "", "reader-1:chief:scrypt$32768$8$1$AA==$AA==\n"):
        users.write_text(text)
        with pytest.raises(ConfigError) as refused:
            Users(users)
        assert refused.value.code == "users"
    for name, password in (("a:b", PASSWORD), (" a", PASSWORD), ("", PASSWORD), ("a", "short")):
        with pytest.raises(ConfigError):
            add_user(tmp_path / "others.txt", name, Role.READER, password)


def test_tries_that_fail_make_the_next_one_wait() -> None:
    now = 0.0
    attempts = Attempts(lambda: now)
    for _ in range(5):
        assert attempts.wait("one") == 0
        attempts.failed("one")
    waits = []
    for _ in range(12):
        waits.append(attempts.wait("one"))
        now += waits[-1]
        attempts.failed("one")
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    assert attempts.wait("another") == 0
    attempts.succeeded("one")
    assert attempts.wait("one") == 0


def test_a_token_is_not_found_by_trying(scans: Path, tmp_path: Path) -> None:
    with served(scans, tmp_path / "out") as room, httpx.Client(base_url=f"http://127.0.0.1:{room.door.port}") as client:
        answers = [client.post("/api/login", json={"token": f"guess {n}"}) for n in range(7)]
        assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 2


def test_sessions_end_by_themselves_and_are_not_many() -> None:
    now = 0.0
    sessions = Sessions(lambda: now)
    person = Person(name="reader-1", role=Role.READER)
    first, _ = sessions.open(person)
    now += IDLE_SECONDS
    assert sessions.find(first) is not None
    now += IDLE_SECONDS + 1
    assert sessions.find(first) is None
    cookies = [sessions.open(person)[0] for _ in range(MOST_SESSIONS + 1)]
    assert len(set(cookies)) == MOST_SESSIONS + 1
    assert sum(sessions.find(cookie) is not None for cookie in cookies) == MOST_SESSIONS


def test_addresses_tell_nobody(browser: Browser) -> None:
    case = browser.cases()[0]
    ids = [case["id"], *(visit["id"] for visit in case["visits"]), *(image["id"] for image in images(case))]
    assert all(re.fullmatch(r"[0-9a-f]{32}", id_) for id_ in ids)
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET /api/entry HTTP/1.1\r\nHost: loc",
        b"POST /api/login HTTP/1.1\r\nHost: localhost:%d\r\nContent-Length: 100\r\n\r\n{",
        b"GET /api/entry HTTP/1.1\r\nHost: localhost:%d\r\n\r\nGET /",
    ],
    ids=["nothing", "head", "body", "second"],
)
def test_a_request_that_is_never_whole_holds_no_connection(
    room: Room, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(patience, "REQUEST_S", 0.2)
    with socket.create_connection(("127.0.0.1", room.door.port), timeout=20) as slow:
        slow.sendall(begun % room.door.port if b"%d" in begun else begun)
        while slow.recv(1 << 16):  # until it is closed; an answer to the first request comes before
            pass


def test_an_answer_may_take_longer_than_its_request(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "REQUEST_S", 0.1)

    def slow(who: str) -> float:
        time.sleep(0.5)
        return 0

    monkeypatch.setattr(browser.room.attempts, "wait", slow)
    assert browser.post("login", {"token": browser.room.token}).status_code == 200
