"""What the build fetches: pinned, named without addresses, and whole."""

from __future__ import annotations

import hashlib
import json
import re
from importlib import util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def build() -> ModuleType:
    spec = util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_lock_names_versions_and_hashes_and_no_addresses() -> None:
    text = (ROOT / "package-lock.json").read_text(encoding="utf-8")
    assert not re.search(r"https?:|resolved", text)
    packages = json.loads(text)["packages"]
    wanted = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["dependencies"]
    assert packages.pop("")["dependencies"] == wanted
    assert {name.removeprefix("node_modules/"): one["version"] for name, one in packages.items()} == wanted
    assert all(one["integrity"].startswith("sha512-") for one in packages.values())


def test_what_was_fetched_is_what_the_lock_names(build: ModuleType) -> None:
    names = ("package.json", "package-lock.json", "hatch_build.py")
    wanted = hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in names)).hexdigest()
    assert (ROOT / build.VENDOR / "built-from.txt").read_text() == wanted, "install bettercare again: pip install -e ."
    assert all((ROOT / target).stat().st_size for target in build.FILES.values())


def test_the_style_sheet_is_made_to_need_nothing_from_outside(build: ModuleType) -> None:
    sheet = "@font-face{font-family:X;src:url(https://fonts.example/x)}a{background:url(/assets/images/nhsuk-icon-cross.svg)}b{font-family:Frutiger W01,arial}"
    assert build._own(sheet) == "a{background:url(nhsuk-icon-cross.svg)}b{font-family:arial}"
    for outside in ("a{background:url(https://x.example/y)}", "@import 'x';", "a{background:url(//x.example/y)}"):
        with pytest.raises(SystemExit, match="cannot be built"):
            build._own(outside)
    assert build._without_map("x\n//# sourceMappingURL=x.map\n") == "x\n"
