"""Where Beam pipelines run: in this process, in several, or on a cluster."""
