"""The TFX pipeline of a recipe, and its runners."""
