"""What other programs see of a command that works: metrics for Prometheus, and events of OpenLineage."""
