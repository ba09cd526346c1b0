"""What `save` and `load` of detectors agree on."""

from robustzoo.detect.confidence import Confidence
from robustzoo.detect.kernel_density import KernelDensity
from robustzoo.detect.lid import LID
from robustzoo.detect.non_maximal_entropy import NonMaximalEntropy

DETECTORS = {c.__name__: c for c in (Confidence, KernelDensity, LID, NonMaximalEntropy)}
CONFIG, ARRAYS = "detector.json", "arrays.npz"
