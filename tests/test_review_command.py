"""The review command as its users meet it: what it says, what it refuses, TLS, Ctrl-C and SIGKILL."""

from __future__ import annotations

import inspect
import logging
import re
import shutil
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import review_killed_server
from fastapi import FastAPI
from typer.testing import CliRunner

from lesion_measure.cli import app
from lesion_measure.errors import ConfigError
from lesion_measure.review.extra import check_installed
from lesion_measure.review.measuring import Measurer
from lesion_measure.review.serve import _WithoutWords
from reading_room import CHILDREN, Browser, found, images, served, trial
from test_interrupted import started

WEB = {"fastapi", "starlette", "uvicorn", "sqlalchemy", "alembic"}


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trial(tmp_path_factory.mktemp("scans"), children=1)


@contextmanager
def begun(scans: Path, out: Path, *options: str | Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command as a process of its own, and the address that it prints."""
    process = started("review", scans, "-o", out, "--port", "0", "--no-browser", "--no-network", *options)
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().removeprefix("Reading room: ").strip()
    finally:
        process.kill()
        process.communicate()


def test_ctrl_c_ends_it_and_says_what_is_kept(scans: Path, tmp_path: Path) -> None:
    with begun(scans, tmp_path / "out") as (process, address):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/#token=[\w-]{32}", address)
        base, token = address.split("/#token=")
        with httpx.Client(base_url=base) as client:
            told = client.post("/api/login", json={"token": token}).json()
            case = client.get("/api/worklist").json()["cases"][0]["id"]
            client.get(f"/api/cases/{case}")
            client.get("/api/cases/KHE-7719")
            client.post(
                f"/api/cases/{case}/comments", json={"why": "Zwetschge"}, headers={"X-Review-Token": told["csrf"]}
            )
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.splitlines()[0] == f"1 case to read; readings are kept in {tmp_path / 'out' / 'review'}"
    assert err.splitlines()[-1].endswith(
        "Every reading that the page called saved is kept; the same command opens them again."
    )
    assert not found(out + err)  # nor any log of what was asked
    assert "GET" not in out + err
    assert "Traceback" not in err


def test_tls_is_spoken_and_asked_for_in_the_cookie(scans: Path, tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is needed to make certificates")
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=room",
             "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]  # fmt: skip
    subprocess.run([openssl, *words], check=True, capture_output=True)
    trusted = ssl.create_default_context(cafile=str(certificate))
    with begun(scans, tmp_path / "out", "--tls-cert", certificate, "--tls-key", key) as (_, address):
        base, token = address.split("/#token=")
        assert base.startswith("https://127.0.0.1:")
        with httpx.Client(base_url=base, verify=trusted) as client:
            answer = client.post("/api/login", json={"token": token}, headers={"Origin": base})
            assert answer.status_code == 200
            assert answer.headers["set-cookie"].startswith("__Host-review")
            assert "Secure" in answer.headers["set-cookie"]
            assert client.get("/api/worklist").status_code == 200
            foreign = {"Origin": base.replace("https", "http")}
            assert client.post("/api/login", json={"token": token}, headers=foreign).status_code == 403


def test_a_killed_server_loses_nothing_that_it_said_was_kept(tmp_path: Path) -> None:
    assert review_killed_server.rounds(tmp_path / "out", kills=2, seed=7) > 0


def test_and_what_is_lost_would_be_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(*_: object) -> review_killed_server.Known:
        return review_killed_server.Known(comments=99)

    monkeypatch.setattr(review_killed_server, "told", forgetful)
    with pytest.raises(review_killed_server.LostError):
        review_killed_server.rounds(tmp_path / "out", kills=1, seed=7)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--role", "chief"], "give reader or adjudicator"),
        (["--tls-cert", "{scans}/readme"], "give both --tls-cert and --tls-key"),
        (
            ["--tls-cert", "{scans}/readme", "--tls-key", "{scans}/readme"],
            "The certificate and its key cannot be used.",
        ),
        (["--public-url", "room.example"], "The public address is none."),
        (["--reader", "\n"], "The reader's name is not"),
        (["--users", "{scans}/readme"], "Line 1 of the file of users is not understood"),
        (["--database", "mysql://localhost/x"], "The database is none that readings can be kept in."),
    ],
)
def test_what_cannot_be_meant_is_refused(scans: Path, tmp_path: Path, options: list[str], said: str) -> None:
    (scans / "readme").write_text("words\n")
    words = [option.format(scans=scans) for option in options]
    done = CliRunner().invoke(app, ["review", str(scans), "-o", str(tmp_path / "out"), "--port", "0", *words])
    assert done.exit_code == 2
    assert said in " ".join(done.output.replace("│", " ").split())


def test_results_alone_are_refused_and_it_is_said_how_they_are_opened(scans: Path, tmp_path: Path) -> None:
    with served(scans, tmp_path / "out"):
        pass
    done = CliRunner().invoke(app, ["review", str(tmp_path / "out"), "-o", str(tmp_path / "out"), "--port", "0"])
    assert done.exit_code == 1
    assert f"lesion-measure review SCANS -o {tmp_path / 'out'}" in done.output


def test_a_folder_without_scans_is_refused(tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "letter.txt").write_text("dear")
    done = CliRunner().invoke(app, ["review", str(tmp_path / "scans"), "-o", str(tmp_path / "out"), "--port", "0"])
    assert done.exit_code == 1
    assert "There is no child's ultrasound image that can be read." in done.output
    assert not (tmp_path / "out").exists()


def test_a_folder_of_others_is_left_alone(scans: Path, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    done = CliRunner().invoke(app, ["review", str(scans), "-o", str(tmp_path), "--port", "0"])
    assert done.exit_code == 2
    assert [file.name for file in tmp_path.iterdir()] == ["letter.txt"]


def test_a_port_that_is_taken_is_told(scans: Path, tmp_path: Path) -> None:
    with served(scans, tmp_path / "out") as room:
        port = str(room.door.port)
        done = CliRunner().invoke(app, ["review", str(scans), "-o", str(tmp_path / "two"), "--port", port])
    assert done.exit_code == 4
    assert f"Port {port} of 127.0.0.1 cannot be listened at" in done.output


def test_without_the_extra_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "uvicorn" else object())
    with pytest.raises(ConfigError, match="uvicorn") as caught:
        check_installed()
    assert "lesion-measure[review]" in caught.value.remedy


def test_no_other_command_loads_the_web() -> None:
    code = "import sys, lesion_measure.cli, lesion_measure.pipeline, lesion_measure.api; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not WEB & {name.partition(".")[0] for name in done.stdout.split()}


def test_users_are_made_by_a_command(tmp_path: Path) -> None:
    words = ["review-user", str(tmp_path / "readers.txt"), "reader-1"]
    done = CliRunner().invoke(app, words, input="correct horse\ncorrect horse\n")
    assert (done.exit_code, done.output.splitlines()[-1]) == (0, "reader-1 may read as reader.")
    assert "correct horse" not in done.output
    assert CliRunner().invoke(app, [*words, "--role", "chief"]).exit_code == 2
    assert CliRunner().invoke(app, words, input="short\nshort\n").exit_code == 2


def test_a_defect_is_told_without_words_of_files_or_readers(
    scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise KeyError(*CHILDREN.values())

    monkeypatch.setattr(Measurer, "measure", broken)
    with served(scans, tmp_path / "out") as room, Browser(room) as browser:
        image = images(browser.cases()[0])[0]["id"]
        answer = browser.post("measure", {"image": image, "frame": 1, "long": [[1, 1], [9, 9]]})
    assert answer.status_code == 500
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert not found(answer.content)
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    line = _WithoutWords().format(record)
    assert "KeyError" in line
    assert "view.py" in line
    assert not found(line)


TELLING = """
import asyncio, sys
from opentelemetry import _logs
from fastapi import FastAPI
from lesion_measure.review.app import NO_TELEMETRY

told = []

class Logger(_logs.Logger):
    def enabled(self, *_, **__):
        return True

    def emit(self, *record, **more):
        told.append(str(more or record))

class Provider(_logs.LoggerProvider):
    def get_logger(self, name, *_, **__):
        return Logger(name)

_logs.set_logger_provider(Provider())
app = FastAPI(telemetry=NO_TELEMETRY) if sys.argv[1] == "off" else FastAPI()

@app.get("/")
def broken():
    raise KeyError("Zwetschge")

async def nothing(*_):
    return {"type": "http.request", "body": b"", "more_body": False}

scope = {"type": "http", "method": "GET", "path": "/", "raw_path": b"/", "query_string": b"", "headers": [],
         "http_version": "1.1", "scheme": "http", "server": ("a", 1), "client": ("b", 2), "root_path": ""}
try:
    asyncio.run(app(scope, nothing, nothing))
except KeyError:
    pass
print("Zwetschge" in "".join(told))
"""


def test_the_frameworks_telemetry_is_off() -> None:
    """Where the environment has a collector, FastAPI sends it the messages of errors; from us it gets none."""

    def tells(how: str) -> str:
        done = subprocess.run([sys.executable, "-c", TELLING, how], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    assert tells("off") == "False"
    if "telemetry" not in inspect.signature(FastAPI.__init__).parameters:
        pytest.skip("this FastAPI has no telemetry")
    assert tells("on") == "True"
