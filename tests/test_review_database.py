"""A database that is held, full, silent or started again: each wait ends, and what can be done is."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from lesion_measure.errors import ConfigError, WriteError
from lesion_measure.review.store import Store, beside, database


def test_a_database_that_others_hold_is_refused_in_time(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_WAIT_S", 2)
    with Store(database_url) as store, Store(database_url) as other, other._write() as held:
        held.connection()
        with pytest.raises(WriteError, match="lock") as refused:
            store.comment("S01", "Ada", "Secret")
        assert "Secret" not in str(refused.value)
        assert "{" not in refused.value.reason  # PostgreSQL's answer is taken apart


def test_where_all_connections_are_taken_that_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_WAIT_S", 0.1)
    with pytest.raises(WriteError, match="does not answer"), Store(beside(tmp_path)) as store:
        _take_all(store)


def _take_all(store: Store) -> None:
    with ExitStack() as taken:
        while True:
            taken.enter_context(store._read()).connection()


def test_what_is_gone_with_the_program_is_no_database() -> None:
    with pytest.raises(ConfigError, match="none that readings can be kept in"):
        Store("sqlite:///:memory:")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_server_that_was_started_again_is_found(database_url: str) -> None:
    with Store(database_url) as store:
        store.comment("S01", "Ada", "before")
        engine = create_engine(database_url.replace("://", "+pg8000://"))
        with engine.connect() as connection:
            ended = connection.execute(
                text("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                     " AND datname = current_database()")
            ).scalar()  # fmt: skip
        engine.dispose()
        assert ended
        store.comment("S01", "Ada", "after")
        assert [each.text for each in store.comments("S01")] == ["before", "after"]


def test_a_server_that_takes_connections_and_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_WAIT_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(WriteError, match="does not answer"):
        Store(f"postgresql://me@127.0.0.1:{silent.getsockname()[1]}/readings")
