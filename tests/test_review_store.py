"""The store of readings: what it keeps, refuses and locks, in SQLite and in PostgreSQL alike."""

from __future__ import annotations

import hashlib
import json
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from lesion_measure.errors import ConfigError, ConflictError, InputError, LockedError, ReviewError, WriteError
from lesion_measure.records import Plane
from lesion_measure.review.messages import Draft, Kind, Role
from lesion_measure.review.store import Kept, Store, beside
from lesion_measure.review.store.database import _known
from lesion_measure.review.store.models import Base

IMAGE, UID = "ab" * 8, "1.2.826.0.1.3680043.8.498.1"


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    with Store(database_url) as opened:
        yield opened


def caliper(lesion: str = "L1", frame: int = 1, end: float = 50.25) -> Draft:
    return Draft(image=IMAGE, frame=frame, lesion=lesion, kind=Kind.CALIPER, long=((10.5, 20.0), (30.0, end)))


def outline() -> Draft:
    contour = ((10.125, 20.0), (30.0, 50.0), (1 / 3, 5.0))
    return Draft(image=IMAGE, frame=3, lesion="L2", kind=Kind.OUTLINE, contour=contour, plane=Plane.SAGITTAL)


def add(store: Store, draft: Draft | None = None, reader: str = "R1", subject: str = "S1") -> Kept:
    return store.add(subject, "baseline", UID, draft or caliper(), reader)


def raw(url: str) -> Any:
    return create_engine(url.replace("postgresql://", "postgresql+pg8000://"))


def test_a_reading_comes_back_as_it_was_also_from_another_process_s_view(store: Store, database_url: str) -> None:
    first, second = add(store), add(store, outline())
    with Store(database_url) as other:
        assert other.get(first.id) == first
        assert other.readings() == [first, second]
        assert other.readings(subject="S2") == other.readings(reader="R2") == []
        assert other.secret() == store.secret()
    assert second.draft == outline()
    assert (first.version, first.signed, first.subject, first.image_uid) == (1, False, "S1", UID)
    assert len(store.secret()) == 32


def test_who_saw_an_older_version_changes_nothing(store: Store) -> None:
    kept = add(store)
    changed = store.change(kept.id, caliper(end=60), kept.version, "R1", "too short")
    assert (changed.version, changed.draft.long) == (2, ((10.5, 20.0), (30.0, 60.0)))
    for late in (
        lambda: store.change(kept.id, caliper(end=70), kept.version, "R1"),
        lambda: store.remove(kept.id, kept.version, "R1"),
    ):
        with pytest.raises(ConflictError) as refused:
            late()
        assert refused.value.current == changed
    assert store.get(kept.id) == changed
    assert [step.action for step in store.audit()] == ["add", "change"]


def test_what_was_removed_meanwhile_is_a_conflict_and_what_never_was_is_not(store: Store) -> None:
    kept = add(store)
    store.remove(kept.id, 1, "R1", "wrong lesion")
    with pytest.raises(ConflictError) as refused:
        store.change(kept.id, caliper(), 1, "R1")
    assert refused.value.current is None
    with pytest.raises(ReviewError) as unknown:
        store.change("f" * 32, caliper(), 1, "R1")
    assert unknown.value.code == "no_reading"
    assert add(store).id != kept.id


def test_a_reader_has_one_reading_of_a_lesion_on_a_frame(store: Store) -> None:
    kept, other = add(store), add(store, caliper(frame=2))
    for second in (lambda: add(store, caliper(end=70)), lambda: store.change(other.id, caliper(), 1, "R1")):
        with pytest.raises(ConflictError) as refused:
            second()
        assert refused.value.current == kept
    assert store.get(other.id) == other
    assert add(store, reader="R2").reader == "R2"


def test_nobody_changes_another_s_reading_or_moves_it_to_another_image(store: Store) -> None:
    kept = add(store)
    moved = caliper().model_copy(update={"image": "cd" * 8})
    for code, wrong in (
        ("not_own", lambda: store.change(kept.id, caliper(end=70), 1, "R2")),
        ("not_own", lambda: store.remove(kept.id, 1, "R2")),
        ("other_image", lambda: store.change(kept.id, moved, 1, "R1")),
    ):
        with pytest.raises(ReviewError) as refused:
            wrong()
        assert refused.value.code == code
    assert store.readings() == [kept]


