"""Operating-system processes: their environment, their signals, and children for parsers of foreign files."""
