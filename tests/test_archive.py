"""Byte access: folders, zips and nested zips as untrusted input. Everything hostile ends as a refusal, quickly."""

from __future__ import annotations

import hashlib
import inspect
import io
import os
import random
import socket
import struct
import sys
import warnings
import zipfile
from pathlib import Path

import pytest

from lesion_measure.config import Limits
from lesion_measure.errors import ArchiveError, InputError
from lesion_measure.files.archive import Archives, open_location, sha256
from lesion_measure.files.walk import walk
from lesion_measure.records import Location, Refusal

LIMITS = Limits()
Members = list[tuple[str, bytes]]


def packed(members: Members, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # duplicate names are meant
        for name, data in members:
            file.writestr(name, data)
    return buffer.getvalue()


def walked(path: Path, limits: Limits = LIMITS) -> dict[str, bytes | str]:
    """Content by path; the code where refused."""
    result: dict[str, bytes | str] = {}
    with Archives(limits) as archives:
        for found in walk(path, archives):
            assert found.path is not None
            assert found.path not in result
            if isinstance(found, Refusal):
                result[found.path] = found.code
                assert found.reason
                continue
            try:
                with archives.open(found.location) as stream:
                    result[found.path] = stream.read()
            except ArchiveError as error:
                result[found.path] = error.code
    return result


def test_folder_file_zip_and_nested_zip(tmp_path: Path) -> None:
    inner = packed([("deep/c", b"c" * 1000), ("d", b"")])
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.txt").write_bytes(b"a")
    (tmp_path / "any.extension").write_bytes(packed([("b", b"b"), ("in", inner), ("folder/", b"")]))
    expected = {
        "any.extension/b": b"b",
        "any.extension/in/d": b"",
        "any.extension/in/deep/c": b"c" * 1000,
        "sub/a.txt": b"a",
    }
    assert walked(tmp_path) == expected
    assert walked(tmp_path / "sub" / "a.txt") == {"a.txt": b"a"}
    # A zip named as the input reads as if it were a folder.
    assert set(walked(tmp_path / "any.extension")) == {"b", "in/d", "in/deep/c"}


def test_open_location_and_hash(tmp_path: Path) -> None:
    data = random.Random(1).randbytes(700_000)
    path = tmp_path / "a.zip"
    path.write_bytes(packed([("x.zip", packed([("y", data)]))]))
    location = Location(path, ("x.zip", "y"))
    assert sha256(location, LIMITS) == hashlib.sha256(data).hexdigest()
    with open_location(location, LIMITS) as stream:
        stream.seek(-10, io.SEEK_END)
        assert stream.read() == data[-10:]
        stream.seek(1000)
        assert stream.read(5) == data[1000:1005]
        assert stream.tell() == 1005
        stream.seek(2_000_000)
        assert stream.read(5) == b""
    plain = tmp_path / "plain"
    plain.write_bytes(data)
    assert sha256(Location(plain), LIMITS) == hashlib.sha256(data).hexdigest()
    with pytest.raises(ArchiveError):
        open_location(Location(path, ("nothing",)), LIMITS)
    with pytest.raises(InputError):
        open_location(Location(tmp_path / "nothing"), LIMITS)


def test_reading_the_start_unpacks_no_more(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(packed([("big", bytes(60_000_000))]))
    tight = Limits(zip_member_bytes=1_000_000)
    with open_location(Location(path, ("big",)), tight) as stream:
        assert stream.read(1000) == bytes(1000)
        with pytest.raises(ArchiveError, match="1000000 bytes"):
            stream.seek(0, io.SEEK_END)


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(zip_member_bytes=1_000_000), "1000000 bytes"),
        (Limits(zip_total_bytes=50_000_000, zip_ratio=2000), "whole archive"),
        (Limits(zip_ratio=100), "100 times"),
    ],
)
def test_bombs(tmp_path: Path, limits: Limits, reason: str) -> None:
    path = tmp_path / "bomb.zip"
    path.write_bytes(packed([("a", bytes(30_000_000)), ("b", bytes(30_000_000))]))
    with Archives(limits) as archives, pytest.raises(ArchiveError, match=reason):
        [archives.open(Location(path, (name,))).read() for name in "ab"]


