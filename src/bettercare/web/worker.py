"""What a process does that works behind the pages, so that they stay quick and the work can be stopped.

It reads an order from standard input and says how far it is on standard output, a JSON object a line: ``{"what", "done", "of"}``, or
``{"fault"}`` when it cannot be done. It ends when standard input is closed, so that it never outlives the server that asked.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from bettercare.errors import BettercareError

Progress = Callable[[str, int, int], None]
"""Called with what is being done, in words, how much of it is done, and of how much."""


def carry_out(work: Callable[[Any, Progress], None]) -> None:
    """Do the work that the order on standard input asks for."""
    order = pickle.load(sys.stdin.buffer)
    threading.Thread(target=_end_with_server, daemon=True).start()
    if hasattr(os, "nice"):
        # Pages come first.
        os.nice(10)
    try:
        work(order, lambda what, done, of: _tell({"what": what, "done": done, "of": of}))
    except BettercareError as error:
        _tell({"fault": str(error)})


def write_whole(target: Path, content: bytes) -> None:
    """Write a file, whole or not at all."""
    part = target.with_suffix(".part")
    part.write_bytes(content)
    os.replace(part, target)


def _tell(said: dict[str, str | int]) -> None:
    print(json.dumps(said), flush=True)


def _end_with_server() -> None:
    # Not through the buffer, whose lock would be held when the process ends by itself.
    with suppress(OSError):
        while os.read(0, 65_536):
            pass
    os._exit(1)
