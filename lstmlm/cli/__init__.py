"""The command line: `lstmlm ...`. TensorFlow, Beam, Ray and TFX are imported inside the command that needs them."""

from lstmlm.cli.app import main

__all__ = ["main"]