def test_nested_bomb_counts_for_the_outermost(tmp_path: Path) -> None:
    inner = packed([(str(n), random.Random(n).randbytes(400_000)) for n in range(4)], zipfile.ZIP_STORED)
    (tmp_path / "a.zip").write_bytes(packed([("i.zip", inner), ("j.zip", inner)]))
    result = walked(tmp_path, Limits(zip_total_bytes=3_500_000))
    assert result["a.zip/i.zip/0"] == random.Random(0).randbytes(400_000)
    assert "archive_too_large" in result.values()


def test_the_size_in_the_header_is_not_believed(tmp_path: Path) -> None:
    data = bytearray(packed([("a", bytes(5_000_000))]))
    size = struct.pack("<L", 5_000_000)
    while size in data:
        data[data.index(size) : data.index(size) + 4] = struct.pack("<L", 100)
    (tmp_path / "a.zip").write_bytes(data)
    assert walked(tmp_path, Limits(zip_member_bytes=1_000_000)) == {"a.zip/a": "archive_damaged"}


def test_members_and_depth(tmp_path: Path) -> None:
    (tmp_path / "many.zip").write_bytes(packed([(str(n), b"") for n in range(20)]))
    data = b"x"
    for _ in range(5):
        data = packed([("n", data)])
    (tmp_path / "deep.zip").write_bytes(data)
    result = walked(tmp_path, Limits(zip_members=10))
    assert result == {"many.zip": "archive_too_many", "deep.zip/n/n/n": "archive_too_deep"}


def test_directory_out_of_proportion_is_not_built(tmp_path: Path) -> None:
    entries = b"PK\x01\x02" + bytes(42)
    directory = entries * 2_000_000
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(directory), 4, 0)
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04" + directory + end)
    assert walked(tmp_path) == {"a.zip": "archive_too_many"}


def test_zip64(tmp_path: Path) -> None:
    plain = packed([("a", b"a"), ("b", b"b")])
    end = plain.rindex(b"PK\x05\x06")
    entries, size, start = struct.unpack_from("<HLL", plain, end + 10)
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, entries, entries, size, start)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)
    last = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    (tmp_path / "a.zip").write_bytes(plain[:end] + record + locator + last)
    assert walked(tmp_path) == {"a.zip/a": b"a", "a.zip/b": b"b"}
    assert walked(tmp_path, Limits(zip_members=1)) == {"a.zip": "archive_too_many"}


def test_names_are_only_shown(tmp_path: Path) -> None:
    names = ["../../up", "/etc/passwd", "C:\\a\\b", "a\x1b[31m\n", "./x", "..", "x", "é"]
    (tmp_path / "a.zip").write_bytes(packed([(name, name.encode()) for name in names]))
    result = walked(tmp_path)
    assert sorted(map(str, result.values())) == sorted(str(name.encode()) for name in names)
    for shown in result:
        assert shown.isprintable()
        assert ".." not in shown.split("/")
        assert not shown.startswith("/")
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def test_a_member_without_a_name(tmp_path: Path) -> None:
    """Found by benchmarks/fuzz_images.py: a name ends at its first zero byte, and Python 3.11 fails on an empty one."""
    (tmp_path / "a.zip").write_bytes(packed([("nameless", b"1"), ("b", b"2")]).replace(b"nameless", b"\0ameless"))
    assert walked(tmp_path) == {"a.zip/_": b"1", "a.zip/b": b"2"}


def test_duplicate_names_are_ambiguous(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(packed([("a", b"1"), ("a", b"2"), ("b", b"3")]))
    assert walked(tmp_path) == {
        "a.zip/a": "archive_duplicate_name", "a.zip/a~2": "archive_duplicate_name", "a.zip/b": b"3",
    }  # fmt: skip


def test_encrypted_and_other_methods(tmp_path: Path) -> None:
    data = bytearray(packed([("a", b"secret")], zipfile.ZIP_STORED))
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(magic) + offset] |= 1
    (tmp_path / "crypt.zip").write_bytes(data)
    (tmp_path / "lzma.zip").write_bytes(packed([("a", b"a" * 100)], zipfile.ZIP_LZMA))
    office = packed([("[Content_Types].xml", b"<x/>"), ("word/document.xml", b"")])
    (tmp_path / "office.docx").write_bytes(office)
    assert walked(tmp_path) == {
        "crypt.zip/a": "archive_encrypted", "lzma.zip/a": "archive_method", "office.docx": office,
    }  # fmt: skip


