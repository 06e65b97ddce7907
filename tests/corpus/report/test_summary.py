"""Accounts of blocks add up to the account of the corpus, in any order and grouping."""

from __future__ import annotations

import copy

from hypothesis import given, settings
from hypothesis import strategies as st

from lstmlm.corpus.report.summary import Account
from lstmlm.corpus.report.sums import SumAccounts

COUNTS = st.dictionaries(st.sampled_from("abc"), st.integers(1, 9), max_size=3)
NESTED = st.dictionaries(st.sampled_from("tv"), COUNTS, max_size=2)
LETTERS = st.tuples(st.integers(0, 3), st.integers(0, 99), st.fixed_dictionaries({"line": st.integers(1, 9)}))
ACCOUNTS = st.builds(
    Account, st.integers(0, 9), COUNTS, COUNTS, COUNTS, COUNTS, st.none() | LETTERS,
    NESTED, NESTED, st.integers(0, 4), st.integers(0, 4),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(ACCOUNTS, max_size=8))
def test_the_sum_does_not_depend_on_order_or_grouping(accounts: list[Account]) -> None:
    combine = SumAccounts()
    total = combine.create_accumulator()
    for account in copy.deepcopy(accounts):
        total = combine.add_input(total, account)
    groups = [combine.create_accumulator() for _ in range(3)]
    for number, account in enumerate(reversed(copy.deepcopy(accounts))):
        groups[number % 3] = combine.add_input(groups[number % 3], account)
    merged = combine.merge_accumulators(groups)
    places = [account.first_dead[:2] for account in accounts if account.first_dead is not None]
    for letter in (total.first_dead, merged.first_dead):
        assert (letter and letter[:2]) == min(places, default=None)
    total.first_dead = merged.first_dead = None
    assert combine.extract_output(merged) == combine.extract_output(total)
    assert total.lines == sum(account.lines for account in accounts)
    assert total.kept == {
        key: sum(account.kept.get(key, 0) for account in accounts) for account in accounts for key in account.kept
    }
