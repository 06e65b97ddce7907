"""Beam runners: in this process, in several local processes, or on a cluster."""
