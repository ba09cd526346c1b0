"""Models that answer one after the other, the first that certifies itself."""

from collections.abc import Sequence

import keras
import numpy as np

from robustzoo.certification.cascade_report import CascadeReport
from robustzoo.certification.certify import certify
from robustzoo.checks import check_data
from robustzoo.forward import forward
from robustzoo.threats import L1, L2, Linf


def cascade(
    models: Sequence[keras.Model],
    images,
    labels,
    threat: Linf | L2 | L1 | float,
    method: str | Sequence[str] = ("ibp", "crown-ibp", "crown"),
    *,
    batch_size: int = 100,
    **options,
) -> CascadeReport:
    """The cascade of `models`, as reported by Wong et al., 2018, arXiv:1805.12514.

    Each model certifies its own answers, whatever the labels; the first that does answers, the
    last answers the rest. What that claims is NOT a certificate of the cascade: see
    `CascadeReport`. A further stage is an ordinary model, trained by any defense on the images
    that the earlier ones leave.

    Args:
        models: stages in their order, of one input shape and number of classes.
        images, labels: (N, H, W, C) in [0, 1] and integers (N,).
        method, batch_size, options: of `certify`, as is `threat`.
    """
    models = list(models)
    shapes = {(model.input_shape[1:], model.output_shape[-1]) for model in models}
    if len(shapes) != 1:
        raise ValueError(
            "a cascade needs models of one input shape and one number of classes. Received: "
            f"{sorted(shapes) or 'no model'}"
        )
    images, labels = check_data(models[0], images, labels)
    predicted, proofs = [], []
    for model in models:
        # Where float64 logits give another answer than these, `certify` proves nothing.
        predicted.append(forward(model, images, batch_size).argmax(axis=1))
        proofs.append(
            certify(model, images, predicted[-1], threat, method, batch_size=batch_size, **options)
        )
    certified = np.stack([proof.certified for proof in proofs])
    return CascadeReport(proofs[0].threat, labels, np.stack(predicted), certified)
