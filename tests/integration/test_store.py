"""What the store promises, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from pydantic import ValidationError

from bettercare.access.tokens import ApiToken
from bettercare.access.users import User
from bettercare.assurance.metrics import Actual, MetricRules
from bettercare.assurance.risks import Risk
from bettercare.errors import BettercareError
from bettercare.reports.published import Published
from bettercare.store import Conflict, Missing, Record, Store

SUMMER = timezone(timedelta(hours=1))
ACTUAL = Actual(
    plan="p", id="m1@2015-04-01#1", metric="m1", period=date(2015, 4, 1), value=Decimal("12.50"), source="s"
)
RISK = Risk(plan="p", id="r1", risk="A risk")

REPORT = Published(
    plan="p", id="monthly-2016-01", kind="monthly", period=date(2016, 1, 1), title="January", data_date=date(2016, 1, 31), rules_version="1",
    revision=1, published_by="ann", published_at=datetime(2016, 2, 1, tzinfo=UTC), facts={"a": [1, 2.5, None, "x"]}, sha256="0" * 64,
    html=b"<p>", pdf=bytes(range(256)), xlsx=b"", html_sha256="1" * 64, pdf_sha256="2" * 64, xlsx_sha256="3" * 64,
)  # fmt: skip


def _add(store: Store, *records: Record, by: str = "ann", why: str = "") -> None:
    with store.change(by, why) as changing:
        for record in records:
            changing.add(record)


def _replace(store: Store, record: Record, by: str = "ann", **fields: object) -> None:
    with store.change(by) as changing:
        changing.replace(record.model_copy(update=fields))


def test_every_type_of_field_is_read_as_it_was_written(store: Store) -> None:
    rows: list[Record] = [
        ACTUAL.model_copy(update={"numerator": Decimal("-0.000000000000000000001"), "denominator": Decimal("1e20")}),
        MetricRules(plan="p", id="m1", rebase=(date(2015, 4, 1), date(2016, 4, 1)), fix_after=12, amber=Decimal("2.50")),
        RISK.model_copy(update={"pence": 2**63 - 1, "risk": "£ – ‘quoted’, Straße, 中文, 😀\nsecond line", "synthetic": True}),
        ApiToken(
            id="t", user="u", name="n", made=datetime(2016, 7, 1, 12, 0, 0, 123456, SUMMER), expires=datetime(2017, 1, 1, tzinfo=UTC)
        ),
    ]  # fmt: skip
    _add(store, *rows)
    for row in rows:
        kind = type(row)
        read = store.read(kind, row.plan, row.id)
        assert read == row.model_copy(update={"version": 1})
        assert store.list(kind, row.plan) == (read,)
        assert kind.model_validate(read.__dict__) == read, "each value has the type that validation would give it"
        assert store.as_of(kind, row.plan, store.revision()) == (read,)
    assert str(store.read(Actual, "p", ACTUAL.id).value) == "12.50"
    assert str(store.read(Actual, "p", ACTUAL.id).denominator) == "100000000000000000000"
    made = store.read(ApiToken, "", "t").made
    assert made.utcoffset() == timedelta(0)
    assert store.history(Risk, "p", "r1")[0].at.utcoffset() == timedelta(0)


def test_text_is_kept_as_text_whatever_it_says(store: Store) -> None:
    for number, text in enumerate(
        ["'; DROP TABLE risks; --", "%s %(x)s :x {x}", "null", "0x00", '{"a": 1}', "a\\b\tc"]
    ):
        _add(store, RISK.model_copy(update={"id": f"'{number}\"%", "risk": text}))
        assert store.read(Risk, "p", f"'{number}\"%").risk == text


@pytest.mark.parametrize(
    "fields",
    [{"risk": "nul\0"}, {"risk": "bell\7"}, {"risk": "\ud800"}, {"pence": 2**63}, {"id": "x" * 121}, {"mitigation": "esc\x1b[0m"}],
)  # fmt: skip
def test_what_one_database_could_not_hold_is_refused_by_the_record(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Risk.model_validate({"risk": "A risk", **fields})


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e100", "1e-100", "9" * 61])
def test_a_decimal_number_is_finite_and_of_few_digits(value: str) -> None:
    with pytest.raises(ValidationError):
        Actual.model_validate({**ACTUAL.__dict__, "value": Decimal(value)})


def test_a_moment_says_its_time_zone() -> None:
    now = datetime.now(UTC)
    with pytest.raises(ValidationError, match="time zone"):
        ApiToken(user="u", name="n", made=now.replace(tzinfo=None), expires=now)


def test_a_row_without_a_reference_is_given_one(store: Store) -> None:
    with store.change("ann") as changing:
        one, two = (changing.add(Risk(plan="p", risk="x")) for _ in range(2))
    assert one.id
    assert two.id
    assert one.id != two.id
    assert one.version == 1


def test_a_reference_is_taken_once_in_a_plan(store: Store) -> None:
    _add(store, RISK)
    _add(store, RISK.model_copy(update={"plan": "another"}))
    with pytest.raises(Conflict, match=r"'r1' is already in risks; ann wrote it on .* Give it another reference"):
        _add(store, RISK, by="bob")
    with pytest.raises(Conflict, match="already"), store.change("bob") as changing:
        changing.add_all([RISK.model_copy(update={"id": id}) for id in ("r2", "r3", "r1")])
    with pytest.raises(Conflict, match="already"), store.change("bob") as changing:
        changing.add_all([RISK.model_copy(update={"id": id}) for id in ("r2", "r2")])
    assert [risk.id for risk in store.list(Risk, "p")] == ["r1"]


def test_rows_added_together_are_like_rows_added_one_by_one(store: Store) -> None:
    with store.change("ann", "import") as changing:
        added = changing.add_all(RISK.model_copy(update={"id": f"r{number:03d}"}) for number in range(300))
        assert changing.add_all([]) == ()
    assert store.list(Risk, "p") == added
    assert [change.why for change in store.history(Risk, "p", "r299")] == ["import"]
    assert store.check() == ()


def test_a_stale_change_is_refused_and_says_who_when_and_what(store: Store) -> None:
    _add(store, RISK)
    opened = store.read(Risk, "p", "r1")
    _replace(store, opened, by="bob", owner="Bob", likelihood=4)
    _replace(store, store.read(Risk, "p", "r1"), by="cat", impact=5)
    with pytest.raises(Conflict) as refused:
        _replace(store, opened, by="dan", owner="Dan")
    last = store.history(Risk, "p", "r1")[-1]
    assert str(refused.value) == (
        f"cat changed 'r1' at {last.at:%H:%M} UTC on {last.at.day} {last.at:%B %Y}, after you opened it, so your change was not saved. "
        "What differs from what you opened: Likelihood, Impact, Owner. Read what is there now and make your change again."
    )
    assert refused.value.fields == {"likelihood": (None, 4), "impact": (None, 5), "owner": ("", "Bob")}
    assert refused.value.change == last
    with pytest.raises(Conflict), store.change("dan") as changing:
        changing.remove(opened)
    assert store.read(Risk, "p", "r1").owner == "Bob"


def test_what_was_removed_cannot_be_changed_and_its_reference_can_be_used_again(store: Store) -> None:
    _add(store, RISK)
    opened = store.read(Risk, "p", "r1")
    with store.change("bob") as changing:
        changing.remove(opened)
    assert store.find(Risk, "p", "r1") is None
    with pytest.raises(Missing, match="There is no 'r1' in risks"):
        store.read(Risk, "p", "r1")
    with pytest.raises(Conflict, match="bob removed 'r1'"):
        _replace(store, opened, owner="Ann")
    _add(store, RISK.model_copy(update={"risk": "Another risk"}), by="cat")
    with pytest.raises(Conflict, match="cat changed 'r1'"):
        _replace(store, opened, owner="Ann")
    assert [change.action for change in store.history(Risk, "p", "r1")] == ["add", "remove", "add"]
    assert store.check() == ()


def test_a_row_that_never_was_is_missing(store: Store) -> None:
    with pytest.raises(Missing):
        _replace(store, RISK, owner="Ann")
    with pytest.raises(Missing), store.change("ann") as changing:
        changing.remove(RISK)


def test_some_kinds_are_only_ever_added_to(store: Store) -> None:
    _add(store, ACTUAL)
    stored = store.read(Actual, "p", ACTUAL.id)
    with pytest.raises(BettercareError, match=r"A row of actuals is never changed\. Add a correction\."):
        _replace(store, stored, note="x")
    with pytest.raises(BettercareError, match="never removed"), store.change("ann") as changing:
        changing.remove(stored)


def test_everything_in_a_change_is_stored_or_nothing(store: Store) -> None:
    _add(store, RISK)
    with pytest.raises(ZeroDivisionError), store.change("ann") as changing:  # noqa: PT012
        changing.add(RISK.model_copy(update={"id": "r2"}))
        changing.replace(store.read(Risk, "p", "r1").model_copy(update={"owner": "Ann"}))
        _ = 1 / 0
    assert [risk.version for risk in store.list(Risk, "p")] == [1]
    assert len(store.changes("p")) == 1


def test_a_change_reads_what_it_has_written_and_others_do_not(store: Store) -> None:
    seen: list[int] = []
    with store.change("ann") as changing:
        changing.add(RISK)
        other = threading.Thread(target=lambda: seen.append(len(store.list(Risk, "p"))))
        other.start()
        other.join()
        seen.append(len(store.list(Risk, "p")))
        with pytest.raises(RuntimeError, match="being made already"), store.change("ann"):
            pass
    assert seen == [0, 1]


def test_rows_are_listed_by_reference_and_by_what_their_columns_equal(store: Store) -> None:
    for id in ("b", "a-2", "a1", "B", "a 1", "é"):
        _add(store, RISK.model_copy(update={"id": id, "level": "project" if id == "b" else "programme"}))
    assert [risk.id for risk in store.list(Risk, "p")] == sorted(["b", "a-2", "a1", "B", "a 1", "é"])
    assert [risk.id for risk in store.list(Risk, "p", level="project", status="open")] == ["b"]
    assert store.list(Risk, "p", level="project", status="closed") == ()
    assert store.list(Risk, "another") == ()
    assert [risk.id for risk in store.last(Risk, "p", 2, level="project")] == ["b"]


def test_the_history_says_who_when_why_and_what(store: Store) -> None:
    before = datetime.now(UTC)
    _add(store, RISK, by="ann", why="First look")
    _replace(store, store.read(Risk, "p", "r1"), by="bob", owner="Bob")
    with store.change("cat", "No longer a risk") as changing:
        changing.remove(store.read(Risk, "p", "r1"))
    added, replaced, removed = store.history(Risk, "p", "r1")
    assert [(change.by, change.why, change.action, change.version) for change in (added, replaced, removed)] == [
        ("ann", "First look", "add", 1), ("bob", "", "replace", 2), ("cat", "No longer a risk", "remove", 2),
    ]  # fmt: skip
    assert before <= added.at <= replaced.at <= removed.at <= datetime.now(UTC)
    assert added.fields()["risk"] == (None, "A risk")
    assert replaced.fields(added) == {"owner": ("", "Bob")}
    assert removed.fields(replaced)["owner"] == ("Bob", None)


def test_changes_are_read_on_from_any_of_them(store: Store) -> None:
    for number in range(5):
        _add(store, RISK.model_copy(update={"id": f"r{number}"}), by="ann" if number % 2 else "bob")
    _add(store, RISK.model_copy(update={"plan": "another"}))
    numbers = [change.number for change in store.changes("p")]
    assert numbers == sorted(numbers)
    assert len(numbers) == 5
    assert [change.number for change in store.changes("p", after=numbers[2])] == numbers[3:]
    assert [change.number for change in store.changes("p", limit=2, newest=True)] == numbers[:2:-1]
    assert [change.id for change in store.changes("p", by="ann", kind="risks")] == ["r1", "r3"]
    assert store.revision("p") == numbers[-1]
    assert store.revision() == numbers[-1] + 1
    assert store.revision("none") == 0
    last = store.last_change("p")
    assert last is not None
    assert last.id == "r4"
    assert store.last_change("none") is None


def test_rows_say_who_wrote_them_last(store: Store) -> None:
    _add(store, RISK, RISK.model_copy(update={"id": "r2"}))
    _replace(store, store.read(Risk, "p", "r1"), by="bob", owner="Bob")
    assert {id: change.by for id, change in store.written(Risk, "p").items()} == {"r1": "bob", "r2": "ann"}


def test_rows_are_rebuilt_as_they_were(store: Store) -> None:
    states: list[tuple[int, tuple[Risk, ...]]] = [(0, ())]

    def note() -> None:
        states.append((store.revision("p"), store.list(Risk, "p")))

    _add(store, RISK, RISK.model_copy(update={"id": "r2"}))
    note()
    _replace(store, store.read(Risk, "p", "r1"), owner="Bob", review=date(2016, 1, 31), likelihood=3)
    note()
    with store.change("cat") as changing:
        changing.remove(store.read(Risk, "p", "r2"))
    note()
    _add(store, RISK.model_copy(update={"id": "r2", "risk": "Again"}))
    note()
    for number, rows in states:
        assert store.as_of(Risk, "p", number) == rows
    assert store.as_of(Risk, "p", 10**9) == states[-1][1]


def test_rows_that_are_only_added_are_rebuilt_whole(store: Store) -> None:
    _add(store, REPORT)
    first = store.revision("p")
    _add(store, REPORT.model_copy(update={"id": "monthly-2016-02"}))
    [then] = store.as_of(Published, "p", first)
    assert then == store.read(Published, "p", REPORT.id)
    assert then.pdf == REPORT.pdf
    assert "pdf" not in store.history(Published, "p", then.id)[0].row


@pytest.mark.parametrize("facts", [{"a": float("nan")}, {"a": {"b": [1, float("inf")]}}, {"a": ["bell\7"]}, {"\0": 1}])
def test_facts_hold_only_what_can_be_kept(facts: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=r"finite|control"):
        Published.model_validate({**REPORT.__dict__, "facts": facts})


def test_secrets_are_in_the_row_and_nowhere_else(store: Store) -> None:
    _add(store, User(id="ann", name="Ann", password_hash="the hash"))
    _replace(store, store.read(User, "", "ann"), name="Anne")
    user = store.read(User, "", "ann")
    assert user.password_hash == "the hash"
    assert "the hash" not in f"{user!r} {user.model_dump()} {user.model_dump_json()} {store.changes('')}"
    assert store.as_of(User, "", 10**9)[0].password_hash == ""


def test_a_check_finds_rows_that_something_else_has_written(store: Store) -> None:
    _add(store, RISK, RISK.model_copy(update={"id": "r2"}), RISK.model_copy(update={"id": "r3"}))
    assert store.check() == ()
    with store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE risks SET owner = 'Somebody' WHERE id = 'r1'")
        connection.exec_driver_sql("DELETE FROM risks WHERE id = 'r2'")
        connection.exec_driver_sql("DELETE FROM changes WHERE id = 'r3'")
    assert [(fault.where, fault.what) for fault in store.check()] == [
        ("risks, p/r1", "The row is not as its last change left it: owner."),
        ("risks, p/r2", "The history has this row and its register does not."),
        ("risks, p/r3", "The register has this row and the history does not."),
    ]


def test_numbers_of_changes_are_in_the_order_of_their_commits(new_store: Callable[[], Store]) -> None:
    store = new_store()
    began, go = threading.Event(), threading.Event()

    def slow() -> None:
        with store.change("slow") as changing:
            changing.add(RISK)
            began.set()
            go.wait(timeout=30)

    first = threading.Thread(target=slow)
    first.start()
    assert began.wait(timeout=30)
    second = threading.Thread(target=lambda: _add(store, RISK.model_copy(update={"id": "r2"}), by="quick"))
    second.start()
    second.join(timeout=0.1)
    assert store.revision("p") == 0, "nobody sees a number while a smaller one is still to come"
    go.set()
    first.join()
    second.join()
    assert [change.by for change in store.changes("p")] == ["slow", "quick"]
