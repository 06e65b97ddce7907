"""The metrics of this package for texts, a module each, which has the name of the metric and its `METRIC`."""
