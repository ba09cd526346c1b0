"""AutoAttack beside another implementation: torchattacks, the same weights and images.

pip install torch && pip install --no-deps torchattacks   # which pins what it does not need
python -m benchmarks.autoattack --examples 200

Asks for the robust accuracy that each leaves of trades-mnist, within 0.5 points of each other.
"""

import argparse
import time

import numpy as np
import torch
import torchattacks
from rich.console import Console
from rich.table import Table

import robustzoo
from robustzoo.evaluation import suite
from robustzoo.threats import Linf

NAME, THREAT, SEED = "trades-mnist", Linf(0.3), 0
APART = 0.005


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=200, help="test images")
    examples = parser.parse_args().examples
    model = robustzoo.load(NAME)
    test = robustzoo.datasets.load("mnist").test.sample(examples)
    (ours, our_time), (theirs, their_time) = (
        _timed(attacked, model, test.images, test.labels) for attacked in (_ours, _theirs)
    )
    table = Table("", "robust", "seconds", title=f"AutoAttack on {NAME}, {len(test)} images")
    table.add_row("robustzoo", f"{ours.mean():.4f}", f"{our_time:.0f}")
    table.add_row("torchattacks", f"{theirs.mean():.4f}", f"{their_time:.0f}")
    Console().print(table)
    print(f"broken by robustzoo alone {(theirs & ~ours).sum()}, ", end="")
    print(f"by torchattacks alone {(ours & ~theirs).sum()}")
    if abs(ours.mean() - theirs.mean()) > APART:
        raise SystemExit(f"more than {APART:.1%} apart")


def _timed(attacked, *scene):
    start = time.monotonic()
    return attacked(*scene), time.monotonic() - start


def _ours(model, images, labels):
    attacks = suite(THREAT, "autoattack")
    return robustzoo.evaluate(
        model, (images, labels), THREAT, attacks, cascade=True, checks=False, seed=SEED
    ).robust


def _theirs(model, images, labels):
    """Whether each example stays correct under the four attacks of the published cascade."""
    peer = _SmallCNN(model)
    x, y = torch.tensor(images.transpose(0, 3, 1, 2)), torch.tensor(labels.astype("int64"))
    more = dict(norm="Linf", eps=THREAT.eps, seed=SEED)
    stages = [
        torchattacks.APGD(peer, steps=100, loss="ce", **more),
        torchattacks.APGDT(peer, steps=100, n_classes=10, **more),
        torchattacks.FAB(peer, steps=100, multi_targeted=True, n_classes=10, **more),
        torchattacks.Square(peer, n_queries=5000, **more),
    ]
    robust = (peer(x).argmax(1) == y).numpy()
    for stage in stages:
        left = np.flatnonzero(robust)
        if len(left):
            robust[left] = (peer(stage(x[left], y[left])).argmax(1) == y[left]).detach().numpy()
    return robust


class _SmallCNN(torch.nn.Module):
    """The weights of `architectures.small_cnn` in torch, from images (N, C, H, W)."""

    def __init__(self, model):
        super().__init__()
        layers = {layer.name: layer.get_weights() for layer in model.layers if layer.weights}
        self.convolutions = [
            (torch.tensor(layers[f"conv{i}"][0].transpose(3, 2, 0, 1)), _bias(layers[f"conv{i}"]))
            for i in (1, 2, 3, 4)
        ]
        names = "dense1", "dense2", "logits"
        self.dense = [(torch.tensor(layers[n][0].T), _bias(layers[n])) for n in names]
        self.unused = torch.nn.Parameter(torch.zeros(()))  # torchattacks asks for a device

    def forward(self, x):
        for i, (kernel, bias) in enumerate(self.convolutions):
            x = torch.relu(torch.nn.functional.conv2d(x, kernel, bias))
            if i % 2:
                x = torch.nn.functional.max_pool2d(x, 2)
        x = x.permute(0, 2, 3, 1).flatten(1)  # Keras flattens channels last
        for kernel, bias in self.dense[:-1]:
            x = torch.relu(torch.nn.functional.linear(x, kernel, bias))
        return torch.nn.functional.linear(x, *self.dense[-1])


def _bias(weights):
    return torch.tensor(weights[1])


if __name__ == "__main__":
    main()
