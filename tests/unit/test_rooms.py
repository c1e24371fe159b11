"""A room imports only from floors below it, and rooms on one floor do not import each other."""

import ast
import re
from pathlib import Path

import pytest

import bettercare

HOUSE = Path(bettercare.__file__).parent
ARCHITECTURE = Path(__file__).parents[2] / "docs" / "architecture.md"
FLOORS = {
    room: int(floor)
    for floor, rooms in re.findall(r"^\| (\d) \| (.+?) \|", ARCHITECTURE.read_text(encoding="utf-8"), re.MULTILINE)
    for room in re.findall(r"`(\w+)(?:/|\.py)`", rooms)
}
MODULES = sorted(
    path for path in HOUSE.rglob("*.py") if path.relative_to(HOUSE).parts[0] not in ("__init__.py", "__main__.py")
)


def room_of(path: Path) -> str:
    first = path.relative_to(HOUSE).parts[0]
    return first.removesuffix(".py")


def test_every_room_has_a_floor():
    assert {room_of(path) for path in MODULES} <= set(FLOORS)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_a_room_looks_only_down(path: Path):
    own = room_of(path)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [f"{node.module}.{alias.name}" for alias in node.names]
            if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module
            else []
        )
        for name in names:
            parts = name.split(".")
            if parts[0] != "bettercare" or len(parts) < 2 or parts[1] not in FLOORS or parts[1] == own:
                continue
            assert FLOORS[parts[1]] < FLOORS[own], (
                f"{own} (floor {FLOORS[own]}) imports {parts[1]} (floor {FLOORS[parts[1]]})"
            )
