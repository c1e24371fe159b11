"""Settings of care, service models, points of delivery and age bands.

The six settings and eight service models are those of the five-year strategy for Leicester, Leicestershire and Rutland
(Better Care Fund plan 2014, section 3). Points of delivery follow NHS contract usage, with the community's own beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SETTINGS: Mapping[str, str] = {
    "self-care": "Self-care, education and prevention",
    "primary-care": "Transformed primary care",
    "community": "Community and social care services",
    "crisis": "Crisis response, reablement and discharge",
    "acute-secondary": "Acute hospital: secondary care",
    "acute-tertiary": "Acute hospital: tertiary care",
}

SERVICE_MODELS: Mapping[str, str] = {
    "urgent-care": "Urgent care",
    "frail-older-people": "Frail and older people",
    "long-term-conditions": "Long term conditions",
    "planned-care": "Planned care",
    "maternity": "Maternity and newborn services",
    "children": "Children's services",
    "mental-health": "Mental health",
    "learning-disabilities": "Learning disabilities",
}


@dataclass(frozen=True)
class PointOfDelivery:
    """How a piece of care is delivered and counted."""

    id: str
    name: str
    unit: str
    """What one of it is called; a unit of vocabulary.units."""
    setting: str
    bedded: bool
    service_model: str = ""


PODS: Mapping[str, PointOfDelivery] = {
    pod.id: pod
    for pod in (
        PointOfDelivery("non-elective", "Non-elective admission", "admissions", "acute-secondary", True, "urgent-care"),
        PointOfDelivery("elective", "Elective admission", "admissions", "acute-secondary", True, "planned-care"),
        PointOfDelivery("day-case", "Day case", "day cases", "acute-secondary", True, "planned-care"),
        PointOfDelivery("paediatric", "Paediatric admission", "admissions", "acute-secondary", True, "children"),
        PointOfDelivery("maternity", "Maternity admission", "admissions", "acute-secondary", True, "maternity"),
        PointOfDelivery("specialised", "Specialised admission", "admissions", "acute-tertiary", True),
        PointOfDelivery("outpatient", "Outpatient attendance", "attendances", "acute-secondary", False, "planned-care"),
        PointOfDelivery("accident-emergency", "A&E attendance", "attendances", "acute-secondary", False, "urgent-care"),
        PointOfDelivery("ambulance", "Ambulance incident", "calls", "crisis", False, "urgent-care"),
        PointOfDelivery("community-inpatient", "Community hospital admission", "admissions", "community", True, "frail-older-people"),
        PointOfDelivery("stroke-rehabilitation", "Stroke rehabilitation admission", "admissions", "community", True, "long-term-conditions"),
        PointOfDelivery("virtual-ward", "Virtual ward admission", "admissions", "crisis", True, "frail-older-people"),
        PointOfDelivery("mental-health-inpatient", "Mental health admission", "admissions", "community", True, "mental-health"),
        PointOfDelivery("community-contact", "Community contact", "contacts", "community", False, "frail-older-people"),
        PointOfDelivery("community-outpatient", "Community outpatient attendance", "attendances", "community", False, "planned-care"),
        PointOfDelivery("community-day-case", "Community day case", "day cases", "community", False, "planned-care"),
        PointOfDelivery("reablement", "Reablement episode", "packages", "crisis", False, "frail-older-people"),
        PointOfDelivery("primary-care-appointment", "General practice appointment", "appointments", "primary-care", False),
        PointOfDelivery("continuing-care", "Continuing health care package", "packages", "community", False, "frail-older-people"),
        PointOfDelivery("home-care", "Home care package", "packages", "community", False, "frail-older-people"),
        PointOfDelivery("care-home", "Care home placement", "placements", "community", False, "frail-older-people"),
    )
}  # fmt: skip

AGE_BANDS: Mapping[str, str] = {
    "all": "All ages",
    "children": "Children and young people",
    "adults": "Adults of working age",
    "older": "Older people",
    "0-24": "0 to 24",
    "25-64": "25 to 64",
    "65-84": "65 to 84",
    "65+": "65 and over",
    "85+": "85 and over",
    "cohort": "Cohort chosen by risk stratification",
}

BASES: Mapping[str, str] = {
    "stated": "printed in the source",
    "reconstructed": "printed in the source; its place in a table put back",
    "derived": "computed from printed figures",
    "assumed": "not in the source; needed by the model, with a reason",
}

CHOICES: Mapping[str, tuple[str, ...]] = {
    "settings": tuple(SETTINGS),
    "service_models": tuple(SERVICE_MODELS),
    "pods": tuple(PODS),
    "age_bands": tuple(AGE_BANDS),
}
