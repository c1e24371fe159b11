"""Patient flow: a network of care as data, simulated, calibrated, and forecast from now."""

from bettercare.flow.comparison import Comparison, compare
from bettercare.flow.network import Network, Scenario
from bettercare.flow.network_file import find_network, read_network, shipped_networks
from bettercare.flow.precision import Precision
from bettercare.flow.result import Estimate, Result
from bettercare.flow.run import Start, run
from bettercare.flow.scenarios import changed
from bettercare.flow.warm_up import WarmUp, warm_up

__all__ = [
    "Comparison",
    "Estimate",
    "Network",
    "Precision",
    "Result",
    "Scenario",
    "Start",
    "WarmUp",
    "changed",
    "compare",
    "find_network",
    "read_network",
    "run",
    "shipped_networks",
    "warm_up",
]