def test_a_signature_locks_the_reader_s_readings_of_that_child_alone(store: Store) -> None:
    kept, other = add(store), add(store, reader="R2")
    elsewhere = add(store, subject="S2", draft=caliper("L9"))
    signature = store.sign("S1", "R1", Role.READER, {kept.id: 1}, "I have seen all images.")
    for locked in (
        lambda: store.change(kept.id, caliper(end=70), 1, "R1"),
        lambda: store.remove(kept.id, 1, "R1"),
        lambda: add(store, caliper("L3")),
        lambda: store.sign("S1", "R1", Role.READER, {kept.id: 1}),
    ):
        with pytest.raises(LockedError):
            locked()
    assert store.get(kept.id).signed
    assert {each.id: each.signed for each in store.readings()} == {kept.id: True, other.id: False, elsewhere.id: False}
    assert [each.signature() for each in store.signatures("S1")] == [signature]
    store.change(other.id, caliper(end=71), 1, "R2")
    store.change(elsewhere.id, caliper("L9", end=72), 1, "R1")
    store.reopen("S1", "R1", "The second plane was missing.")
    assert store.signatures() == []
    assert store.change(kept.id, caliper(end=70), 1, "R1").version == 2


def test_who_signs_signs_what_was_shown(store: Store) -> None:
    kept, second = add(store), add(store, outline())
    changed = store.change(second.id, outline().model_copy(update={"frame": 4}), 1, "R1")
    for versions, current in (
        ({kept.id: 1, second.id: 1}, changed),
        ({kept.id: 1}, changed),
        ({kept.id: 1, second.id: 2, "f" * 32: 1}, None),
    ):
        with pytest.raises(ConflictError) as refused:
            store.sign("S1", "R1", Role.READER, versions)
        assert refused.value.current == current
    assert store.signatures() == []
    with pytest.raises(ReviewError) as nothing:
        store.sign("S2", "R1", Role.READER, {})
    assert nothing.value.code == "nothing_to_sign"
    store.sign("S3", "R1", Role.READER, {}, "There is no lesion.")
    assert [(each.subject, each.statement) for each in store.signatures()] == [("S3", "There is no lesion.")]
    store.sign("S1", "R1", Role.ADJUDICATOR, {kept.id: 1, second.id: 2})
    assert store.signatures("S1")[0].role is Role.ADJUDICATOR


def test_reopening_needs_a_signature_and_a_reason(store: Store) -> None:
    kept = add(store)
    for code, why in (("no_reason", " "), ("not_signed", "Because.")):
        with pytest.raises(ReviewError) as refused:
            store.reopen("S1", "R1", why)
        assert refused.value.code == code
    store.sign("S1", "R1", Role.READER, {kept.id: 1})
    with pytest.raises(ReviewError):
        store.reopen("S1", "R2", "Not mine.")
    assert store.get(kept.id).signed


def test_the_audit_has_each_step_and_its_chain_can_be_checked_by_its_definition(store: Store) -> None:
    """The chain is made anew here from the documented rule: SHA-256 of chain, line break and content."""
    kept = add(store)
    store.change(kept.id, caliper(end=60), 1, "R1", "Größe 病变 '\"")
    store.comment("S1", "R2", "Why\nso?")
    store.sign("S1", "R1", Role.READER, {kept.id: 2}, "Signed.")
    store.reopen("S1", "R1", "Look again.")
    store.remove(kept.id, 2, "R1", "No lesion.")
    steps = store.audit()
    assert [(s.number, s.action, s.reader, s.why) for s in steps] == [
        (1, "add", "R1", ""),
        (2, "change", "R1", "Größe 病变 '\""),
        (3, "comment", "R2", ""),
        (4, "sign", "R1", ""),
        (5, "reopen", "R1", "Look again."),
        (6, "remove", "R1", "No lesion."),
    ]
    assert steps[1].before == caliper().model_dump(mode="json")
    assert steps[1].after == steps[5].before == caliper(end=60).model_dump(mode="json")
    assert (steps[5].after, steps[2].after, steps[3].after["versions"]) == (None, {"text": "Why\nso?"}, {kept.id: 2})
    assert {(s.reading, s.image_uid, s.visit) for s in (steps[0], steps[5])} == {(kept.id, UID, "baseline")}
    before = "0" * 64
    for step in steps:
        content = {
            "action": step.action, "after": step.after, "at": step.at.isoformat(timespec="microseconds"),
            "before": step.before, "image_uid": step.image_uid, "number": step.number, "reader": step.reader,
            "reading": step.reading, "subject": step.subject, "visit": step.visit, "why": step.why,
        }  # fmt: skip
        data = json.dumps(content, sort_keys=True, separators=(",", ":"))
        before = hashlib.sha256(f"{before}\n{data}".encode()).hexdigest()
        assert step.chain == before
    assert store.first_broken() is None
    assert store.audit(subject="S2") == []
    assert [s.number for s in store.audit(reader="R2")] == [3]
    assert steps[1].entry("ab" * 8).case == "ab" * 8


