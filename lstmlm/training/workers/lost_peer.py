"""The error of a sum over workers that one of them no longer takes part in."""

from __future__ import annotations


class LostPeer(RuntimeError):
    """A worker of the group has ended, or has been silent for too long."""
