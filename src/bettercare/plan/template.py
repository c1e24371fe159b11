"""Starting a plan from the commented template: a small, complete plan of an invented place."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import yaml

from bettercare.errors import BettercareError
from bettercare.plan.cells import strange_character
from bettercare.plan.write import write_folder

TEMPLATE = Path(str(resources.files("bettercare"))) / "plans" / "template"
_LONGEST_NAME = 100


def new_plan(folder: str | Path, name: str) -> Path:
    """Copy the template to a folder, under a name of its own.

    Args:
        folder: must not exist, or be empty; the folder it stands in must exist.
        name: what the plan is called, such as ``Rutland 2027``; its id is made from it (``rutland-2027``).

    Returns:
        The folder: a plan without faults, marked as invented.

    Raises:
        BettercareError: the folder is not empty or cannot be written, or the name holds no letter or digit. Nothing is left
            half-written.
    """
    title = " ".join(name.split())
    short = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    if not short or len(title) > _LONGEST_NAME or strange_character(title):
        raise BettercareError(
            f"{name[:60]!r} cannot be the name of a plan.",
            remedy=f"Use letters and digits, at most {_LONGEST_NAME} characters.",
        )
    files = {
        str(path.relative_to(TEMPLATE).as_posix()): path.read_text(encoding="utf-8")
        for path in sorted(TEMPLATE.rglob("*"))
        if path.suffix in {".yaml", ".csv", ".md"}
    }
    # The two lines that name the plan; the comments round them stay.
    for line, value in (("id", short), ("title", title)):
        scalar = yaml.safe_dump({line: value}, allow_unicode=True, width=10_000).rstrip("\n")
        files["plan.yaml"] = re.sub(rf"^{line}: .*$", lambda _: scalar, files["plan.yaml"], count=1, flags=re.MULTILINE)  # noqa: B023
    return write_folder(Path(folder), files)
