"""One instance of every layer, and the shape of an example that goes in."""

from robustzoo import layers

EXAMPLES = [
    (layers.ReverseLogits(), (4,)),
]
