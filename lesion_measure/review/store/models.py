"""The tables. What changes here needs a migration (`migrations/versions`); a test compares the two."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Dialect, Integer, LargeBinary, MetaData, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator


def canonical(value: object) -> str:
    """JSON of one spelling: keys in order, no spaces, ASCII. The audit's chain is made of it."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


class Time(TypeDecorator[datetime]):
    """A time as ISO 8601 text in UTC, to the microsecond: the same in every database."""

    impl = String(40)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """As it is kept."""
        return None if value is None else value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        """As it is read."""
        return None if value is None else datetime.fromisoformat(value)


class Json(TypeDecorator[dict[str, Any]]):
    """An object as canonical JSON text: the same in every database."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: dict[str, Any] | None, dialect: Dialect) -> str | None:
        """As it is kept."""
        return None if value is None else canonical(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> dict[str, Any] | None:
        """As it is read."""
        return None if value is None else json.loads(value)


class Base(DeclarativeBase):
    """All tables; constraints have names, so that a migration can find them in every database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class SettingRow(Base):
    """A value that belongs to this database, such as its secret."""

    __tablename__ = "settings"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[bytes] = mapped_column(LargeBinary)


class ReadingRow(Base):
    """A reading as it is now. ``draft`` is a `messages.Draft`; its frame and lesion stand beside it as well."""

    __tablename__ = "readings"
    __table_args__ = (UniqueConstraint("image_uid", "frame", "lesion", "reader"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    version: Mapped[int] = mapped_column(Integer)
    subject: Mapped[str] = mapped_column(Text, index=True)
    visit: Mapped[str] = mapped_column(Text)
    image_uid: Mapped[str] = mapped_column(Text)
    frame: Mapped[int] = mapped_column(Integer)
    lesion: Mapped[str] = mapped_column(String(64))
    reader: Mapped[str] = mapped_column(String(64))
    changed: Mapped[datetime] = mapped_column(Time)
    draft: Mapped[dict[str, Any]] = mapped_column(Json)


class CommentRow(Base):
    """What somebody wrote to a child."""

    __tablename__ = "comments"

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    subject: Mapped[str] = mapped_column(Text, index=True)
    reader: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(Time)
    text: Mapped[str] = mapped_column(Text)


class SignatureRow(Base):
    """A signature in force; reopening takes it away, and the audit keeps both."""

    __tablename__ = "signatures"

    subject: Mapped[str] = mapped_column(Text, primary_key=True)
    reader: Mapped[str] = mapped_column(String(64), primary_key=True)
    role: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime] = mapped_column(Time)
    statement: Mapped[str] = mapped_column(Text)
    no_lesion: Mapped[dict[str, Any] | None] = mapped_column(Json)
    """Of who says that there is no lesion: the images looked at, as visits by UID."""


class AuditRow(Base):
    """One step. The database itself refuses to change or remove a row, or to add one out of turn."""

    __tablename__ = "audit"

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(Time)
    reader: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(16))
    subject: Mapped[str] = mapped_column(Text, index=True)
    visit: Mapped[str] = mapped_column(Text)
    image_uid: Mapped[str] = mapped_column(Text)
    reading: Mapped[str] = mapped_column(String(32), index=True)
    before: Mapped[dict[str, Any] | None] = mapped_column(Json)
    after: Mapped[dict[str, Any] | None] = mapped_column(Json)
    why: Mapped[str] = mapped_column(Text)
    chain: Mapped[str] = mapped_column(String(64))
