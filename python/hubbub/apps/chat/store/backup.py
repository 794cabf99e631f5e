"""Copies of the database, and whether a file is whole."""

import sqlite3
from contextlib import closing
from pathlib import Path

from hubbub.apps.chat.store.schema import connect

CHECK_LIMIT_BYTES = 64 << 20
"""Larger files are not read through at the start: it would take seconds."""


def copy_of(path: Path) -> Path:
    """Where the copy of a database lies."""
    return path.with_name(path.name + ".backup")


def copy(path: Path, to: Path | None = None) -> Path:
    """Copies a database while it is used, by SQLite's own means.

    Args:
        path: The database.
        to: The copy; None: beside it. It is replaced only by a whole one.

    Returns:
        Where the copy is.

    Raises:
        sqlite3.Error: It cannot be read, is damaged, or the copy cannot be written.
    """
    target = to or copy_of(path)
    made = target.with_name(target.name + ".new")
    made.unlink(missing_ok=True)
    with closing(connect(path, read_only=True)) as source, closing(sqlite3.connect(made)) as copied:
        source.backup(copied, pages=256)
        copied.execute("pragma journal_mode = delete")
        problem = _problem(copied)
        if problem:
            raise sqlite3.DatabaseError(problem)
    made.replace(target)
    return target


def check(db: sqlite3.Connection) -> None:
    """Reads a file of moderate size through.

    Raises:
        sqlite3.DatabaseError: It is damaged.
    """
    size: int = db.execute(
        "select page_count * page_size from pragma_page_count, pragma_page_size"
    ).fetchone()[0]
    problem = _problem(db) if size <= CHECK_LIMIT_BYTES else ""
    if problem:
        raise sqlite3.DatabaseError(problem)


def whole_copy(path: Path) -> str:
    """The copy beside a database, if it is whole; else nothing."""
    target = copy_of(path)
    if not target.is_file():
        return ""
    try:
        with closing(connect(target, read_only=True)) as db:
            return "" if _problem(db) else str(target)
    except sqlite3.Error:
        return ""


def _problem(db: sqlite3.Connection) -> str:
    found: str = db.execute("pragma quick_check(1)").fetchone()[0]
    return "" if found == "ok" else found.replace("\n", " ")
