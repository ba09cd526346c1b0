"""The linear and the mixed-integer program of a net of ReLUs, through HiGHS."""

import math

import numpy as np
from scipy import optimize, sparse

from robustzoo.certification.arrays import FLOAT64, windows
from robustzoo.certification.operations import MaxPool, ReLU
from robustzoo.threats import L1, L2

MAX_VARIABLES = 20_000
GAP = 1e-6  # what HiGHS may miss of the optimum of a mixed-integer program, and more
NARROW = 1e-7  # reach of a variable, in its middle, that counts as none
NEGLIGIBLE = 1e-8  # of coefficients whose row has one of 1
TINY = 1e-300
ENTRIES = 2**22  # of dense coefficients that are made at once


class Program:
    """All values that the nodes of `graph` can take at once on one region.

    Affine nodes are equations. A crossing ReLU a = max(z, q z) lies over both lines and under their
    chord; with a binary t, a <= z - (1 - q) l (1 - t) and a <= q z + (1 - q) u t make it exact
    (Tjeng et al., 2019, arXiv:1711.07356).

    Args:
        boxes: sound bounds (low, high), each (1, *shape), of every node.
        region: one image; Linf or L1.
        exact: mixed-integer, else its linear relaxation.
    """

    def __init__(self, graph, boxes, region, exact: bool):
        check_program(graph, region.norm)
        self.graph, self.exact = graph, exact
        self.boxes = [[np.ravel(end) for end in box] for box in boxes]
        self.begin = np.cumsum([0, *(node.size for node in graph.nodes)])
        self.low, self.high = (list(np.concatenate(ends)) for ends in zip(*self.boxes, strict=True))
        self.binary = [0] * len(self.low)
        self.equal, self.under = _Rows(), _Rows()
        for place, node in enumerate(graph.nodes[1:], 1):
            self._add(place, node)
        if region.norm is L1:
            self._ball(np.ravel(region.x), float(region.eps[0]))

    def least(self, first: int, second: int, seconds: float) -> float:
        """A lower bound of the margin z_first - z_second, -inf if none is found in the time."""
        cost = np.zeros(len(self.low))
        cost[self.begin[self.graph.output] + first] += 1.0
        cost[self.begin[self.graph.output] + second] -= 1.0
        solve = self._integer if self.exact and any(self.binary) else self._linear
        return solve(cost, seconds)

    def _linear(self, cost, seconds):
        """The dual value of what the solver says, computed again: a bound whatever it did wrong.

        For any y and any w <= 0, c x >= y b + w d + min (c - A'y - D'w) x over the box of x.
        """
        (equal, b), (under, d) = (rows.matrix(len(cost)) for rows in (self.equal, self.under))
        bounds = np.stack([self.low, self.high], axis=1)
        result = optimize.linprog(
            cost, under, d, equal, b, bounds, "highs", options={"time_limit": seconds}
        )
        if result.eqlin.marginals is None:
            return -math.inf
        y, w = np.nan_to_num(result.eqlin.marginals), np.nan_to_num(result.ineqlin.marginals)
        w = np.minimum(w, 0.0)
        reduced = cost - equal.T @ y - under.T @ w
        return float(y @ b + w @ d + np.minimum(reduced * self.low, reduced * self.high).sum())

    def _integer(self, cost, seconds):
        """What the solver says, which works to absolute tolerances: so it is asked in units.

        Every variable is middle + reach u with u in -1 .. 1 (binaries stay), and the largest
        coefficient of each row and of the cost is 1.
        """
        low, high, binary = np.array(self.low), np.array(self.high), np.array(self.binary, bool)
        middle = np.where(binary, 0.0, (low + high) / 2.0)
        # Of what hardly moves the rounding of its middle must stay small beside its reach.
        least = np.maximum(NARROW * np.abs(middle), TINY)
        reach = np.where(binary, 1.0, np.maximum((high - low) / 2.0, least))
        unit = optimize.Bounds((low - middle) / reach, (high - middle) / reach)
        (equal, b), (under, d) = (rows.matrix(len(cost)) for rows in (self.equal, self.under))
        equal, b, slack = _in_units(equal, b, middle, reach)
        under, d, more = _in_units(under, d, middle, reach)
        scaled = cost * reach
        size = max(np.abs(scaled).max(), TINY)
        result = optimize.milp(
            scaled / size,
            integrality=self.binary,
            bounds=unit,
            constraints=[
                optimize.LinearConstraint(equal, b - slack, b + slack),
                optimize.LinearConstraint(under, -np.inf, d + more),
            ],
            options={"time_limit": seconds, "mip_rel_gap": 0.0},
        )
        bound = result.mip_dual_bound
        if bound is None or not math.isfinite(bound):  # infeasible by rounding, say
            return -math.inf
        return float(cost @ middle + size * (bound - GAP * max(1.0, abs(bound))))

    def _add(self, place, node):
        operation, source = node.operation, node.inputs[0]
        outputs = self.begin[place] + np.arange(node.size)
        if isinstance(operation, ReLU):
            self._relu(outputs, self.begin[source] + np.arange(node.size), operation.q, source)
        elif isinstance(operation, MaxPool):
            self._max_pool(operation, outputs, source)
        else:
            self._affine(node, outputs)

    def _affine(self, node, outputs):
        weights = node.operation.read(FLOAT64)
        widest = max(node.size, *(self.graph[source].size for source in node.inputs))
        step = max(1, ENTRIES // widest)
        for first in range(0, node.size, step):
            rows = np.eye(min(step, node.size - first), node.size, first)
            parts, offset = node.operation.adjoint(FLOAT64, weights, rows.reshape(-1, *node.shape))
            terms = [(outputs[first : first + step], sparse.eye(len(rows)))]
            for source, part in zip(node.inputs, parts, strict=True):
                columns = self.begin[source] + np.arange(self.graph[source].size)
                terms.append((columns, sparse.csr_matrix(-part.reshape(len(rows), -1))))
            self.equal.add(terms, np.broadcast_to(offset, len(rows)))

    def _relu(self, a, z, q, source):
        low, high = self.boxes[source]
        crossing = (low < 0) & (high > 0)
        line = np.where(low >= 0, 1.0, q)
        at = np.flatnonzero(~crossing)
        self.equal.add([(a[at], 1.0), (z[at], -line[at])], np.zeros(len(at)))
        at = np.flatnonzero(crossing)
        a, z, low, high = a[at], z[at], low[at], high[at]
        none = np.zeros(len(at))
        self.under.add([(z, 1.0), (a, -1.0)], none)
        self.under.add([(z, q), (a, -1.0)], none)
        if self.exact:
            t = self._binaries(len(at))
            self.under.add([(a, 1.0), (z, -1.0), (t, -(1 - q) * low)], -(1 - q) * low)
            self.under.add([(a, 1.0), (z, -q), (t, -(1 - q) * high)], none)
        chord = (high - q * low) / (high - low)
        self.under.add([(a, 1.0), (z, -chord)], (q - chord) * low)

    def _max_pool(self, operation, y, source):
        """y >= every x_k of its window; t_k = 1 of just one k says that y <= x_k."""
        entries = np.arange(self.graph[source].size, dtype=float).reshape(
            1, *self.graph[source].shape
        )
        taps = windows(
            operation.pad.forward(FLOAT64, (), entries, -1.0),
            operation.size,
            operation.strides,
            operation.shape[:2],
        )
        low, high = self.boxes[source]
        taps = [tap.ravel().astype(int) for tap in taps]
        highest = np.max([np.where(tap < 0, -np.inf, high[tap]) for tap in taps], axis=0)
        shape = 1, *self.graph[source].shape
        ends = low.reshape(shape), high.reshape(shape)
        _, above, constant = operation.lines(FLOAT64, *ends, "zero")
        upper = [(y, 1.0)]
        chosen = []
        for k, tap in enumerate(taps):
            at = np.flatnonzero(tap >= 0)  # the others are padding
            weight = sparse.csr_matrix((-above[0, k].ravel()[at], (at, at)), (len(y), len(y)))
            upper.append((self.begin[source] + np.maximum(tap, 0), weight))
            x, room = self.begin[source] + tap[at], highest[at] - low[tap[at]]
            self.under.add([(x, 1.0), (y[at], -1.0)], np.zeros(len(at)))
            if self.exact:
                t = self._binaries(len(at))
                self.under.add([(y[at], 1.0), (x, -1.0), (t, room)], room)
                chosen.append((at, t))
        self.under.add(upper, constant.ravel())
        if self.exact:
            rows, columns = (np.concatenate(part) for part in zip(*chosen, strict=True))
            pick = sparse.csr_matrix((np.ones(len(rows)), (rows, np.arange(len(rows)))))
            self.equal.add([(columns, pick)], np.ones(len(y)))

    def _binaries(self, count):
        """Places of `count` new variables in {0, 1}."""
        first = len(self.low)
        self.low += [0.0] * count
        self.high += [1.0] * count
        self.binary += [1] * count
        return first + np.arange(count)

    def _ball(self, x, eps):
        """sum |z - x| <= eps, by variables d >= |z - x|."""
        pixels, d = np.arange(len(x)), len(self.low) + np.arange(len(x))
        self.low += [0.0] * len(x)
        self.high += [eps] * len(x)
        self.binary += [0] * len(x)
        self.under.add([(pixels, 1.0), (d, -1.0)], x)
        self.under.add([(pixels, -1.0), (d, -1.0)], -x)
        self.under.add([(d, sparse.csr_matrix(np.ones((1, len(x)))))], [eps])


def check_program(graph, norm) -> None:
    """Raises ValueError unless there are programs of `graph` and of balls of `norm`."""
    if norm is L2:
        raise ValueError("a linear program takes Linf and L1 balls. Received: L2")
    for node in graph.nodes:
        if node.nonlinear and not isinstance(node.operation, ReLU | MaxPool):
            raise ValueError(
                f"a program takes piecewise linear nets. Received: {node.name!r}, a "
                f"{type(node.operation).__name__}"
            )
    count = sum(node.size for node in graph.nodes)
    if count > MAX_VARIABLES:
        raise ValueError(
            f"a program takes nets of at most {MAX_VARIABLES} units, images included. "
            f"Received: {count}"
        )


def _in_units(matrix, right, middle, reach):
    """Rows over u of rows over middle + reach u, their right sides, and what these may be off.

    HiGHS drops coefficients below NEGLIGIBLE; they are dropped here, and their sum is allowed for.
    """
    right = right - matrix @ middle
    matrix = sparse.csr_matrix(matrix @ sparse.diags(reach))
    size = np.maximum(abs(matrix).max(axis=1).toarray().ravel(), TINY) if len(right) else right
    matrix = sparse.csr_matrix(sparse.diags(1.0 / size) @ matrix)
    small = abs(matrix)
    small.data[small.data >= NEGLIGIBLE] = 0.0
    matrix.data[np.abs(matrix.data) < NEGLIGIBLE] = 0.0
    return matrix, right / size, np.asarray(small.sum(axis=1)).ravel()


class _Rows:
    """Rows of a sparse system, collected."""

    def __init__(self):
        self.parts, self.right, self.count = [], [], 0

    def add(self, terms, right):
        """Rows sum_k M_k v[columns_k] with `right` sides; M_k a matrix, or a diagonal."""
        right = np.asarray(right, float)
        for columns, matrix in terms:
            if not sparse.issparse(matrix):
                matrix = sparse.diags(np.broadcast_to(matrix, len(right)))
            matrix = matrix.tocoo()
            self.parts.append((matrix.data, self.count + matrix.row, columns[matrix.col]))
        self.right.append(right)
        self.count += len(right)

    def matrix(self, columns):
        """(matrix, right sides) over that many variables."""
        if not self.count:
            return sparse.csr_matrix((0, columns)), np.zeros(0)
        data, row, column = (np.concatenate(part) for part in zip(*self.parts, strict=True))
        matrix = sparse.csr_matrix((data, (row, column)), (self.count, columns))
        return matrix, np.concatenate(self.right)
