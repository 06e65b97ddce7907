"""Summaries: an output much shorter than the input."""

from lstmlm.cli.init.pairs import pair_plan

PLAN = pair_plan(shorter=2, alike=1)
