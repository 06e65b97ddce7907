"""Jobs of a Ray cluster that others started: submitted through its job server, followed to their end."""
