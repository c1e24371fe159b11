"""YAML as plan files use it: mappings, lists and scalars kept as the text that was typed, with line numbers.

Files are read event by event, so that a hostile file cannot cost more than its own length: aliases (``*name``) are
refused, depth is bounded, and no tag builds an object.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bettercare.errors import BettercareError
from bettercare.plan.cells import STRANGE

LARGEST_FILE = 1_000_000
"""Bytes of a YAML file."""
_DEEPEST = 12
_BLANK = frozenset({"", "~", "null", "Null", "NULL"})
# The compiled parser is eight times as fast; both give the same events.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Node:
    """A piece of a YAML file. ``value`` is text, a list of nodes, a mapping of nodes, or None."""

    value: Any
    line: int
    keys: dict[str, int] = field(default_factory=dict)

    def get(self, key: str) -> Node | None:
        return self.value.get(key) if isinstance(self.value, dict) else None

    def text(self) -> str:
        return self.value if isinstance(self.value, str) else ""

    def items(self) -> Iterator[tuple[str, Node]]:
        yield from self.value.items() if isinstance(self.value, dict) else ()

    def plain(self) -> Any:
        """The same as ordinary dicts, lists and strings."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value


def read_yaml(path: Path, shown: str) -> Node:
    """Read a YAML file whose top level is a mapping.

    Raises:
        BettercareError: it cannot be read, is not YAML, is too large or too deep, or names a key twice.
    """
    return parse_yaml(read_text(path, shown, LARGEST_FILE), shown)


def parse_yaml(text: str, shown: str) -> Node:
    """The same from text already read; ``shown`` names the file in faults."""
    if found := STRANGE.search(text):
        where = f"{shown}, line {text.count(chr(10), 0, found.start()) + 1}"
        raise BettercareError(
            f"The file holds a character that cannot be printed (U+{ord(found.group()):04X}).", where, "Remove it."
        )
    try:
        node = _root(text, shown)
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "a character is not allowed"
        raise BettercareError(
            f"This is not YAML: {problem}.",
            f"{shown}{line}",
            "Check the indents, the colons and the quotes there and just above.",
        ) from None
    if node is None:
        raise BettercareError("The file is empty.", shown, "Write `name: value` lines in it, or remove it.")
    if not isinstance(node.value, dict):
        raise BettercareError(
            "The file is not a list of `name: value` lines.",
            f"{shown}, line {node.line}",
            "Write one name and value a line.",
        )
    return node


def read_text(path: Path, shown: str, largest: int) -> str:
    """The text of a file in UTF-8 (a byte order mark is dropped), or one sentence saying why not."""
    try:
        # A pipe or a device would never end; only a file is read.
        if path.exists() and not path.is_file():
            raise BettercareError("This is not a file.", shown, "Remove it, or put a file in its place.")
        size = path.stat().st_size
        if size > largest:
            raise BettercareError(
                f"The file holds {size:,} bytes; at most {largest:,} are read.", shown, "Is it the right file?"
            )
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise BettercareError(
            "The file is not UTF-8 text.", f"{shown}, line {line}", "Save it as UTF-8 (in Excel: CSV UTF-8)."
        ) from None
    except FileNotFoundError:
        raise BettercareError("The file is not there.", shown, "Put it in the plan's folder.") from None
    except OSError as error:
        raise BettercareError(
            f"The file cannot be read ({error.strerror}).", shown, "Check that you may open it."
        ) from None


@dataclass
class _Open:
    """A mapping or a list being read."""

    node: Node
    key: str | None = None

    def put(self, child: Node, shown: str) -> None:
        if isinstance(self.node.value, list):
            self.node.value.append(child)
        elif self.key is None:
            self._name(child, shown)
        else:
            self.node.value[self.key] = child
            self.key = None

    def _name(self, child: Node, shown: str) -> None:
        where = f"{shown}, line {child.line}"
        if not isinstance(child.value, str) or not child.value:
            raise BettercareError("A name on the left of a colon is not a word.", where, "Write it as `name: value`.")
        if child.value in self.node.value:
            raise BettercareError(f"{child.value[:60]!r} is written twice.", where, "Keep one.")
        self.node.keys[child.value] = child.line
        self.node.value[child.value] = Node(None, child.line)
        self.key = child.value


def _root(text: str, shown: str) -> Node | None:
    root: Node | None = None
    opened: list[_Open] = []
    events: Any = yaml.parse(text, Loader=_LOADER)
    for event in events:
        line = event.start_mark.line + 1
        where = f"{shown}, line {line}"
        if isinstance(event, yaml.AliasEvent):
            raise BettercareError("Aliases (*name) are not used in plans.", where, "Write the value out.")
        if isinstance(event, yaml.DocumentStartEvent) and root is not None:
            raise BettercareError(
                "The file holds more than one document.", where, "Remove the line `---`, or split the file."
            )
        if isinstance(event, yaml.ScalarEvent):
            blank = event.implicit[0] and event.value in _BLANK
            node = Node(None if blank else str(event.value), line)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            node = Node({} if isinstance(event, yaml.MappingStartEvent) else [], line)
        else:
            if isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                opened.pop()
            continue
        if opened:
            opened[-1].put(node, shown)
        else:
            root = node
        if not isinstance(event, yaml.ScalarEvent):
            if len(opened) >= _DEEPEST:
                raise BettercareError("The file is nested too deeply.", where, f"Use at most {_DEEPEST} levels.")
            opened.append(_Open(node))
    return root