def test_bad_crc_and_cut_off(tmp_path: Path) -> None:
    payload = random.Random(2).randbytes(5000)
    data = bytearray(packed([("a", payload)], zipfile.ZIP_STORED))
    data[data.index(payload[:50]) + 20] ^= 255
    (tmp_path / "crc.zip").write_bytes(data)
    (tmp_path / "cut.zip").write_bytes(packed([("a", payload)])[:-40])
    (tmp_path / "stub.zip").write_bytes(b"PK\x03\x04")
    (tmp_path / "empty.zip").write_bytes(packed([]))
    assert walked(tmp_path) == {
        "crc.zip/a": "archive_damaged", "cut.zip": "archive_damaged", "stub.zip": "archive_damaged",
    }  # fmt: skip


def test_random_damage_never_escapes(tmp_path: Path) -> None:
    rng = random.Random(3)
    whole = packed([("a", rng.randbytes(300)), ("b.zip", packed([("c", b"c" * 500)])), ("d/e", b"e" * 3000)])
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(rng.choice([1, 2, 8])):
            data[rng.randrange(4, len(data))] = rng.randrange(256)
        (tmp_path / "a.zip").write_bytes(data)
        walked(tmp_path / "a.zip")


def test_links_pipes_and_sockets_are_left_alone(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"s")
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "loop").symlink_to(root)
    (root / "file").symlink_to(outside / "secret")
    (root / "folder").symlink_to(outside)
    (root / "broken").symlink_to(root / "nowhere")
    os.mkfifo(root / "pipe")
    (root / "a").write_bytes(b"a")
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(root / "s"))
        result = walked(root)
    assert result == {
        "a": b"a", "pipe": "special_file", "s": "special_file", "file": "symbolic_link", "folder": "symbolic_link",
        "broken": "symbolic_link", "sub/loop": "symbolic_link",
    }  # fmt: skip
    # What the user names is followed.
    assert walked(root / "folder") == {"secret": b"s"}
    assert walked(root / "file") == {"file": b"s"}
    with pytest.raises(InputError, match="no regular file"):
        walked(root / "pipe")


def test_link_in_a_zip(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("link")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr(info, "/etc/passwd")
    assert walked(tmp_path) == {"a.zip/link": "symbolic_link"}


def test_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "file").write_bytes(b"a")
    scan, opened = os.scandir, Path.open

    def scandir(path: Path) -> os._ScandirIterator[str]:
        if path.name == "closed":
            raise PermissionError(13, "Permission denied")
        return scan(path)

    def refuse(path: Path, mode: str = "r") -> object:
        if path.name == "file":
            raise PermissionError(13, "Permission denied")
        return opened(path, mode)

    monkeypatch.setattr("lesion_measure.files.walk.os.scandir", scandir)
    monkeypatch.setattr(Path, "open", refuse)
    assert walked(tmp_path) == {"closed": "unreadable", "file": "unreadable"}


def test_odd_file_names(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"latin-\xe4")).write_bytes(b"1")
    (tmp_path / "new\nline").write_bytes(b"2")
    result = walked(tmp_path)
    assert sorted(result.values()) == [b"1", b"2"]
    assert all(name.isprintable() and name.encode() for name in result)


def test_deep_tree(tmp_path: Path) -> None:
    for depth in range(120):
        (tmp_path / "/".join("d" * (depth + 1))).mkdir()
    (tmp_path / "/".join("d" * 120) / "x").write_bytes(b"x")
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 60)  # less than the tree's depth
    try:
        with Archives(LIMITS) as archives:
            assert len(list(walk(tmp_path, archives))) == 1
    finally:
        sys.setrecursionlimit(limit)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file or folder"):
        walked(tmp_path / "nothing")
    with pytest.raises(InputError, match="no such file or folder"):
        walked(Path("a\x00b"))
