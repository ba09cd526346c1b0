"""Centre loss."""

from keras import ops

from robustzoo.losses._labels import nan_unless_class


def center_loss(y, features, centers):
    """||f - c_y||^2 / 2 of `features` (B, d) and `centers` (L, d), shape (B,); labels `y` are (B,).

    Wen et al., 2016, "A discriminative feature learning approach for deep face recognition", add
    it to cross-entropy with a small weight: `defenses.CenterLossTraining`. In an ordinary
    `model.compile` the same is a second output, `layers.CenterLogits(L, "learned")` of the
    features, whose loss is `losses.MMC()` and whose weight among the `loss_weights` is small.
    """
    own = ops.take(centers, ops.cast(y, "int32"), axis=0)
    losses = ops.sum(ops.square(features - own), axis=-1) / 2.0
    return nan_unless_class(losses, y, centers.shape[0])
