"""Training metrics: measured, logged, plotted and sent to trackers."""
