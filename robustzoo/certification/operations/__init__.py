"""What the graph of a classifier is made of, each with its rules for bounds.

An affine operation L(x) + b has
    read(xp)                      its parameters as arrays
    forward(xp, w, *x)            L(x) + b
    interval(xp, w, *boxes)       the image of boxes (low, high)
    adjoint(xp, w, a)             (L'a of each input), <a, b> of each row a, or 0
maybe
    adjoint_patch(xp, w, a)       the same of rows that are a `Patch`: again one, and <a, b>
    rows(xp, w, units)            the adjoint of the single outputs `units` (R,), and their offsets
    spread(w)                     numbers that `adjoint` holds of a row for each tap of its windows
and `mixing`, how far an interval of it is from exact on a box: 0 where no output is made of two
inputs, 1 where one is made of several, 2 where an input enters by two ways.

A nonlinear one has `forward`, `interval`, maybe `spread`, and
    lines(xp, low, high, slope)   arrays that say two linear functions around it
    adjoint(xp, lines, a)         L'a, the lower and the upper offset (B, K), of rows a (B, K, ...),
                                  K of each of the B images that the lines are of
"""

from robustzoo.certification.operations.average import Average
from robustzoo.certification.operations.concatenate import Concatenate
from robustzoo.certification.operations.convolution import Convolution
from robustzoo.certification.operations.dense import Dense
from robustzoo.certification.operations.depthwise import Depthwise
from robustzoo.certification.operations.max_pool import MaxPool
from robustzoo.certification.operations.pad import Pad
from robustzoo.certification.operations.relu import ReLU
from robustzoo.certification.operations.reshape import Reshape
from robustzoo.certification.operations.scale import Scale
from robustzoo.certification.operations.sum import Sum
from robustzoo.certification.operations.tanh import Tanh

__all__ = [
    "Average",
    "Concatenate",
    "Convolution",
    "Dense",
    "Depthwise",
    "MaxPool",
    "Pad",
    "ReLU",
    "Reshape",
    "Scale",
    "Sum",
    "Tanh",
]
