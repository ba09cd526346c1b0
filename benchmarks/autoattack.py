"""AutoAttack beside another implementation: torchattacks, the same weights and images.

pip install torch && pip install --no-deps torchattacks   # which pins what it does not need
python -m benchmarks.autoattack                           # trades-mnist, 200 test images
python -m benchmarks.autoattack --model art-mnist --examples 1000

Asks for the robust accuracy that each leaves of the model, within 0.5 points of each other; of
fewer than 200 images one is more than that.
"""

import argparse
import time

import numpy as np
import torch
import torchattacks
from rich.console import Console
from rich.table import Table

import robustzoo
from robustzoo.evaluation import standard_threat, suite
from robustzoo.threats import L1, from_config

SEED = 0
APART = 0.005


def main():
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--model", default="trades-mnist", help="a released small_cnn")
    parser.add_argument("--examples", type=int, default=200, help="test images")
    given = parser.parse_args()
    config = robustzoo.info(given.model)["config"]
    own = config["threat"]
    threat = from_config(own) if own else standard_threat(config["dataset"])
    if config["architecture"] != "small_cnn" or isinstance(threat, L1):
        parser.error(
            "--model must be a small_cnn, which is rebuilt in torch here, and claim Linf or L2. "
            f"Received: {given.model}, a {config['architecture']} with {threat}"
        )
    model = robustzoo.load(given.model)
    test = robustzoo.datasets.load(config["dataset"]).test.sample(given.examples)
    (ours, our_time), (theirs, their_time) = (
        _timed(attacked, model, threat, test.images, test.labels) for attacked in (_ours, _theirs)
    )
    title = f"AutoAttack on {given.model}, {threat}, {len(test)} images"
    table = Table("", "robust", "seconds", title=title)
    table.add_row("robustzoo", f"{ours.mean():.4f}", f"{our_time:.0f}")
    table.add_row("torchattacks", f"{theirs.mean():.4f}", f"{their_time:.0f}")
    Console().print(table)
    print(f"broken by robustzoo alone {(theirs & ~ours).sum()}, ", end="")
    print(f"by torchattacks alone {(ours & ~theirs).sum()}")
    if abs(int(ours.sum()) - int(theirs.sum())) > APART * len(test):
        raise SystemExit(f"more than {APART:.1%} apart")


def _timed(attacked, *scene):
    start = time.monotonic()
    return attacked(*scene), time.monotonic() - start


def _ours(model, threat, images, labels):
    attacks = suite(threat, "autoattack")
    return robustzoo.evaluate(
        model, (images, labels), threat, attacks, cascade=True, checks=False, seed=SEED
    ).robust


def _theirs(model, threat, images, labels):
    """Whether each example stays correct under the four attacks of the published cascade."""
    peer = _SmallCNN(model)
    x, y = torch.tensor(images.transpose(0, 3, 1, 2)), torch.tensor(labels.astype("int64"))
    more = dict(norm=type(threat).__name__, eps=threat.eps, seed=SEED)
    stages = [
        torchattacks.APGD(peer, steps=100, loss="ce", **more),
        torchattacks.APGDT(peer, steps=100, n_classes=10, **more),
        torchattacks.FAB(peer, steps=100, multi_targeted=True, n_classes=10, **more),
        # AutoAttack halves p at fixed queries, as this option says; torchattacks' own does not.
        torchattacks.Square(peer, n_queries=5000, resc_schedule=False, **more),
    ]
    robust = (peer(x).argmax(1) == y).numpy()
    for stage in stages:
        left = np.flatnonzero(robust)
        if len(left):
            found = stage(x[left], y[left]).detach()
            right = (peer(found).argmax(1) == y[left]).numpy()
            z = found.numpy().transpose(0, 2, 3, 1)
            robust[left] = right | ~np.asarray(threat.contains(z, images[left]))
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
