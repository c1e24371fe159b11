"""The promise: one chain from the trajectory to the money, walked both ways from anywhere in it."""

from itertools import pairwise

import pytest

from bettercare.assurance import Assessment, assess
from bettercare.assurance.chain import Chain
from bettercare.demo import fill
from bettercare.plan import Plan
from bettercare.store import Store

THE_CHAIN = ("trajectory", "signal", "rag", "exception", "action", "decision", "entry")


@pytest.fixture(scope="module")
def fund(tmp_path_factory: pytest.TempPathFactory) -> Assessment:
    store = Store.open(tmp_path_factory.mktemp("chain") / "demo.db")
    fill(store)
    return assess(store, Plan.read("leicestershire-bcf-2014"))


def _refs(chain: Chain) -> set[str]:
    return {link.ref for link in (*chain.before, chain.here, *chain.after)}


def _full(fund: Assessment, metric: str) -> list[list[str]]:
    """Every way from a metric's trajectory to the ledger, with a thing of each kind in order."""
    ways = [[f"trajectory:{metric}"]]
    for kind in THE_CHAIN[1:]:
        ways = [[*way, ref] for way in ways for ref in fund.web.after.get(way[-1], ()) if ref.startswith(f"{kind}:")]
    return ways


@pytest.mark.parametrize("metric", ["m3", "m4"])
def test_the_whole_chain_is_there(fund: Assessment, metric: str):
    assert _full(fund, metric)


@pytest.mark.parametrize("metric", ["m3", "m4"])
def test_from_each_thing_in_it_both_ends_are_reached(fund: Assessment, metric: str):
    for way in _full(fund, metric):
        for place, ref in enumerate(way):
            chain = fund.chain(ref)
            assert {link.ref for link in chain.before} >= set(way[:place])
            assert {link.ref for link in chain.after} >= set(way[place + 1 :])
            for step in pairwise(way):
                assert step in chain.edges


def test_the_price_of_admissions_follows_from_their_trajectory(fund: Assessment):
    ways = [
        (payment, entry)
        for payment in fund.web.after["trajectory:m4"]
        if payment.startswith("payment:")
        for entry in fund.web.after.get(payment, ())
        if entry.startswith("entry:")
    ]
    assert ways
    for payment, entry in ways:
        assert {"trajectory:m4", payment} <= {link.ref for link in fund.chain(entry).before}


def test_before_and_after_are_each_others_mirror(fund: Assessment):
    links = list(fund.web.links)
    chains = {ref: fund.chain(ref) for ref in links}
    for ref, chain in chains.items():
        for link in chain.after:
            assert ref in {one.ref for one in chains[link.ref].before}


def test_the_same_each_time_and_every_edge_within_the_chain(fund: Assessment):
    for ref in fund.web.links:
        chain = fund.chain(ref)
        assert chain == fund.chain(ref)
        inside = _refs(chain)
        assert all(one in inside and other in inside for one, other in chain.edges)
        assert len(set(chain.edges)) == len(chain.edges)
        assert len({link.ref for link in chain.before}) == len(chain.before)


def test_every_link_can_be_read(fund: Assessment):
    for link in fund.web.links.values():
        assert link.title
        assert link.status
        assert link.kind == link.ref.partition(":")[0]
