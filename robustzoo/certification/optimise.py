"""Lower lines of crossing ReLUs, chosen for each margin by gradient ascent."""

import numpy as np
from keras import ops

from robustzoo.adam import adam
from robustzoo.backend import compiled, input_gradient
from robustzoo.certification.arrays import FLOAT32
from robustzoo.certification.linear import difference_rows, linear_bound, lines_of
from robustzoo.certification.operations import ReLU
from robustzoo.certification.region import Region

STEPS, RATE, DECAY = 30, 0.3, 0.98


class SlopeSearch:
    """alpha-CROWN of the margins, with the bounds of hidden units as they are.

    Adam climbs from the adaptive slopes; what counts is the best that it met. Every slope in [0, 1]
    gives a sound bound, so the search may be in float32, with no harm to what is proved with it.

    Args:
        graph, norm, clip: as in `Bounds`.
    """

    def __init__(self, graph, norm, clip):
        self.graph, self.norm, self.clip = graph, norm, clip
        self.weights = graph.read(FLOAT32)
        nodes = [(p, n) for p, n in enumerate(graph.nodes) if isinstance(n.operation, ReLU)]
        self.shapes = {place: node.shape for place, node in nodes}
        self.ends = np.cumsum([0, *(node.size for _, node in nodes)])
        self._step = compiled(self._climb, [])

    def __call__(self, x, eps, boxes, first, second) -> dict:
        """The best slopes {place: (R, *shape)} met, for the margin z_first - z_second of each row.

        Args:
            x, eps: an image and a radius per row, (R, H, W, C) and (R,).
            boxes: {place: (low, high)}, a row each, of `graph.bent`.
        """
        given = (
            [FLOAT32.read(x), FLOAT32.read(eps)],
            {place: tuple(map(FLOAT32.read, box)) for place, box in boxes.items()},
        )
        rows = [ops.convert_to_tensor(np.asarray(r, "int32")) for r in (first, second)]
        alpha = FLOAT32.read(self._start(boxes))
        averages = {"mean": ops.zeros_like(alpha), "square": ops.zeros_like(alpha)}
        state = alpha, averages, alpha
        best = ops.full((len(first),), -np.inf, "float32")
        for step in range(STEPS):
            state, best = self._step(state, best, FLOAT32.read(step), rows, *given)
        return self._split(ops.convert_to_numpy(state[2]).astype("float64"))

    def _start(self, boxes):
        parts = []
        for place in self.shapes:
            low, high = boxes[self.graph[place].inputs[0]]
            parts.append(np.reshape(high > -low, (len(low), -1)).astype("float32"))
        return np.concatenate(parts, axis=1)

    def _split(self, alpha):
        """One array (R, units) as {place: (R, *shape)}."""
        parts = [alpha[:, a:b] for a, b in zip(self.ends, self.ends[1:], strict=False)]
        return {
            place: part.reshape(-1, *shape)
            if isinstance(part, np.ndarray)
            else ops.reshape(part, (-1, *shape))
            for part, (place, shape) in zip(parts, self.shapes.items(), strict=True)
        }

    def _climb(self, state, best, step, rows, region, boxes):
        """One step of Adam; the slopes before it are kept where they are the best so far."""
        alpha, averages, kept = state
        bound, _, gradient = input_gradient(
            lambda a: (self._bound(a, rows, region, boxes), ()), alpha
        )
        better = bound > best
        kept = ops.where(better[:, None], alpha, kept)
        move, averages = adam(averages, gradient, step)
        alpha = ops.clip(alpha + RATE * ops.power(DECAY, step) * move, 0.0, 1.0)
        return (alpha, averages, kept), ops.maximum(best, bound)

    def _bound(self, alpha, rows, region, boxes):
        xp, graph = FLOAT32, self.graph
        lines = lines_of(xp, graph, boxes, self._split(alpha), graph.output)
        region = Region(*region, self.norm, self.clip)
        start = difference_rows(xp, graph, graph.output, *rows)
        return linear_bound(xp, graph, self.weights, start, 1, lines, region)[0]
