"""Evaluation: a model, data and attacks make a `Report`."""

from robustzoo.evaluation.evaluate import evaluate
from robustzoo.evaluation.report import Report, Result
from robustzoo.evaluation.suite import standard_threat, suite
from robustzoo.evaluation.survivors import survivors

__all__ = ["Report", "Result", "evaluate", "standard_threat", "suite", "survivors"]
