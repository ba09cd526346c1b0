"""What a further stage of a cascade trains on."""

from collections.abc import Sequence

import numpy as np

from robustzoo import zoo
from robustzoo.certification import cascade
from robustzoo.datasets import Split
from robustzoo.threats import L1, L2, Linf


def left_by(models: Sequence[str], split: Split, threat: Linf | L2 | L1) -> Split:
    """The images of `split` that none of `models` certifies its own answer of.

    A stage of a cascade answers what it certifies, right or wrong, so later ones never see it
    (Wong et al., 2018, arXiv:1805.12514).

    Args:
        models: names of released models, the earlier stages.
    """
    for name in models:
        if not len(split):
            break
        stage = [zoo.load(name)]
        report = cascade(stage, split.images, split.labels, threat, cascade=True)
        split = split.take(np.flatnonzero(~report.certified[0]))
    return split
