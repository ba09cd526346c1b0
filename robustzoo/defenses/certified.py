"""What the defenses that train on bounds share."""

import keras
from keras import ops

from robustzoo.certification.arrays import FLOAT32
from robustzoo.certification.graph import Graph
from robustzoo.certification.intervals import interval_bounds
from robustzoo.certification.margin_bounds import margin_bounds
from robustzoo.certification.region import Region
from robustzoo.check_number import check_number
from robustzoo.defenses._linf import check_linf
from robustzoo.defenses._shi import initialize, regularizer
from robustzoo.defenses.base import Defense
from robustzoo.losses import cross_entropy
from robustzoo.threats import Linf

TIE = 1e-30


class Certified(Defense):
    """(1 - w) CE(f(x), y) + w CE(v, y), where v are worst-case logits: 0 and z_j - z_y at most.

    Subclasses write `worst_logits`. eps and w grow linearly from 0 over `warmup_steps`. The
    `robust_accuracy` of `evaluate` is the share of images whose margins the better of IBP and
    CROWN-IBP bounds above 0, at full eps and in float32: `certify` makes certificates. With a
    `validation_attack` it is the accuracy under that. In `fit` it is the share of images with v on
    the right side, at the eps of the step and by the statistics of the batch: BatchNormalization
    takes those of the clean batch for the bounds, too; Dropout is left out of them.

    What a net has not learned while eps is small it hardly learns later: let the learning rate be
    at its peak from the first steps on.

    Args:
        classifier: any that `robustzoo.certify` takes.
        threat: `Linf`, which `evaluate` judges at; pixels stay in [0, 1].
        inflation: eps in training as a multiple of that of `threat`.
        weight: w in [0, 1], at the end.
        initialization: draws every kernel anew, of standard deviation sqrt(2 pi) / fan-in, biases 0
            (Shi et al., 2021, arXiv:2103.17268): intervals then neither grow nor vanish with depth.
            The values do vanish: seven layers without BatchNormalization did not learn.
        regularization: of the same paper, which keeps them so while eps grows: this, times 1 - the
            share of eps, times the sum of both their terms. Published: 0.5.
    """

    attacked = False

    def __init__(
        self,
        classifier: keras.Model,
        *,
        threat: Linf,
        inflation: float = 1.0,
        weight: float = 1.0,
        initialization: bool = False,
        regularization: float = 0.0,
        **options,
    ):
        check_linf(threat)
        if options.get("criterion", cross_entropy) is not cross_entropy:
            # Bounds are of differences of logits, so the loss may look at nothing else.
            raise ValueError(f"criterion must be cross_entropy. Received: {options['criterion']}")
        check_number("inflation", inflation, "> 0")
        check_number("weight", weight, "in [0, 1]")
        check_number("regularization", regularization, ">= 0")
        if regularization and not options.get("warmup_steps"):
            raise ValueError(
                "regularization ends with the warm-up: it needs warmup_steps. "
                f"Received: {regularization}, warmup_steps={options.get('warmup_steps', 0)}"
            )
        if initialization:
            initialize(classifier, options.get("seed", 0))
        super().__init__(classifier, **options)
        self.validation_attack = options.get("validation_attack")
        self.threat, self.eps = threat, threat.eps * inflation
        self.weight, self.regularization = weight, regularization
        self.graph = Graph(classifier)
        if regularization and not self.graph.bent:
            raise ValueError(
                "regularization is of nodes before a ReLU, and the classifier has none. "
                f"Received: {regularization}"
            )
        self.judged = self.graph if self.averaged is None else Graph(self.averaged)

    def worst_logits(self, weights, x, x_adv, y, share):
        """v (B, L) at `share` of eps, and bounds of all nodes; `weights` are those of `graph`."""
        raise NotImplementedError(f"{type(self).__name__} must write worst_logits")

    def objective(self, x, x_adv, y):
        share, y = self.warmup(), ops.cast(y, "int32")  # `fit` may bring int64, bounds count so
        clean = ops.cast(self.classifier(x, training=True), FLOAT32.dtype)  # as the bounds
        weights = self.graph.read_batch(FLOAT32, x)
        worst, boxes = self.worst_logits(weights, x, x_adv, y, share)
        robust, weight = self.robust_losses(weights, worst, x_adv, y), self.weight * share
        losses = (1.0 - weight) * self.criterion(y, clean) + weight * robust
        if self.regularization:
            penalty = regularizer(self.graph, boxes)
            losses = losses + self.regularization * (1.0 - share) * penalty
        return losses, clean, worst

    def robust_losses(self, weights, worst, x_adv, y):
        """CE(v, y), (B,)."""
        return self.criterion(y, worst)

    def judge(self, x, y):
        """As in `Defense`; without an attack the worst-case logits, the true one a bit below 0."""
        if self.validation_attack is not None:
            return super().judge(x, y)
        y = ops.cast(y, "int32")
        weights, region = self.judged.read(FLOAT32), self.region(x, self.threat.eps)
        worst = self.judged_logits(weights, region, y)
        # A margin of 0 proves nothing, but the metric might count a tie.
        return worst - TIE * ops.one_hot(y, worst.shape[-1], dtype="float32")

    def judged_logits(self, weights, region, y):
        """Worst-case logits that `judge` believes: a bound, of the graph `judged`."""
        return ops.minimum(*self.crown_ibp_logits(self.judged, weights, region, y)[:2])

    def interval_logits(self, graph, weights, region, y):
        """Worst-case logits by intervals, and the intervals."""
        boxes = interval_bounds(FLOAT32, graph, weights, region)
        return -margin_bounds(FLOAT32, graph, weights, region, y, boxes), boxes

    def crown_ibp_logits(self, graph, weights, region, y):
        """Worst-case logits by intervals, by linear bounds over them, and the intervals."""
        interval, boxes = self.interval_logits(graph, weights, region, y)
        linear = -margin_bounds(FLOAT32, graph, weights, region, y, boxes, "adaptive")
        return interval, linear, boxes

    def region(self, x, eps):
        """The box of radius eps around images, within [0, 1]."""
        return Region(x, eps * ops.ones_like(x[:, 0, 0, 0]), Linf)
