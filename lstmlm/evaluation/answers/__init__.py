"""How good answers are, and how good those of a method that learns nothing are."""
