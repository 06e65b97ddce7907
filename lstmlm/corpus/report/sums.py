"""Adds up the accounts of blocks in the pipeline; apart from the accounts, which are needed where Beam is not."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import apache_beam as beam

from lstmlm.corpus.report.summary import Account


class SumAccounts(beam.CombineFn):
    """Adds up accounts, next to the workers that give them."""

    def create_accumulator(self) -> Account:
        """See Beam."""
        return Account()

    def add_input(self, mutable_accumulator: Account, element: Account) -> Account:
        """See Beam."""
        mutable_accumulator.add(element)
        return mutable_accumulator

    def merge_accumulators(self, accumulators: Iterable[Account]) -> Account:
        """See Beam."""
        total = Account()
        for account in accumulators:
            total.add(account)
        return total

    def extract_output(self, accumulator: Account) -> dict[str, Any]:
        """Returns the account as JSON."""
        return dataclasses.asdict(accumulator)