def test_the_database_itself_refuses_to_change_the_audit(store: Store, database_url: str) -> None:
    kept = add(store)
    store.change(kept.id, caliper(end=60), 1, "R1")
    engine = raw(database_url)
    before = store.audit()
    columns = "number, at, reader, action, subject, visit, image_uid, reading, why, chain"
    values = "'2026-01-01T00:00:00.000000+00:00', 'R9', 'add', 'S1', '', '', '', '', ''"
    statements = [
        "UPDATE audit SET reader = 'R9'",
        "DELETE FROM audit WHERE number = 2",
        f"INSERT INTO audit ({columns}) VALUES (9, {values})",
    ]
    own = {
        "sqlite": f"INSERT OR REPLACE INTO audit ({columns}) VALUES (2, {values})",
        "postgresql": "TRUNCATE audit",
    }[engine.dialect.name]
    for statement in (*statements, own):
        with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
            connection.execute(text(statement))
    engine.dispose()
    assert store.audit() == before


@pytest.mark.parametrize("change", ["reader = 'R9'", "\"after\" = replace(\"after\", '60.0', '61.0')", "number = 3"])
def test_a_step_that_was_changed_behind_the_triggers_is_found(store: Store, database_url: str, change: str) -> None:
    kept = add(store)
    store.change(kept.id, caliper(end=60), 1, "R1")
    engine = raw(database_url)
    drop = {"sqlite": "DROP TRIGGER audit_keeps", "postgresql": "ALTER TABLE audit DISABLE TRIGGER ALL"}
    with engine.begin() as connection:
        connection.execute(text(drop[engine.dialect.name]))
        connection.execute(text(f"UPDATE audit SET {change} WHERE number = 2"))
    engine.dispose()
    assert store.first_broken() == 2


