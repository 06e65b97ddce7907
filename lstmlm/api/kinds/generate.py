"""A language model continues texts."""

from lstmlm.api.kind import TEXTS

KIND = TEXTS
