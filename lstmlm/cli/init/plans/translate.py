"""Translations: an output about as long as the input."""

from lstmlm.cli.init.pairs import pair_plan

PLAN = pair_plan(shorter=1, alike=2)
