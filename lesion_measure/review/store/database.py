"""Opens the database: its URL, how each connection is set up, its migrations, and what goes wrong in plain words."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.engine import URL, Dialect, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InvalidatePoolError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as AllTaken

from lesion_measure.errors import ConfigError, InputError, WriteError
from lesion_measure.files.writing import failing, make_folder
from lesion_measure.job.readings import FOLDER

FILE = "review.sqlite"
_WAIT_S: float = 30
"""Longer than any transaction takes, so that a second writer waits and is not refused."""
_WRITES = "writes"
_LOCK = 0x6C6D_7265
"""Number of the PostgreSQL lock that one writer at a time holds."""


def beside(out: Path) -> str:
    """The URL of the SQLite database in a results folder."""
    return URL.create("sqlite", database=str(out / FOLDER / FILE)).render_as_string()


def open_engine(url: str) -> Engine:
    """An engine on a database whose tables are up to date.

    Raises
    ------
    ConfigError
        The URL is none, or of a database that is not supported.
    InputError
        The file is no such database, or a newer version made it.
    WriteError
        The database cannot be reached or written.
    """
    known = _known(url)
    if known.drivername == "sqlite":
        _make_file(known)
    try:
        engine = create_engine(known, **_options(known))
    except ModuleNotFoundError as error:
        raise ConfigError(
            "PostgreSQL needs the package pg8000.", remedy="pip install pg8000", code="database_driver"
        ) from error
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    if known.drivername != "sqlite":
        event.listen(engine, "checkout", partial(_asked_first, engine.dialect))
    try:
        _migrate(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def writing(engine: Engine) -> Engine:
    """The same connections, where a transaction holds off other writers from its beginning."""
    return engine.execution_options(**{_WRITES: True})


@contextmanager
def speaking_plainly(engine: Engine) -> Iterator[None]:
    """What the database refuses inside becomes a `WriteError` that names neither content nor password."""
    try:
        yield
    except DBAPIError as error:
        raise _refusal(engine, f"The database of readings refuses: {_said(error.orig)}.") from error
    except (AllTaken, OSError) as error:  # pg8000 lets a timeout of its socket through
        raise _refusal(engine, "The database of readings does not answer.") from error


def _refusal(engine: Engine, reason: str) -> WriteError:
    remedy = "Check its disk, its permissions, or the server."
    return WriteError(reason, remedy=remedy, code="database", path=_shown(engine.url))


def _said(error: BaseException | None) -> str:
    """What a database says, without the details of PostgreSQL, which quote what was written."""
    told = error.args[0] if error is not None and error.args else ""
    said = told.get("M", "") if isinstance(told, dict) else told
    return (str(said).splitlines() or ["no reason given"])[0][:200]


def _known(url: str) -> URL:
    try:
        known = make_url(url)
        known.get_dialect()
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise _no_url() from error
    if known.drivername in ("postgresql", "postgres"):
        known = known.set(drivername="postgresql+pg8000")
    if known.drivername not in ("sqlite", "postgresql+pg8000") or known.database in (None, "", ":memory:"):
        raise _no_url()
    if known.drivername != "sqlite" and known.password is None:  # libpq's own way, which pg8000 does not know
        known = known.set(password=os.environ.get("PGPASSWORD"))
    return known


def _no_url() -> ConfigError:
    return ConfigError(
        "The database is none that readings can be kept in.",  # the URL may hold a password
        remedy="Give sqlite:///FILE or postgresql://USER@HOST/NAME.",
        code="database_url",
    )


def _options(url: URL) -> dict[str, Any]:
    # Parameters are what people wrote: no message shows them.
    known = {"hide_parameters": True, "pool_timeout": _WAIT_S}
    if url.drivername == "sqlite":
        return {**known, "connect_args": {"timeout": _WAIT_S}}
    # pg8000's is one of the socket: a server that is gone without a word would never answer.
    return {**known, "connect_args": {"timeout": 2 * _WAIT_S}}


def _shown(url: URL) -> str:
    return url.database or "" if url.drivername == "sqlite" else url.render_as_string(hide_password=True)


def _make_file(url: URL) -> None:
    """The file of a SQLite database, which its owner alone may read; SQLite gives its companions the same mode."""
    path = Path(url.database or "")
    make_folder(path.parent, "folder of the readings")
    with failing(path, "database of readings"):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def _set_up(connection: Any, _: object) -> None:
    if not hasattr(connection, "isolation_level"):  # PostgreSQL
        return
    connection.isolation_level = None  # else Python's module begins transactions where it sees fit
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "trusted_schema=OFF"):
        connection.execute(f"PRAGMA {pragma}").close()


def _asked_first(dialect: Dialect, connection: Any, *_: object) -> None:
    """Ask before a connection is used again, so that no reader is refused since the server was started again.

    SQLAlchemy's own `pool_pre_ping` does not know what pg8000 lets through, such as a connection that was reset.
    """
    try:
        dialect.do_ping(connection)
    except (dialect.loaded_dbapi.Error, OSError) as error:
        raise InvalidatePoolError from error


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
    elif writes:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {round(1000 * _WAIT_S)}")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        connection.exec_driver_sql("SET LOCAL synchronous_commit = on")


def _migrate(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", "lesion_measure.review.store:migrations")
    with speaking_plainly(engine), writing(engine).begin() as connection:
        tables = inspect(connection).get_table_names()
        if tables and "alembic_version" not in tables:
            raise InputError(
                "The database holds other tables, and none of the reading room.",
                remedy="Give a database of its own.",
                code="other_database",
                path=_shown(engine.url),
            )
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise InputError(
                "A newer version of this program made the database of readings.",
                remedy="Install that version, or a later one.",
                code="newer_database",
                path=_shown(engine.url),
            ) from error
