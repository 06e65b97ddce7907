"""Parts for Beam pipelines of your own: see docs/python.md. `lstmlm infer` is a whole job of them."""

from lstmlm.beam.clean import CleanRows
from lstmlm.beam.handler import ExportHandler
from lstmlm.beam.predict import Predict

__all__ = ["CleanRows", "ExportHandler", "Predict"]
