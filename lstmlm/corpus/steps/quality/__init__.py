"""Quality rules with their published thresholds, and the step that applies those a recipe lists."""

from lstmlm.corpus.steps.quality.step import Quality, RuleSet

__all__ = ["Quality", "RuleSet"]
