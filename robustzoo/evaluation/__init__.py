"""Evaluation: a model, data and attacks make a `Report`."""

from robustzoo.evaluation.attack_loss import attack_loss
from robustzoo.evaluation.checks import check_model, check_results
from robustzoo.evaluation.evaluate import evaluate
from robustzoo.evaluation.findings import Finding
from robustzoo.evaluation.lower_precision import lower_precision
from robustzoo.evaluation.report import Report, Result, interval
from robustzoo.evaluation.suite import CASCADES, SUITES, standard_threat, suite

__all__ = [
    "CASCADES",
    "SUITES",
    "Finding",
    "Report",
    "Result",
    "attack_loss",
    "check_model",
    "check_results",
    "evaluate",
    "interval",
    "lower_precision",
    "standard_threat",
    "suite",
]
