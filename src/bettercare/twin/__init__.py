"""The twin: a plan's promises held against its network of care, under the plan's own uncertainty."""

from bettercare.twin.answer import DRAWS, Answer, Reply, answer, answers
from bettercare.twin.futures import Future, Futures, futures
from bettercare.twin.mapping import Twin, faults_of, find_twin, read_twin, twin_of
from bettercare.twin.promises import Answered, Judged, Trial
from bettercare.twin.smallest import Needed, Search, Smallest, Together, needed

__all__ = [
    "DRAWS",
    "Answer",
    "Answered",
    "Future",
    "Futures",
    "Judged",
    "Needed",
    "Reply",
    "Search",
    "Smallest",
    "Together",
    "Trial",
    "Twin",
    "answer",
    "answers",
    "faults_of",
    "find_twin",
    "futures",
    "needed",
    "read_twin",
    "twin_of",
]
