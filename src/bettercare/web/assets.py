"""Style sheets, scripts and pictures: held in memory, under an address that changes when any of them does."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from fastapi import APIRouter, Request, Response

from bettercare.errors import BettercareError
from bettercare.store import Missing
from bettercare.web.guard import public

TYPES = {
    "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml", "txt": "text/plain; charset=utf-8",
}  # fmt: skip
FETCHED = ("vendor/nhsuk-frontend.css", "vendor/nhsuk-frontend.js", "vendor/htmx.js")
"""What the build fetches."""
KEEP = "public, max-age=31536000, immutable"

router = APIRouter()


@dataclass(frozen=True)
class Assets:
    """Every file under static/, and a version made from all of them."""

    version: str
    files: dict[str, tuple[str, bytes, bytes]]
    """By path: its type, its bytes, and its bytes gzipped."""


@cache
def assets() -> Assets:
    """The files.

    Raises:
        BettercareError: the build has not fetched the style sheets and scripts.
    """
    found = dict(sorted(_files(resources.files("bettercare.web").joinpath("static"), "")))
    missing = [name for name in FETCHED if name not in found]
    if missing:
        raise BettercareError(
            f"The web pages' {missing[0]} is not there.", remedy="Install bettercare again: the build fetches it."
        )
    version = hashlib.sha256(b"".join(name.encode() + data for name, data in found.items())).hexdigest()[:12]
    return Assets(
        version,
        {name: (TYPES[name.rpartition(".")[2]], data, gzip.compress(data, mtime=0)) for name, data in found.items()},
    )


def _files(folder: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for item in folder.iterdir():
        if item.is_dir():
            found += _files(item, f"{prefix}{item.name}/")
        elif item.name.rpartition(".")[2] in TYPES:
            found.append((prefix + item.name, item.read_bytes()))
    return found


def address(name: str) -> str:
    """Where a file is fetched from; a name that is not there is a mistake in a template."""
    return f"/static/{assets().version}/{name}" if name in assets().files else _unknown(name)


def _unknown(name: str) -> str:
    raise LookupError(f"There is no static file {name!r}.")


@router.get("/static/{version}/{name:path}", include_in_schema=False)
@public
def static(request: Request, version: str, name: str) -> Response:
    """A file; kept by browsers for good under the present version, and not at all under another."""
    if name not in assets().files:
        raise Missing("There is no such file.")
    kind, plain, small = assets().files[name]
    headers = {"Cache-Control": KEEP if version == assets().version else "no-cache", "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(small, media_type=kind, headers=headers | {"Content-Encoding": "gzip"})
    return Response(plain, media_type=kind, headers=headers)


@router.get("/favicon.ico", include_in_schema=False)
@public
def favicon() -> Response:
    """The mark in the browser's tab."""
    return Response(assets().files["mark.svg"][1], media_type="image/svg+xml", headers={"Cache-Control": "public, max-age=86400"})  # fmt: skip
