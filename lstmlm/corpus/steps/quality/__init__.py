"""Quality rules with their published thresholds, and the step that applies those a recipe lists."""
