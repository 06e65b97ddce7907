"""What a failed command answers: one line, an exit code, and a report for schedulers."""
