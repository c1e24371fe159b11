"""Whatever is done to the store in whatever order, it is what a dictionary would be, now and at every moment before."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from bettercare.assurance.metrics import MetricRules
from bettercare.store import Conflict, Missing, Store

PLANS = st.sampled_from(["p", "q"])
IDS = st.sampled_from(["m1", "M1"])
FIELDS = st.fixed_dictionaries(
    {
        "preset": st.text(st.characters(exclude_categories=["C"]), max_size=5).map(str.strip),
        "rebase": st.lists(st.dates(), max_size=2).map(tuple),
        "fix_after": st.none() | st.integers(3, 2**63 - 1),
        "amber": st.none() | st.decimals(0, 10**20, allow_nan=False, places=3),
        "synthetic": st.booleans(),
    }
)

MADE: list[bytes] = []

Rows = dict[tuple[str, str], MetricRules]


class StoreAsDictionary(RuleBasedStateMachine):
    """Adds, replaces and removes rows of two plans, several in one change, sometimes from a version that is no longer there."""

    seen = Bundle("seen")

    @initialize()
    def open(self) -> None:
        self.folder = TemporaryDirectory()
        # Made once and copied: making a store's tables is not what is tried here.
        if not MADE:
            Store.open(Path(self.folder.name) / "made.db").close()
            MADE.append((Path(self.folder.name) / "made.db").read_bytes())
        (Path(self.folder.name) / "x.db").write_bytes(MADE[0])
        self.store = Store.open(Path(self.folder.name) / "x.db")
        self.rows: Rows = {}
        self.past: dict[int, Rows] = {0: {}}

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    @rule(target=seen, plan=PLANS, id=IDS, fields=FIELDS)
    def add(self, plan: str, id: str, fields: dict[str, object]) -> MetricRules:
        row = MetricRules.model_validate({"plan": plan, "id": id, **fields})
        try:
            with self.store.change("ann") as changing:
                row = changing.add(row)
        except Conflict:
            assert (plan, id) in self.rows
        else:
            assert (plan, id) not in self.rows
            self._now({**self.rows, (plan, id): row})
        return row

    @rule(target=seen, opened=seen, fields=FIELDS)
    def replace(self, opened: MetricRules, fields: dict[str, object]) -> MetricRules:
        try:
            with self.store.change("bob") as changing:
                new = changing.replace(opened.model_copy(update=fields))
        except (Conflict, Missing):
            assert self._stale(opened)
            return opened
        assert not self._stale(opened)
        assert new.version == opened.version + 1
        self._now({**self.rows, (new.plan, new.id): new})
        return new

    @rule(opened=seen)
    def remove(self, opened: MetricRules) -> None:
        try:
            with self.store.change("cat") as changing:
                changing.remove(opened)
        except (Conflict, Missing):
            assert self._stale(opened)
        else:
            assert not self._stale(opened)
            self._now({key: row for key, row in self.rows.items() if key != (opened.plan, opened.id)})

    @rule(target=seen, plan=PLANS, ids=st.lists(IDS, unique=True), fields=FIELDS)
    def add_several(self, plan: str, ids: list[str], fields: dict[str, object]) -> object:
        rows = [MetricRules.model_validate({"plan": plan, "id": id, **fields}) for id in ids]
        try:
            with self.store.change("dan") as changing:
                added = changing.add_all(rows)
        except Conflict:
            assert any((plan, id) in self.rows for id in ids)
            return multiple()
        if added:
            self._now({**self.rows, **{(row.plan, row.id): row for row in added}})
        return multiple(*added)

    @rule(opened=seen, plan=PLANS, id=IDS)
    def half_a_change(self, opened: MetricRules, plan: str, id: str) -> None:
        """Everything in a change that fails is as if it had not been."""
        with suppress(Conflict, Missing, ZeroDivisionError), self.store.change("eve") as changing:
            changing.replace(opened)
            changing.add(MetricRules(plan=plan, id=id))
            raise ZeroDivisionError

    @invariant()
    def the_store_is_the_dictionary(self) -> None:
        for plan in ("p", "q"):
            assert self.store.list(MetricRules, plan) == self._of(self.rows, plan)
        assert self.store.revision() == max(self.past)

    @rule()
    def the_past_is_what_it_was(self) -> None:
        for number, rows in self.past.items():
            for plan in ("p", "q"):
                assert self.store.as_of(MetricRules, plan, number) == self._of(rows, plan)
        assert self.store.check() == ()

    def _now(self, rows: Rows) -> None:
        self.rows = rows
        self.past[self.store.revision()] = rows

    def _stale(self, opened: MetricRules) -> bool:
        there = self.rows.get((opened.plan, opened.id))
        return there is None or there.version != opened.version

    def _of(self, rows: Rows, plan: str) -> tuple[MetricRules, ...]:
        return tuple(rows[key] for key in sorted(rows) if key[0] == plan)


TestStoreAsDictionary = StoreAsDictionary.TestCase
TestStoreAsDictionary.settings = settings(max_examples=30, stateful_step_count=40)
