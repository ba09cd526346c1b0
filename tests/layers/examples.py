"""One instance of every layer, and the shape of an example that goes in, a list for several."""

from robustzoo import layers

EXAMPLES = [
    (layers.CenterLogits(4), (5,)),
    (layers.CenterLogits(4, "learned", 1.0, seed=3), (2,)),
    (layers.FusedBatchNormalization(), (5, 5, 2)),
    (layers.LogMeanProbability(), (3, 4)),
    (layers.Noise(0.1, seed=1), (5, 5, 2)),
    (layers.MixupPool(1, 2, size=2, seed=1), [(5, 5, 2), (4,)]),
    (layers.Rejection(), [(4,), ()]),
    (layers.ReverseLogits(), (4,)),
    (layers.Temperature(10.0), (4,)),
]
