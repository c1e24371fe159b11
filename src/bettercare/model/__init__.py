"""The long-term system model of a plan."""

from bettercare.model.explain import Node
from bettercare.model.measures import LABELS, Measure
from bettercare.model.result import Result
from bettercare.model.run import SEED, run
from bettercare.model.scenarios import Scenario

__all__ = ["LABELS", "SEED", "Measure", "Node", "Result", "Scenario", "run"]
