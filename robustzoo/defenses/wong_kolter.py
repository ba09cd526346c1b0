"""Training on the convex outer adversarial polytope."""

from keras import ops

from robustzoo.certification.arrays import FLOAT32
from robustzoo.certification.dual_bounds import ESTIMATORS, check_projectable, dual_bounds
from robustzoo.certification.margin_bounds import margin_bounds
from robustzoo.defenses.certified import Certified

JUDGED = 8  # times the exact rows of a step, which has gradients to keep and go through as well


class WongKolter(Certified):
    """Training on the dual bound of Wong & Kolter (2018, arXiv:1711.00851).

    v by lines of one slope, of hidden units as of the margins; with `projections` hidden bounds are
    estimates (Wong et al., 2018, arXiv:1805.12514), and so is the `robust_accuracy` of `fit`. That
    of `evaluate` is a bound: it takes eight times as many exact rows, and intervals stand in for
    the estimates. See `certification.dual_bounds` and `Certified`.

    Args:
        projections: Cauchy variables for each hidden node, where more units cross than exact rows
            of about that size are affordable; the paper's 50. None for exact bounds, which small
            nets can afford.
        estimator: "median" or "geometric".
        exact: whether such rows are made at all where there are projections. Each goes back through
            all that lies before it, so in a deep net they cost many times what the projections do,
            in time and memory. Without, `evaluate` judges by IBP and CROWN-IBP alone.
    """

    def __init__(
        self,
        classifier,
        *,
        projections: int | None = 50,
        estimator: str = "median",
        exact: bool = True,
        **options,
    ):
        if estimator not in ESTIMATORS:
            raise ValueError(f"estimator must be one of {ESTIMATORS}. Received: {estimator!r}")
        if projections is not None and (type(projections) is not int or projections < 2):
            raise ValueError(
                f"projections must be an integer >= 2, or None. Received: {projections}"
            )
        if not exact and projections is None:
            raise ValueError("exact=False needs projections. Received: projections=None")
        super().__init__(classifier, **options)
        self.projections, self.estimator, self.exact = projections, estimator, exact
        if projections:
            check_projectable(self.graph)

    def worst_logits(self, weights, x, x_adv, y, share):
        graph, region = self.graph, self.region(x, self.eps * share)
        kind = self.projections, self.estimator, self.seeds, self.exact
        boxes = dual_bounds(FLOAT32, graph, weights, region, *kind)
        return -margin_bounds(FLOAT32, graph, weights, region, y, boxes, "same"), boxes

    def judged_logits(self, weights, region, y):
        if not self.exact:
            return super().judged_logits(weights, region, y)
        rows = self.projections and JUDGED * self.projections
        boxes = dual_bounds(FLOAT32, self.judged, weights, region, rows, None)
        own = -margin_bounds(FLOAT32, self.judged, weights, region, y, boxes, "adaptive")
        return ops.minimum(super().judged_logits(weights, region, y), own)
