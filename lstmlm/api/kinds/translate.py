"""A translation of texts."""

from lstmlm.api.kind import TEXTS

KIND = TEXTS
