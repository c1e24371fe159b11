"""The action log, as a Board keeps it."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

from bettercare.store import Record, asks


class Action(Record):
    """Something a meeting or an officer said would be done."""

    table: ClassVar[str] = "actions"

    action: str = asks("Action", "What is to be done", min_length=1, long=True)
    agreed: date | None = asks("Agreed on", "The day it was agreed", None)
    minute: str = asks("Minute", "Minute and letter, such as 327(b)", "")
    body: str = asks("Board", "The board or group whose log it is in", "", refers="boards")
    officers: str = asks("Responsible officer", "Who will do it; separate several with a slash", min_length=1)
    due: date | None = asks("Due", "The day it should be done by", None)
    comments: str = asks("Comments", "Where it has got to", "", long=True)
    status: Literal["red", "amber", "green", "done"] = asks(
        "Status",
        "Green: on course or arranged. Amber: under way with doubt. Red: late or stuck. Done: finished",
        "green",
    )
    done_on: date | None = asks("Done on", "The day it was finished", None)
    about: tuple[str, ...] = asks(
        "About",
        "What it answers: exception:m4@2015-06-01, risk:..., milestone:..., question:..., decision:...",
        (),
        refers="ref",
    )
