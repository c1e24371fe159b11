"""Frames and plain files at the edge: shown on a terminal, written whole or not at all, read or refused in a sentence."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import polars as pl
import yaml
from rich.table import Table

from bettercare.errors import BettercareError


def table_of(title: str, frame: pl.DataFrame) -> Table:
    """A frame as a terminal table: numbers to the right, with thousands."""
    table = Table(title=title, title_justify="left")
    for name, kind in frame.schema.items():
        table.add_column(name.replace("_", " "), justify="right" if kind.is_numeric() else "left")
    for row in frame.iter_rows():
        table.add_row(*(f"{value:,.0f}" if isinstance(value, (int, float)) else str(value or "") for value in row))
    return table


def write_frame(frame: pl.DataFrame, target: Path) -> None:
    """Write CSV or Parquet by the file's ending; nothing is left half-written."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    try:
        frame.write_csv(part) if target.suffix == ".csv" else frame.write_parquet(part)
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


def read_plain_yaml(path: Path) -> Any:
    """The plain data of a YAML file."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BettercareError(f"The file cannot be read ({error.strerror}).", str(path)) from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise BettercareError("This is not YAML.", f"{path}{line}", "Correct the file.") from None