def test_a_long_audit_is_read_in_parts(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lesion_measure.review.store.looking._STEPS_AT_ONCE", 4)
    for count in range(1, 10):
        store.comment(f"S{count % 2}", "R1", f"{count}")
        assert [step.number for step in store.each_step()] == list(range(1, count + 1))
    assert [step.number for step in store.audit(subject="S1")] == [1, 3, 5, 7, 9]
    assert store.first_broken() is None
    last = store.last_step()
    assert last is not None
    assert last == store.audit()[-1]


def test_writers_at_once_lose_nothing_and_overwrite_nothing(store: Store, database_url: str) -> None:
    """Two stores as two processes have, four threads each: every edit that was accepted is in the audit, once."""
    kept, accepted, refused = add(store), [], []
    with Store(database_url) as other:

        def edit(number: int) -> None:
            at = (store, other)[number % 2]
            for step in range(8):
                seen = at.get(kept.id)
                try:
                    accepted.append(at.change(kept.id, caliper(end=100.0 * number + step), seen.version, "R1").version)
                except ConflictError as error:
                    refused.append(error.current)
                at.comment("S1", f"R{number}", f"{step}")

        threads = [threading.Thread(target=edit, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(accepted) + len(refused) == 64
    assert sorted(accepted) == list(range(2, 2 + len(accepted)))
    assert all(current.version > 1 for current in refused)
    assert store.get(kept.id).version == max(accepted)
    assert len(store.comments("S1")) == 64
    assert len(store.audit()) == 1 + 64 + len(accepted)
    assert store.first_broken() is None


def test_a_write_that_fails_leaves_neither_reading_nor_step(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    add(store)

    def break_off(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lesion_measure.review.store.store.kept_of", break_off)
    with pytest.raises(KeyboardInterrupt):
        add(store, caliper("L2"))
    monkeypatch.undo()
    assert len(store.readings()) == len(store.audit()) == 1


@pytest.mark.parametrize(
    "draft",
    [
        Draft(image=IMAGE, frame=1, lesion="L1", kind=Kind.CALIPER),
        Draft(image=IMAGE, frame=1, lesion="L1", kind=Kind.OUTLINE, long=((1, 1), (2, 2))),
        caliper().model_copy(update={"contour": outline().contour}),
        caliper().model_copy(update={"long": ((1.0, 2.0), (1.0, 2.0))}),
        caliper().model_copy(update={"kind": Kind.RESOLVED}),
        Draft(image=IMAGE, frame=1, lesion="L1", kind=Kind.NOT_FOUND),
        Draft(image=IMAGE, frame=1, lesion="L1", kind=Kind.NOT_ASSESSABLE, reason=" \n"),
        caliper("L\x00"),
        caliper("  "),
        caliper("01. Feb"),
        caliper().model_copy(update={"comment": "\x1b[2J"}),
    ],
)
def test_a_draft_that_is_not_whole_or_that_no_table_could_hold_is_refused(tmp_path: Path, draft: Draft) -> None:
    with Store(beside(tmp_path)) as store:
        with pytest.raises(ReviewError) as refused:
            add(store, draft)
        assert refused.value.code == "draft"
        assert store.audit() == []


def test_comments_come_in_their_order_and_are_not_locked(store: Store) -> None:
    kept = add(store)
    store.sign("S1", "R1", Role.READER, {kept.id: 1})
    for text_ in ("first", "second"):
        store.comment("S1", "R1", text_)
    assert [each.text for each in store.comments("S1")] == ["first", "second"]
    assert store.comments("S2") == []


def test_models_and_migrations_make_the_same_tables(store: Store, database_url: str) -> None:
    engine = raw(database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_what_is_on_disk_is_the_owner_s_alone_and_is_synced(tmp_path: Path) -> None:
    with Store(beside(tmp_path)) as store:
        add(store)
        files = sorted((tmp_path / "review").iterdir())
        assert [file.name for file in files] == ["review.sqlite", "review.sqlite-shm", "review.sqlite-wal"]
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
        with store._engine.connect() as connection:
            for pragma, value in (("journal_mode", "wal"), ("synchronous", 2), ("trusted_schema", 0)):
                assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value


def test_what_is_no_database_of_readings_is_refused_and_left_alone(tmp_path: Path) -> None:
    for url in ("review.sqlite", "sqlite://", "mysql://me:hunter2@host/name", "postgresql://me:hunter2@host"):
        with pytest.raises(ConfigError) as refused:
            Store(url)
        assert "hunter2" not in str(refused.value)
    file = tmp_path / "notes.sqlite"
    file.write_bytes(b"These are notes, and no database at all." * 100)
    with pytest.raises(WriteError, match="not a database"):
        Store(f"sqlite:///{file}")
    assert file.read_bytes().startswith(b"These are notes")
    other = create_engine(f"sqlite:///{tmp_path / 'other.sqlite'}")
    with other.begin() as connection:
        connection.execute(text("CREATE TABLE notes (text TEXT)"))
    other.dispose()
    with pytest.raises(InputError) as foreign:
        Store(f"sqlite:///{tmp_path / 'other.sqlite'}")
    assert foreign.value.code == "other_database"


def test_a_database_of_a_newer_version_is_refused_whole(store: Store, database_url: str) -> None:
    kept = add(store)
    engine = raw(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(InputError) as refused:
        Store(database_url)
    assert refused.value.code == "newer_database"
    engine.dispose()
    assert store.get(kept.id) == kept


def test_messages_of_a_refusing_database_hold_nothing_of_a_reading(tmp_path: Path) -> None:
    with Store(beside(tmp_path)) as store:
        engine = create_engine(beside(tmp_path))
        with engine.begin() as connection:
            connection.execute(text("DROP TABLE readings"))
        engine.dispose()
        with pytest.raises(WriteError) as refused:
            add(store, caliper("Secretname"), subject="Secretchild")
    assert "Secret" not in str(refused.value)
    assert "no such table" in str(refused.value)


def test_the_password_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "hunter2")
    assert _known("postgresql://me@host/readings").password == "hunter2"
    assert _known("postgresql://me:other@host/readings").password == "other"
    monkeypatch.delenv("PGPASSWORD")
    assert _known("postgresql://me@host/readings").password is None


def test_a_postgresql_server_that_is_not_there_is_said_without_its_password() -> None:
    with pytest.raises(WriteError) as refused:
        Store("postgresql://me:hunter2@127.0.0.1:1/readings")
    assert "hunter2" not in str(refused.value)
