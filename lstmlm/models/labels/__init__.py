"""Models that give labels: to a text, or to each of its words."""
