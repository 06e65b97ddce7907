"""Labels of texts."""

from __future__ import annotations

from typing import Any

from lstmlm.api.kind import Fields, Kind, text_request
from lstmlm.api.outputs import Classified, LabelledSpan


def _classified(given: Any, fields: Fields) -> Classified:
    return Classified(
        source=given,
        label=fields.get("label"),
        confidence=fields.get("confidence"),
        labels=tuple(fields.get("labels", ())),
        probabilities=fields.get("probabilities", {}),
        spans=tuple(LabelledSpan(**span) for span in fields.get("spans", ())),
        cut=fields.get("cut", 0),
    )


KIND = Kind("texts", text_request, _classified)
