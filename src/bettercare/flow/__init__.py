"""Patient flow: a network of care as data, simulated, calibrated, and forecast from now."""

from bettercare.flow.arrival_history import ArrivalHistory, read_arrivals
from bettercare.flow.comparison import Comparison, compare
from bettercare.flow.forecast import Forecast, forecast
from bettercare.flow.network import Network, Scenario
from bettercare.flow.network_file import find_network, read_network, shipped_networks
from bettercare.flow.now import Now, occupancy_now, read_now
from bettercare.flow.precision import Precision
from bettercare.flow.result import Estimate, Result
from bettercare.flow.run import Start, run
from bettercare.flow.scenarios import changed
from bettercare.flow.skill import Skill, score
from bettercare.flow.visits import Visits, read_log
from bettercare.flow.warm_up import WarmUp, warm_up

__all__ = [
    "ArrivalHistory",
    "Comparison",
    "Estimate",
    "Forecast",
    "Network",
    "Now",
    "Precision",
    "Result",
    "Scenario",
    "Skill",
    "Start",
    "Visits",
    "WarmUp",
    "changed",
    "compare",
    "find_network",
    "forecast",
    "occupancy_now",
    "read_arrivals",
    "read_log",
    "read_network",
    "read_now",
    "run",
    "score",
    "shipped_networks",
    "warm_up",
]
