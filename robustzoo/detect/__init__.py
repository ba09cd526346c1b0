"""Detectors: they accept or reject an input by a score, high for what looks like clean data."""

from robustzoo.detect._file import DETECTORS
from robustzoo.detect.abstain import abstain
from robustzoo.detect.abstaining import abstaining
from robustzoo.detect.abstains import abstains
from robustzoo.detect.base import Detector
from robustzoo.detect.confidence import Confidence
from robustzoo.detect.embedding import embedding
from robustzoo.detect.evasion import evasion
from robustzoo.detect.kernel_density import KernelDensity
from robustzoo.detect.lid import LID
from robustzoo.detect.load import load
from robustzoo.detect.non_maximal_entropy import NonMaximalEntropy
from robustzoo.detect.pairs import pairs
from robustzoo.detect.roc import ROC, roc
from robustzoo.detect.save import save
from robustzoo.detect.threshold import threshold

__all__ = [
    "DETECTORS",
    "LID",
    "ROC",
    "Confidence",
    "Detector",
    "KernelDensity",
    "NonMaximalEntropy",
    "abstain",
    "abstaining",
    "abstains",
    "embedding",
    "evasion",
    "load",
    "pairs",
    "roc",
    "save",
    "threshold",
]
