"""What a run will cost: rates measured by small runs of the real stages, and what they come to for a whole corpus."""
