"""Settings of a PACS: what is read, refused, and never shown."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

from lesion_measure.config.pacs import Node
from lesion_measure.errors import ConfigError
from lesion_measure.pacs.extra import check_installed
from pacs_objects import node

WEB = "name: x\ndicomweb:\n  url: https://pacs.example/dicom-web\n"


def _read(folder: Path, text: str) -> Node:
    path = folder / "pacs.yaml"
    path.write_text(text, encoding="utf-8")
    return Node.from_yaml(path)


def _names(kind: type[BaseModel], before: str = "") -> list[str]:
    found: list[str] = []
    for name, info in kind.model_fields.items():
        inner = next((one for one in (info.annotation, *getattr(info.annotation, "__args__", ())) if _is(one)), None)
        found += _names(inner, f"{before}{name}.") if inner else [f"{before}{name}"]
    return found


def _is(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def test_the_page_tells_every_setting(project_dir: Path) -> None:
    page = (project_dir / "docs" / "pacs.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`((?:\w+\.)?\w+)`(?=[^|\n]*\|)", page.partition("| setting |")[2].partition("Names of")[0]))
    for name in _names(Node):
        assert f"`{name}`" in page, name


def test_the_example_of_the_page_is_read(project_dir: Path, tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", (project_dir / "docs" / "pacs.md").read_text("utf-8"), re.DOTALL)
    (tmp_path / "hospital-ca.pem").write_text("")
    read = _read(tmp_path, example)
    assert read.dimse
    assert read.dimse.ae_title == "HOSPITAL"
    assert read.tls.ca_file == tmp_path / "hospital-ca.pem"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name: x\n", "give 'dicomweb', 'dimse' or both"),
        ("name: ../x\ndimse:\n  ae_title: A\n  host: h\n", "name"),
        ("name: x\ndicomweb:\n  url: ftp://pacs\n", "https://"),
        ("name: x\ndicomweb:\n  url: https://me:secret@pacs/\n", "no user and no password"),
        ("name: x\ndicomweb:\n  url: http://pacs/\n  token_env: T\n", "readable"),
        ("name: x\ndicomweb:\n  url: https://pacs/\n  token: abc\n", "does not exist"),
        ("name: x\ndimse:\n  ae_title: LONGER_THAN_SIXTEEN\n  host: h\n", "ae_title"),
        ("name: x\ndimse:\n  ae_title: 'A\\B'\n  host: h\n", "ae_title"),
        ("name: x\ndimse:\n  ae_title: A\n  host: h\n  port: 70000\n", "port"),
        (f"{WEB}tls:\n  ca_file: gone.pem\n", "not there"),
        (f"{WEB}tls:\n  key_file: k\n", "go together"),
        (f"{WEB}own:\n  tls: true\n", "certificate_file"),
        (f"{WEB}patience:\n  attempts: 1000\n", "attempts"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)) as caught:
        _read(tmp_path, text)
    assert "secret" not in str(caught.value)


def test_the_token_comes_from_the_environment_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"{WEB}  token_env: LESION_TEST_TOKEN\n"
    monkeypatch.delenv("LESION_TEST_TOKEN", raising=False)
    with pytest.raises(ConfigError, match="LESION_TEST_TOKEN"):
        _read(tmp_path, text).authorization()
    monkeypatch.setenv("LESION_TEST_TOKEN", "a\nb")
    with pytest.raises(ConfigError, match="LESION_TEST_TOKEN") as caught:
        _read(tmp_path, text).authorization()
    assert "a\nb" not in str(caught.value)
    monkeypatch.setenv("LESION_TEST_TOKEN", "user:secret")
    assert _read(tmp_path, text).authorization() == "Bearer user:secret"
    assert _read(tmp_path, f"{text}  scheme: basic\n").authorization() == "Basic dXNlcjpzZWNyZXQ="
    assert "secret" not in repr(_read(tmp_path, text))
    assert node().authorization() is None


def test_our_node_listens_on_loopback_unless_told_otherwise() -> None:
    assert node().own.address == "127.0.0.1"


def test_without_the_extra_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynetdicom", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "pynetdicom" else object())
    with pytest.raises(ConfigError, match="pynetdicom") as caught:
        check_installed()
    assert "lesion-measure[pacs]" in caught.value.remedy


def test_the_help_of_the_commands_loads_none_of_it() -> None:
    code = "import sys, lesion_measure.cli, lesion_measure.pipeline; print([*sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"'pynetdicom'", "'dicomweb_client'"} & set(re.findall(r"'[\w.]+'", done.stdout))
