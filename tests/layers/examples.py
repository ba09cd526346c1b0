"""One instance of every layer, and the shape of an example that goes in."""

from robustzoo import layers

EXAMPLES = [
    (layers.CenterLogits(4), (5,)),
    (layers.CenterLogits(4, "learned", 1.0, seed=3), (2,)),
    (layers.ReverseLogits(), (4,)),
]
