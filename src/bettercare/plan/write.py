"""Writing a plan as a folder: all of it or nothing, each cell with the text it was read from."""

from __future__ import annotations

import csv
import io
import os
import secrets
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from bettercare.errors import BettercareError
from bettercare.plan.dictionary import SCHEME_TABLES
from bettercare.plan.figures import Table
from bettercare.plan.plan import HEADER, Plan
from bettercare.plan.scheme_file import header_yaml, yaml_of


def write_plan(plan: Plan, folder: Path) -> Path:
    """Write the plan as a folder that reads back cell for cell the same; tables without rows are left out.

    Args:
        folder: must not exist, or be empty; the folder it stands in must exist.

    Returns:
        The folder.

    Raises:
        BettercareError: it is not empty, or cannot be written. Nothing is left half-written.
    """
    files = {"plan.yaml": header_yaml({name: plan.header[name] for name in HEADER if name in plan.header})}
    for table in plan.tables.values():
        if len(table) and table.name not in SCHEME_TABLES:
            files[f"tables/{table.name}.csv"] = csv_of(table)
    effects: dict[str, list[Mapping[str, str]]] = {}
    for row in plan["effects"]:
        effects.setdefault(row["scheme"], []).append(row.text)
    for scheme in plan["schemes"]:
        files[f"schemes/{scheme.id}.yaml"] = yaml_of(scheme.text, effects.get(scheme.id, ()))
    for name, text in plan.scenarios.items():
        files[f"scenarios/{name}.yaml"] = text
    return write_folder(folder, files)


def csv_of(table: Table) -> str:
    """A table as CSV: every column of the dictionary, every cell as it was read."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.spec.names)
    writer.writerows([row.text.get(name, "") for name in table.spec.names] for row in table)
    return out.getvalue()


def write_folder(folder: Path, files: Mapping[str, str]) -> Path:
    """Make a folder of text files (names with ``/`` for folders inside it), whole or not at all."""

    def fill(partial: Path) -> None:
        partial.mkdir()
        for name, text in files.items():
            path = partial / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")

    def refuse(path: Path) -> None:
        if path.exists() and not path.is_dir():
            raise BettercareError(f"{str(folder)!r} is a file.", remedy="Give the name of a new folder.")
        if path == Path.cwd():
            raise BettercareError(f"{str(folder)!r} is the folder you are in.", remedy="Give the name of a new folder.")
        if path.exists() and any(path.iterdir()):
            raise BettercareError(
                f"The folder {str(folder)!r} is not empty.", remedy="Give the name of a new folder, or empty it first."
            )

    return _whole(folder, refuse, fill)


def write_file(path: Path, fill: Callable[[Path], None], replace: bool = True) -> Path:
    """Make a file by ``fill(partial)``, whole or not at all; a file already there is replaced only if asked, and by a finished one."""

    def refuse(at: Path) -> None:
        if at.is_dir():
            raise BettercareError(f"{str(path)!r} is a folder.", remedy="Give the name of a file.")
        if at.exists() and not replace:
            raise BettercareError(f"{str(path)!r} is there already.", remedy="Give another name, or move it away.")

    return _whole(path, refuse, fill)


def _whole(path: Path, refuse: Callable[[Path], None], fill: Callable[[Path], None]) -> Path:
    """Fill a sibling of ``path`` and put it in its place, so that whoever looks sees all of it or nothing."""
    try:
        target = path.resolve()
    except (OSError, ValueError, RuntimeError):
        # A name too long, a zero byte in it, or a circle of links.
        raise BettercareError(f"{str(path)[:200]!r} cannot be used as a name.", remedy="Give another.") from None
    try:
        refuse(target)
        if not target.parent.is_dir():
            raise BettercareError(f"There is no folder {str(target.parent)!r}.", remedy="Make it first.")
        partial = target.parent / f".{secrets.token_hex(4)}.partial"
        try:
            fill(partial)
            # An empty folder in the way is taken away first: not every system renames over one.
            if partial.is_dir() and target.is_dir():
                target.rmdir()
            os.replace(partial, target)
        finally:
            if partial.is_dir():
                shutil.rmtree(partial, ignore_errors=True)
            else:
                partial.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or "the disk says no"
        raise BettercareError(
            f"{str(path)!r} cannot be written ({reason}).", remedy="Check the place, and that there is room."
        ) from None
    return path
