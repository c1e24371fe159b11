"""What a programme office might have written down while running the two shipped plans. All of it is invented.

Rows that the papers give keep their words; what is added to them here makes the row synthetic, and the history keeps the row as it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from bettercare.assurance import Assessment
from bettercare.assurance.actions import Action
from bettercare.assurance.decisions import Decision
from bettercare.assurance.ledger import entry
from bettercare.assurance.meetings import AgendaItem, Declaration, Meeting
from bettercare.assurance.milestones import Progress
from bettercare.assurance.programme import Programme
from bettercare.assurance.questions import Question
from bettercare.store import Record

FUND, SYSTEM = "leicestershire-bcf-2014", "llr-stp-2016"


def programme(opened: Programme, on: date) -> Programme:
    """The programme with its data date."""
    agreement = "Agreed by all partners on 30 March 2015, three months late (invented)." if opened.id == FUND else ""
    return opened.model_copy(update={"as_at": on, "section_75": agreement, "synthetic": True})


def added(judged: Assessment) -> Iterator[Record]:
    """New rows of every register but actuals and most of the ledger.

    Args:
        judged: the plan with its actuals, so that what answers an exception can name it.
    """
    plan = judged.plan
    for name, (day, expected, comments) in _PROGRESS[plan.id].items():
        yield Progress(
            plan=plan.id, id=name, done_on=_day(day), expected=_day(expected), comments=comments, owner=_OWNERS.get(name, ""),
            synthetic=True,
        )  # fmt: skip
    for kind, rows in _ADDED[plan.id]:
        for row in rows:
            about = {"about": tuple(_held(judged, ref) for ref in row["about"])} if "about" in row else {}
            yield kind(plan=plan.id, synthetic=True, **(row | about))
    if plan.id == FUND:
        for moved, to, pence, because, note in _MOVED:
            yield entry(
                plan, on=moved, kind="budget", from_account="reserve", to_account=to, pence=pence, because=because,
                id=f"reserve-{because.partition(':')[2]}", note=f"Synthetic. {note}", synthetic=True,
            )  # fmt: skip


def changed(judged: Assessment) -> Iterator[Record]:
    """Rows of the papers with what has become of them; ``version`` is that of the row it was made from."""
    held = judged.registers
    scored = _SCORES[judged.plan.id]
    for risk in held.risks:
        likelihood, impact, then, still, owner, review, pounds, falls_on = scored[risk.id]
        yield risk.model_copy(
            update={
                "likelihood": likelihood, "impact": impact, "residual_likelihood": then, "residual_impact": still, "owner": risk.owner or owner,
                "review": _day(review), "pence": pounds * 100 if pounds else None, "falls_on": falls_on, "synthetic": True,
            }
        )  # fmt: skip
    ended: dict[str, dict[str, Any]] = _ENDED[judged.plan.id]
    for row in (*held.actions, *held.meetings, *held.decisions):
        if f"{row.table}:{row.id}" in ended:
            yield row.model_copy(update=ended[f"{row.table}:{row.id}"] | {"synthetic": True})


def _held(judged: Assessment, ref: str) -> str:
    """``exception:m4`` with the day the figures say it went off track; a metric that is back on track keeps the day it is said to have been."""
    kind, _, rest = ref.partition(":")
    if kind != "exception":
        return ref
    metric, _, said = rest.partition("@")
    exception = judged.judgements[metric].exception
    return f"exception:{exception.id}" if exception is not None else f"exception:{metric}@{said}"


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


# --- milestones: done on, expected, comments ------------------------------------------------------------------------------

_PROGRESS: dict[str, dict[str, tuple[str, str, str]]] = {
    FUND: {
        "nhse-submission": ("2014-09-19", "", ""),
        "hwb-approval": ("2014-09-16", "", ""),
        "mou-approved": ("2014-05-29", "", ""),
        "section-75-review": ("2014-12-12", "", "Legal advice took a fortnight more than planned"),
        "section-75": ("2015-03-30", "", "Waited for one governing body; in force from 1 April 2015"),
        "target-check": ("2015-10-15", "", "Six months showed the target would not be met in full"),
        "lac-240": ("", "", "206 people supported by December 2015"),
        "lightbulb-shadow": ("2015-06-01", "", "Two districts joined late"),
        "housing-business-case": ("2014-11-14", "", ""),
        "prevention-business-case": ("", "2016-04-22", "Waits for the districts' budgets"),
        "wl-care-plans": ("2015-03-27", "", ""),
        "admissions-des": ("2014-06-30", "", ""),
        "nhs-number-loader": ("2015-01-19", "", "Supplier's release came late"),
        "nhs-number-extract": ("2015-03-31", "", ""),
        "nhs-number": ("", "2016-05-31", "Matches 83 % of records; 95 % is needed before it is routine"),
        "records-business-case": ("2014-12-18", "", ""),
        "records-bid": ("2014-12-01", "", "Bid not successful; paid from local money"),
        "records-phase-1": ("", "2016-06-30", "Follows the sharing agreements with practices"),
        "night-nursing": ("2014-09-01", "", ""),
        "assessment-unit": ("2014-10-01", "", "Weekdays only until more consultants are in post"),
        "falls-paramedics": ("2015-01-23", "", "241 trained"),
        "falls-trajectory": ("2015-02-01", "", ""),
        "seven-day-pilots": ("2014-10-27", "", ""),
        "wl-pilots": ("2015-03-16", "", ""),
        "elr-pilot": ("2014-10-27", "", ""),
        "stays-trajectory": ("2014-11-21", "", ""),
        "data-set-options": ("2014-12-15", "", ""),
        "data-set-live": ("2015-05-11", "", "On paper first; electronic since May"),
        "mdt-recruited": ("2014-12-01", "", ""),
        "mdt-reviews": ("2015-01-05", "", ""),
        "package-scrutiny": ("2014-09-22", "", ""),
        "waiting-list-review": ("2014-09-15", "", ""),
        "equipment-workshop": ("2014-09-24", "", ""),
        "htlah-design": ("2014-10-30", "", ""),
        "htlah-specification": ("2015-08-14", "", "Providers asked for smaller lots"),
        "htlah-procurement": ("2015-11-02", "", ""),
        "htlah-contract": ("", "2016-11-07", "Fewer bids than lots: two lots are bid for again"),
        "primary-care-strategy": ("2014-10-31", "", ""),
        "spa-stage-1": ("2014-12-15", "", ""),
        "spa-capacity": ("2015-01-26", "", ""),
        "spa-stage-2": ("2015-06-29", "", "With GBP 90k of the reserve"),
        "spa-stage-3": ("", "2016-09-30", "Business case agreed in principle; software not chosen"),
        "spa-stage-4": ("", "2016-12-31", ""),
    },
    SYSTEM: {
        "slt-first": ("2016-11-17", "", ""),
        "plan-public": ("2016-11-30", "", ""),
        "hwb-role": ("2016-12-06", "", ""),
        "contracts": ("2016-12-23", "", ""),
        "jhws-framework": ("2017-03-16", "", ""),
        "camhs-report": ("2017-06-01", "", ""),
        "lightbulb": ("2017-10-02", "", ""),
        "urgent-start": ("2016-10-31", "", ""),
        "urgent-24h": ("2017-06-30", "", "Home visits began two months late"),
        "urgent-complete": ("", "2018-01-31", "Two contracts mobilise after winter"),
        "ae-march-2017": ("", "2018-03-31", "Missed; a new date agreed with the regulator"),
        "cancer-standards": ("", "2018-03-31", "All but the 62-day standard met"),
        "consultation-provisional": ("", "2018-03-31", "Waits for the assurance of the pre-consultation business case and for capital"),
        "consultation": ("", "2018-09-30", ""),
        "st-lukes-opens": ("", "2018-02-28", "Building handed over late"),
        "back-office-scope": ("2017-01-31", "", ""),
        "back-office-case": ("2017-05-12", "", ""),
        "back-office-start": ("", "2018-02-01", "First phase: payroll"),
        "theatres-half": ("", "", "Ahead at two sites of three"),
        "epr-start": ("", "2018-06-30", "National capital not agreed"),
    },
}  # fmt: skip

_OWNERS = {
    "nhs-number": "Programme board for information management and technology",
    "section-75": "Section 75 task and finish group",
    "htlah-contract": "Director of Health and Care Integration",
    "consultation-provisional": "Senior Responsible Officer for the STP",
    "epr-start": "Information Management and Technology Group",
}

# --- risks: likelihood, impact, both after mitigation, owner, review, GBP, falls on --------------------------------------

_EXECUTIVE, _OFFICE, _SRO = (
    "Integration Executive",
    "Programme Management Office",
    "Senior Responsible Officer for the STP",
)
_SCORES: dict[str, dict[str, tuple[int, int, int, int, str, str, int, str]]] = {
    FUND: {
        "admissions-target": (5, 5, 4, 3, _EXECUTIVE, "2016-02-25", 2_840_000, "Commissioning groups"),
        "outside-factors": (4, 4, 3, 4, "Operational Group", "2016-02-25", 0, ""),
        "acute-activity": (4, 5, 4, 4, _EXECUTIVE, "2016-01-15", 4_680_000, "Commissioning groups"),
        "reserve-continues": (3, 3, 3, 2, "Finance lead", "2016-03-31", 1_200_000, "All partners"),
        "care-act-cost": (4, 4, 3, 3, "", "2016-03-31", 900_000, "Leicestershire County Council"),
        "unmet-pressure": (4, 4, 4, 3, "", "2016-03-31", 2_500_000, "Leicestershire County Council"),
        "delayed-discharge": (5, 4, 2, 4, "Operational Group", "2016-02-25", 600_000, "Providers"),
        "longer-stays": (4, 3, 3, 3, "Operational Group", "2015-12-17", 0, ""),
        "in-reach": (3, 3, 2, 3, "Operational Group", "2016-03-31", 0, ""),
        "sharing-agreements": (3, 4, 2, 4, "", "2015-11-30", 0, ""),
        "data-quality": (3, 3, 2, 2, "Business analyst", "2016-04-30", 0, ""),
    },
    SYSTEM: {
        "stp-1": (4, 5, 4, 4, _SRO, "2017-11-16", 20_000_000, "NHS organisations"),
        "stp-2": (3, 4, 1, 4, _SRO, "2018-03-31", 0, ""),
        "stp-3": (4, 4, 4, 3, _SRO, "2017-11-16", 8_000_000, "The system"),
        "stp-4": (5, 4, 4, 4, "Urgent Care Delivery Board", "2017-11-16", 12_000_000, "University Hospitals of Leicester"),
        "stp-5": (4, 4, 4, 3, "LLR Workforce Delivery Group", "2017-12-14", 0, ""),
        "stp-6": (3, 5, 3, 4, _SRO, "2017-10-19", 0, ""),
        "stp-7": (5, 5, 5, 4, "Estates Group", "2017-11-16", 0, ""),
        "finance-1": (5, 5, 5, 4, "Estates Group", "2017-11-16", 25_600_000, "University Hospitals of Leicester"),
        "finance-2": (4, 5, 4, 4, _OFFICE, "2017-11-16", 30_000_000, "Providers"),
        "finance-3": (4, 4, 4, 4, _SRO, "2018-01-18", 66_000_000, "The system"),
        "stf-timing": (4, 4, 4, 3, _SRO, "2018-01-18", 0, ""),
        "new-models": (4, 4, 3, 4, "Integrated Teams Board", "2017-12-14", 0, ""),
        "acute-demand": (4, 5, 4, 4, "Urgent Care Delivery Board", "2017-12-14", 0, ""),
        "acute-capital": (5, 5, 4, 5, "Estates Group", "2017-11-16", 0, ""),
        "community-consultation": (3, 4, 3, 3, _SRO, "2018-03-31", 0, ""),
        "community-capital": (4, 3, 4, 3, "Estates Group", "2018-01-18", 0, ""),
        "hinckley-consultation": (3, 3, 3, 2, "Planned care workstream", "2018-03-31", 0, ""),
        "hinckley-mobilisation": (3, 3, 2, 3, "Planned care workstream", "2017-09-30", 0, ""),
        "hinckley-capital": (3, 4, 3, 3, "Estates Group", "2018-01-18", 0, ""),
        "oakham-relocation": (3, 3, 3, 3, "Estates Group", "2018-03-31", 0, ""),
        "oakham-tariff": (2, 3, 2, 2, "Planned care workstream", "2018-03-31", 400_000, "Commissioning groups"),
        "epr-concurrent": (3, 4, 2, 4, "Information Management and Technology Group", "2017-12-14", 0, ""),
        "epr-funding": (5, 4, 4, 4, "Information Management and Technology Group", "2017-11-16", 0, ""),
    },
}  # fmt: skip

# --- meetings, actions, decisions, questions ------------------------------------------------------------------------------


def _meetings(body: str, short: str, *days: tuple[str, str, str]) -> list[dict[str, Any]]:
    return [
        {"id": f"{short}-{day}", "body": body, "on": date.fromisoformat(day), "time": time, "status": status, "place": "County Hall, Glenfield"}
        for day, time, status in days
    ]  # fmt: skip


_ADDED: dict[str, list[tuple[type[Record], list[dict[str, Any]]]]] = {
    FUND: [
        (
            Meeting,
            _meetings("integration-executive", "ie", ("2015-03-26", "09:30", "held"), ("2015-04-23", "09:30", "held"), ("2015-08-27", "09:30", "held"), ("2015-10-22", "09:30", "held"), ("2015-12-17", "09:30", "held"), ("2016-02-25", "09:30", "planned"), ("2016-04-28", "09:30", "planned"))
            + _meetings("leicestershire-hwb", "hwb", ("2015-11-19", "14:00", "held"), ("2016-03-10", "14:00", "planned"), ("2016-05-12", "14:00", "planned")),
        ),
        (
            AgendaItem,
            [
                {"id": "ie-2015-10-22-admissions", "meeting": "ie-2015-10-22", "number": "5", "title": "Admissions: what the review of cases found", "report_of": "Director of Health and Care Integration", "about": ("exception:m4@2015-07-01",), "minute": "Weekend gaps at the older persons' unit explain about a third of the admissions that were not avoided."},
                {"id": "ie-2015-04-23-delays", "meeting": "ie-2015-04-23", "number": "6", "title": "Delayed transfers: a stage 2 for the single point of access", "report_of": "Operational Group", "about": ("exception:m3@2014-09-01",), "minute": "Two of three delays wait for a first contact; calls from wards go unanswered after four o'clock."},
                {"id": "ie-2016-02-25-payment", "meeting": "ie-2016-02-25", "number": "4", "title": "Pay for performance: the last quarter of 2015", "report_of": "Finance lead", "about": ("payment:2015/16 Q3",)},
                {"id": "ie-2016-02-25-number", "meeting": "ie-2016-02-25", "number": "6", "title": "NHS number in adult social care: recovery plan", "report_of": "Programme board for information management and technology", "about": ("milestone:nhs-number",)},
                {"id": "hwb-2016-03-10-report", "meeting": "hwb-2016-03-10", "number": "7", "title": "Better Care Fund: report of the year", "report_of": "Director of Health and Care Integration", "about": ("exception:m4@2015-07-01",)},
            ],
        ),
        (
            Action,
            [
                {"id": "ie-41-a", "minute": "41(a)", "body": "integration-executive", "agreed": date(2015, 8, 27), "due": date(2015, 10, 15), "officers": "Director of Health and Care Integration", "action": "Go through 200 admissions of older people, case by case, to see why crisis response, the assessment unit and the falls service did not prevent them", "comments": "Done with the hospital; report of 15 October.", "status": "done", "done_on": date(2015, 10, 15), "about": ("exception:m4@2015-07-01",)},
                {"id": "ie-36-b", "minute": "36(b)", "body": "integration-executive", "agreed": date(2015, 3, 26), "due": date(2015, 4, 16), "officers": "Operational Group", "action": "Find out what delayed transfers wait for, by ward and by hour, and propose what to change", "comments": "Done: first contact out of hours.", "status": "done", "done_on": date(2015, 4, 17), "about": ("exception:m3@2014-09-01",)},
                {"id": "ie-44-c", "minute": "44(c)", "body": "integration-executive", "agreed": date(2015, 10, 22), "due": date(2015, 12, 1), "officers": "Clinical lead for frailty", "action": "Open the older persons' assessment unit on Saturdays", "comments": "Opened on 5 December; use is being counted.", "status": "done", "done_on": date(2015, 12, 5), "about": ("decision:ie-44-b",)},
                {"id": "ie-47-a", "minute": "47(a)", "body": "integration-executive", "agreed": date(2015, 12, 17), "due": date(2016, 1, 22), "officers": "Finance lead / Operational Group", "action": "Forecast home care for the rest of the year and say what meets the overspend", "comments": "First figures in; the rule of the agreement is being applied.", "status": "amber", "about": ("scheme:hdr1", "scheme:iur1")},
                {"id": "ie-47-b", "minute": "47(b)", "body": "integration-executive", "agreed": date(2015, 12, 17), "due": date(2015, 12, 31), "officers": "Programme board for information management and technology", "action": "Recovery plan for the NHS number: who matches the remaining records, and by when", "comments": "Promised for the February meeting.", "status": "green", "about": ("milestone:nhs-number", "risk:sharing-agreements")},
                {"id": "ie-47-c", "minute": "47(c)", "body": "integration-executive", "agreed": date(2015, 12, 17), "due": date(2016, 2, 18), "officers": "Head of commissioning", "action": "Bid again for the two home care lots without a provider", "comments": "Notice published.", "status": "green", "about": ("milestone:htlah-contract",)},
                {"id": "hwb-212-b", "minute": "212(b)", "body": "leicestershire-hwb", "agreed": date(2015, 11, 19), "due": date(2016, 3, 10), "officers": "Director of Public Health", "action": "Say how many of the admissions after falls came from care homes", "comments": "", "status": "green", "about": ("question:falls-in-homes",)},
            ],
        ),
        (
            Decision,
            [
                {"id": "ie-44-a", "minute": "44(a)", "body": "integration-executive", "on": date(2015, 10, 22), "meeting": "ie-2015-10-22", "kind": "resolution", "decision": "The risk pool's part for the quarters that missed the trajectory goes to the commissioning groups, as the agreement says", "about": ("payment:2015/16 Q1", "payment:2015/16 Q2", "action:ie-41-a"), "consequence": "Released quarterly in arrears from the risk pool.", "status": "carried out"},
                {"id": "ie-44-b", "minute": "44(b)", "body": "integration-executive", "on": date(2015, 10, 22), "meeting": "ie-2015-10-22", "kind": "resolution", "decision": "Open the older persons' assessment unit on Saturdays until March, paid from the reserve", "about": ("action:ie-41-a",), "consequence": "GBP 90,000 from the reserve to the unit (IUR2).", "status": "carried out"},
                {"id": "ie-38-a", "minute": "38(a)", "body": "integration-executive", "on": date(2015, 4, 23), "meeting": "ie-2015-04-23", "kind": "resolution", "decision": "Start stage 2 of the single point of access, so that wards can call until ten at night, paid from the reserve", "about": ("action:ie-36-b",), "consequence": "GBP 90,000 from the reserve to the single point of access (HDR7).", "status": "carried out"},
                {"id": "reserve-next-year", "minute": "47(d)", "body": "integration-executive", "on": date(2015, 12, 17), "meeting": "ie-2015-12-17", "kind": "recommendation", "decision": "Carry what is left of the reserve into 2016/17 as a smaller risk pool", "about": ("risk:reserve-continues",), "consequence": "Each partner's budget for 2016/17 is set with it.", "status": "proposed", "awaits": ("elr-ccg-governing-body", "wl-ccg-governing-body", "leicestershire-cabinet")},
            ],
        ),
        (
            Declaration,
            [{"id": "ie-2015-10-22-care", "meeting": "ie-2015-10-22", "member": "A member for the districts", "interest": "A relative manages a home care company that may bid", "kind": "personal leading to bias", "item": "7", "withdrew": True}],
        ),
        (
            Question,
            [
                {"id": "weekend-cover", "body": "leicestershire-hwb", "function": "pace", "question": "Admissions have missed the trajectory for months. What will be different by March?", "about": ("exception:m4@2015-07-01",), "raised": date(2015, 11, 19), "raised_by": "A member of the Board", "to": "Director of Health and Care Integration", "due": date(2015, 12, 10), "answer": "The unit opens on Saturdays from December, and falls calls go to the crisis team first. About 25 admissions a month fewer are expected.", "answered": date(2015, 12, 8), "answered_by": "Director of Health and Care Integration", "status": "confirmed", "outcome": "The Board is content and looks at the figures again in March."},
                {"id": "nhs-number-when", "body": "leicestershire-hwb", "function": "readiness", "question": "The NHS number was to be in routine use a year ago. Who can say when teams will share records?", "about": ("milestone:nhs-number",), "raised": date(2015, 11, 19), "raised_by": "A member of the Board", "to": "Integration Executive", "due": date(2015, 12, 17), "answer": "By the end of May 2016, if practices sign the new agreements.", "answered": date(2015, 12, 17), "answered_by": "Integration Executive", "status": "escalated", "escalated_to": "Programme board for information management and technology", "outcome": "The Board doubts the date: practices have no duty to sign."},
                {"id": "falls-in-homes", "body": "leicestershire-hwb", "function": "needs", "question": "Admissions after falls are rising. Are they rising as much among people who live in care homes?", "about": ("rag:m6", "scheme:ltc3"), "raised": date(2015, 11, 19), "raised_by": "Healthwatch", "to": "Director of Public Health", "due": date(2016, 3, 1), "status": "open"},
                {"id": "home-care-money", "body": "integration-executive", "function": "readiness", "question": "What meets the overspend on home care if the underspends have gone to other things?", "about": ("scheme:hdr1", "risk:unmet-pressure"), "raised": date(2015, 12, 17), "raised_by": "Finance lead", "to": "Operational Group", "due": date(2016, 1, 22), "status": "open"},
            ],
        ),
    ],
    SYSTEM: [
        (
            Meeting,
            _meetings("slt", "slt", ("2017-09-21", "09:00", "held"), ("2017-10-19", "09:00", "held"), ("2017-11-16", "09:00", "planned"), ("2017-12-14", "09:00", "planned"))
            + _meetings("leicestershire-hwb", "hwb", ("2017-09-14", "14:00", "held"), ("2017-11-23", "14:00", "planned"), ("2018-01-18", "14:00", "planned"))
            + [
                {"id": "leicester-hwb-2017-12-04", "body": "leicester-hwb", "on": date(2017, 12, 4), "time": "14:30", "status": "planned", "place": "City Hall, Leicester"},
                {"id": "rutland-hwb-2017-12-05", "body": "rutland-hwb", "on": date(2017, 12, 5), "time": "14:00", "status": "planned", "place": "Catmose, Oakham"},
                {"id": "forum-2017-11-28", "body": "stakeholder-forum", "on": date(2017, 11, 28), "time": "13:00", "status": "planned", "place": ""},
            ],
        ),
        (
            AgendaItem,
            [
                {"id": "slt-2017-10-19-ae", "meeting": "slt-2017-10-19", "number": "4", "title": "A&E: four hours before winter", "report_of": "Urgent Care Delivery Board", "about": ("exception:ae-4h@2016-04-01",), "minute": "Flow out of the hospital is what limits it, more than attendances."},
                {"id": "slt-2017-11-16-consultation", "meeting": "slt-2017-11-16", "number": "5", "title": "Consultation: what assurance still asks for", "report_of": "Senior Responsible Officer for the STP", "about": ("milestone:consultation-provisional", "risk:stp-6")},
                {"id": "hwb-2017-11-23-teams", "meeting": "hwb-2017-11-23", "number": "6", "title": "Area of focus: integrated teams", "report_of": "Integrated Teams Board", "about": ("question:teams-staff",)},
                {"id": "rutland-2017-12-05-memorial", "meeting": "rutland-hwb-2017-12-05", "number": "5", "title": "Area of focus: Rutland Memorial", "report_of": "Senior Responsible Officer for the STP", "about": ("question:memorial-beds",)},
            ],
        ),
        (
            Action,
            [
                {"id": "slt-18-a", "minute": "18(a)", "body": "slt", "agreed": date(2017, 9, 21), "due": date(2017, 10, 12), "officers": "Urgent Care Delivery Board", "action": "Say what holds up patients who are ready to leave, ward by ward, and what changes before December", "comments": "Reported on 19 October.", "status": "done", "done_on": date(2017, 10, 12), "about": ("exception:ae-4h@2016-04-01",)},
                {"id": "slt-19-b", "minute": "19(b)", "body": "slt", "agreed": date(2017, 10, 19), "due": date(2017, 11, 10), "officers": "Senior Responsible Officer for the STP", "action": "Agree with NHS England what the pre-consultation business case still lacks", "comments": "First meeting held.", "status": "amber", "about": ("milestone:consultation-provisional", "risk:stp-6")},
                {"id": "slt-19-c", "minute": "19(c)", "body": "slt", "agreed": date(2017, 9, 21), "due": date(2017, 10, 6), "officers": "Information Management and Technology Group", "action": "Set out how the electronic record goes on without national capital", "comments": "", "status": "green", "about": ("milestone:epr-start", "risk:epr-funding")},
            ],
        ),
        (
            Decision,
            [
                {"id": "slt-20-a", "minute": "20(a)", "body": "slt", "on": date(2017, 10, 19), "meeting": "slt-2017-10-19", "kind": "recommendation", "decision": "Open 28 more beds for the winter, and use the system's risk pool for them", "about": ("action:slt-18-a",), "consequence": "Each organisation's winter budget; the plan has no pooled fund in its ledger.", "status": "proposed", "awaits": ("uhl-board", "lpt-board", "leicestershire-cabinet")},
                {"id": "slt-20-b", "minute": "20(b)", "body": "slt", "on": date(2017, 10, 19), "meeting": "slt-2017-10-19", "kind": "resolution", "decision": "Consultation starts no earlier than March 2018", "about": ("milestone:consultation-provisional",), "consequence": "Community and acute site changes follow it; see what the milestone delays.", "status": "agreed"},
            ],
        ),
        (
            Question,
            [
                {"id": "teams-staff", "body": "leicestershire-hwb", "focus": "leicestershire-teams", "function": "readiness", "question": "Are the people for the integrated teams in post in every locality before beds close?", "about": ("scheme:integrated-teams", "risk:stp-5"), "raised": date(2017, 9, 14), "raised_by": "A member of the Board", "to": "Integrated Teams Board", "due": date(2017, 11, 23), "status": "open"},
                {"id": "hospitals-capital", "body": "leicestershire-hwb", "focus": "leicestershire-hospitals", "function": "pace", "question": "What happens to the community wards if capital does not come when planned?", "about": ("risk:community-capital", "milestone:consultation-provisional"), "raised": date(2017, 9, 14), "raised_by": "A member of the Board", "to": "Senior Responsible Officer for the STP", "due": date(2017, 10, 12), "answer": "No ward closes before its replacement is open.", "answered": date(2017, 10, 10), "answered_by": "Senior Responsible Officer for the STP", "status": "answered"},
                {"id": "four-hours", "body": "leicester-hwb", "focus": "leicester-acute-sites", "function": "case for change", "question": "The four-hour standard is far below its trajectory. Why would two sites do better than three?", "about": ("exception:ae-4h@2016-04-01", "scheme:acute-reconfiguration"), "raised": date(2017, 9, 4), "raised_by": "A member of the Board", "to": "University Hospitals of Leicester", "due": date(2017, 10, 2), "answer": "Staff now spread over three sites would be together; the new emergency floor opened this year.", "answered": date(2017, 9, 29), "answered_by": "University Hospitals of Leicester", "status": "escalated", "escalated_to": "System Leadership Team", "outcome": "The Board asks for figures on staffing by hour."},
                {"id": "memorial-beds", "body": "rutland-hwb", "focus": "rutland-memorial", "function": "case for change", "question": "Where do people of Rutland go for a community bed when the ward moves to Melton?", "about": ("milestone:melton-ward", "scheme:community-hospitals"), "raised": date(2017, 9, 12), "raised_by": "Healthwatch", "to": "Senior Responsible Officer for the STP", "due": date(2017, 12, 5), "status": "open"},
                {"id": "rehabilitation-home", "body": "rutland-hwb", "focus": "rutland-rehabilitation", "function": "new model", "question": "How many virtual beds are there in Rutland, and how full are they?", "about": ("scheme:intensive-community-support",), "raised": date(2017, 6, 6), "raised_by": "A member of the Board", "to": "Leicestershire Partnership Trust", "due": date(2017, 7, 4), "answer": "Twelve, and nine in ten are used.", "answered": date(2017, 7, 3), "answered_by": "Leicestershire Partnership Trust", "status": "closed", "outcome": "Answered; looked at again in a year."},
            ],
        ),
    ],
}  # fmt: skip

_MOVED = [
    (date(2015, 10, 30), "scheme:iur2", 90_000_00, "decision:ie-44-b", "Saturdays at the older persons' unit until March."),
    (date(2015, 5, 29), "scheme:hdr7", 90_000_00, "decision:ie-38-a", "Stage 2 of the single point of access."),
]  # fmt: skip
"""Money that decisions moved: day, account from the reserve, pence, why."""

# --- what became of rows of the papers ------------------------------------------------------------------------------------

_ENDED: dict[str, dict[str, dict[str, Any]]] = {
    FUND: {"decisions:section-75-approval": {"status": "carried out", "awaits": ()}},
    SYSTEM: {
        "meetings:hwb-2016-12-06": {"status": "held"},
        "meetings:hwb-2017-01-05": {"status": "held"},
        "meetings:hwb-2017-06-01": {"status": "held"},
        "actions:254-e": {"status": "done", "done_on": date(2017, 6, 1), "comments": "Reported on 1 June 2017."},
        "actions:266-c": {"status": "done", "done_on": date(2017, 1, 5), "comments": "Reported in January 2017."},
        "actions:326-c": {"status": "done", "done_on": date(2017, 3, 16), "comments": "Reported in March 2017."},
        "actions:327-b": {"status": "done", "done_on": date(2016, 12, 6), "comments": "Held."},
        "actions:330-c": {"status": "done", "done_on": date(2017, 3, 16), "comments": "Reported in March 2017."},
        "decisions:role-1": {"status": "agreed", "awaits": ()},
        "decisions:role-2": {"status": "agreed", "awaits": ("rutland-hwb",)},
    },
}  # fmt: skip
