"""Writing a file whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bettercare.errors import BettercareError


@contextmanager
def written(path: str | Path) -> Iterator[Path]:
    """A temporary file beside the path that takes its place when all has gone well, and is removed when not.

    Raises:
        BettercareError: the folder cannot be written to.
    """
    target = Path(path)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=target.suffix, dir=target.parent)
    except OSError as error:
        raise BettercareError(
            f"{target} cannot be written: {error.strerror}.", remedy="Choose another folder, or make it first."
        ) from None
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_mask())
        temporary.replace(target)
    except OSError as error:
        raise BettercareError(
            f"{target} cannot be written: {error.strerror or error}.",
            remedy="Close it if it is open elsewhere, or choose another folder.",
        ) from None
    finally:
        temporary.unlink(missing_ok=True)


def _mask() -> int:
    """The permissions new files are made without."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
