"""Bounds of reverse cross-entropy."""


def rce_bounds(alpha: float, classes: int) -> tuple[float, float]:
    """How far a prediction can be off where training left an error `alpha`.

    Z are the logits that reverse cross-entropy trains, S the softmax, R_y the uniform distribution
    over all classes but y. If max_j |S(Z) - R_y|_j <= alpha << 1 / L, then

        max_j |S(-Z) - 1_y|_j <= alpha (L - 1)^2
        |S(-Z)_j - S(-Z)_k|   <= 2 alpha^2 (L - 1)^2    for all j, k other than y.

    Theorem 1 of Pang et al., 2018, arXiv:1706.00633.

    Args:
        alpha: training error, in 0 .. 1 / L.
        classes: L, at least 2.

    Returns the two right-hand sides.
    """
    if classes < 2:
        raise ValueError(f"classes must be at least 2. Received: {classes}")
    if not 0 <= alpha < 1 / classes:
        raise ValueError(f"alpha must lie in [0, 1 / {classes}). Received: {alpha}")
    return alpha * (classes - 1) ** 2, 2 * alpha**2 * (classes - 1) ** 2
