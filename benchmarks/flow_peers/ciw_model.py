"""The urgent-care model in Ciw: four nodes; a ward without a queue blocks the cubicles; being admitted is a change of class."""

from __future__ import annotations

import math
import random

import ciw
from urgent_care import Length, UrgentCare

from flow_peers.tally import Tally, arrival_times

TRIAGE, MINORS, MAJORS, WARD = 1, 2, 3, 4
PRIORITY = {"resus": 0, "major": 1, "minor": 2, "admitted": 1}


def lasts(length: Length) -> ciw.dists.Distribution:
    return ciw.dists.Lognormal(length.mu, length.sigma)


def arrives(figures: UrgentCare, per_day: float, hours: int, random_numbers: random.Random) -> ciw.dists.Distribution:
    times = arrival_times(figures, per_day, hours, random_numbers)
    return ciw.dists.Sequential([later - earlier for earlier, later in zip([0.0, *times], times)] + [math.inf])


def build(figures: UrgentCare, hours: int, seed: int) -> ciw.network.Network:
    random_numbers = random.Random(seed)
    triage = ciw.dists.Exponential(1 / figures.triage_mean)
    minors, ward = lasts(figures.minors), lasts(figures.ward)
    cubicle = {"resus": figures.majors_resus, "major": figures.majors_major, "minor": figures.majors_minor}
    cubicle["admitted"] = figures.majors_major  # never drawn: nobody comes to a cubicle once admitted
    admitted = {"resus": figures.admitted_resus, "major": figures.admitted_major, "minor": figures.admitted_minor}
    stays = {one: {other: float(one == other) for other in PRIORITY} for one in PRIORITY}
    changes = {
        one: {other: (share if other == "admitted" else 1 - share if other == one else 0.0) for other in PRIORITY}
        for one, share in admitted.items()
    }
    nowhere, to_ward = [0.0] * 4, [0.0, 0.0, 0.0, 1.0]
    to_minors = 1 - figures.minor_to_majors
    return ciw.create_network(
        arrival_distributions={
            "resus": [None, None, arrives(figures, figures.resus_per_day, hours, random_numbers), None],
            "major": [arrives(figures, figures.major_per_day, hours, random_numbers), None, None, None],
            "minor": [arrives(figures, figures.minor_per_day, hours, random_numbers), None, None, None],
            "admitted": [None, None, None, None],
        },
        service_distributions={patient: [triage, minors, lasts(cubicle[patient]), ward] for patient in PRIORITY},
        number_of_servers=[figures.triage_nurses, figures.clinicians, figures.cubicles, figures.beds],
        queue_capacities=[math.inf, math.inf, math.inf, 0],
        priority_classes=PRIORITY,
        class_change_matrices=[stays, stays, changes | {"admitted": stays["admitted"]}, stays],
        routing={
            "resus": [nowhere, nowhere, nowhere, nowhere],
            "major": [[0.0, 0.0, 1.0, 0.0], nowhere, nowhere, nowhere],
            "minor": [[0.0, to_minors, 1 - to_minors, 0.0], nowhere, nowhere, nowhere],
            "admitted": [nowhere, nowhere, to_ward, nowhere],
        },
    )


def simulate(figures: UrgentCare, days: int, warm_up: int, seed: int) -> tuple[dict[str, float], int]:
    """The measures of one run, and how many patients came in it."""
    hours = (warm_up + days) * 24
    ciw.seed(seed)
    simulation = ciw.Simulation(build(figures, hours, seed))
    simulation.simulate_until_max_time(hours)
    tally = Tally(warm_up * 24.0, float(hours), figures.target)
    for patient in simulation.get_all_individuals():
        count(tally, patient, hours)
    for node in simulation.transitive_nodes:
        for patient in node.all_individuals:
            count_unfinished(tally, patient, node.id_number)
    return tally.measures(), simulation.nodes[0].number_of_individuals


def count(tally: Tally, patient: ciw.Individual, hours: int) -> None:
    """The stations a patient has left, from the records of each."""
    names = {TRIAGE: "triage", MINORS: "minors", MAJORS: "majors"}
    for record in patient.data_records:
        if record.node in names:
            tally.waited(names[record.node], record.arrival_date, record.service_start_date)
        if record.node in (MAJORS, WARD):
            what = "occupied majors" if record.node == MAJORS else "occupied ward"
            tally.begins(what, record.service_start_date)
            tally.ends(what, record.exit_date)
        if record.node == MAJORS and record.time_blocked > 0:
            tally.begins("blocked majors", record.service_end_date)
            tally.ends("blocked majors", record.exit_date)
        if record.node in (MINORS, MAJORS):
            tally.left_department(patient.data_records[0].arrival_date, record.exit_date)


def count_unfinished(tally: Tally, patient: ciw.Individual, node: int) -> None:
    """The station a patient is still in at the end."""
    if node in (MAJORS, WARD) and patient.server:
        tally.begins("occupied majors" if node == MAJORS else "occupied ward", patient.service_start_date)
    if node == MAJORS and patient.is_blocked:
        tally.begins("blocked majors", patient.service_end_date)
