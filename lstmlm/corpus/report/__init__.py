"""The corpus report: counts of rows read, kept and dropped, with reasons, and the checks of the result."""
