"""Names of the parameters of every component. Imports no TFX."""

STAGE, RECIPE, VERSION, FILES = "stage", "recipe", "version", "files"
"""The stage's name, its recipe, its code version, the fingerprint of the files that no stage made."""
