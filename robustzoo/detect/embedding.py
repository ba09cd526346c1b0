"""Features in the plane."""

import numpy as np


def embedding(features: np.ndarray, perplexity: float = 30.0, seed: int = 0) -> np.ndarray:
    """Points (N, 2) of features (N, D) by t-SNE (van der Maaten & Hinton, 2008).

    Needs scikit-learn (`pip install robustzoo[detect]`).

    Args:
        perplexity: about how many neighbours a point keeps; less than N.
    """
    features = np.asarray(features)
    if features.ndim != 2 or not np.isfinite(features).all():
        raise ValueError(f"features must be finite, of shape (N, D). Received: {features.shape}")
    if not 0 < perplexity < len(features):
        raise ValueError(
            f"perplexity must lie in (0, {len(features)}), the number of features. "
            f"Received: perplexity={perplexity!r}"
        )
    from sklearn.manifold import TSNE

    tsne = TSNE(2, perplexity=perplexity, init="pca", random_state=seed)
    return tsne.fit_transform(features)
