"""The task interface: records, examples, model, metrics and predictions.

Nothing else knows the list of tasks: `load_task` finds the one that the recipe names. A task of text to text starts
from `lstmlm.bases.text`; one whose model predicts in one pass (labels, spans, frames) from `lstmlm.bases.one_pass`.
"""

from lstmlm.task.columns import request_text, text_of
from lstmlm.task.find import load_task, stored_task, task_names
from lstmlm.task.share import WHOLE, Share
from lstmlm.task.task import Task
from lstmlm.task.values import (
    BadRecord,
    Better,
    BlankRecord,
    Feature,
    MetricProbe,
    OutputColumn,
    Prediction,
    Predictor,
)

__all__ = [
    "WHOLE",
    "BadRecord",
    "Better",
    "BlankRecord",
    "Feature",
    "MetricProbe",
    "OutputColumn",
    "Prediction",
    "Predictor",
    "Share",
    "Task",
    "load_task",
    "request_text",
    "stored_task",
    "task_names",
    "text_of",
]
