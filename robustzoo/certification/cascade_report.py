"""What a cascade of certified models claims."""

import dataclasses

import numpy as np

from robustzoo.threats import L1, L2, Linf


@dataclasses.dataclass(frozen=True)
class CascadeReport:
    """Answers and certificates of K models, one stage after the other, on N images.

    The first stage that certifies its own answer gives it; the last answers the rest. `claimed` is
    the number of Wong et al., 2018, arXiv:1805.12514. The composed classifier has no certificate:
    a changed image may lose the certificate of the stage that answered, and be answered otherwise
    by a later one (Mangal et al., 2023, arXiv:2206.00278).

    Attributes:
        threat: what the adversary may do.
        labels: (N,).
        predicted: (K, N), the answer of each stage.
        certified: bool (K, N), where a stage gives its answer everywhere within the threat.
    """

    threat: Linf | L2 | L1
    labels: np.ndarray
    predicted: np.ndarray
    certified: np.ndarray

    @property
    def stage(self) -> np.ndarray:
        """Which stage answers, (N,)."""
        last = len(self.certified) - 1
        return np.where(self.certified.any(axis=0), self.certified.argmax(axis=0), last)

    @property
    def answers(self) -> np.ndarray:
        """The classes that the cascade gives, (N,)."""
        return np.take_along_axis(self.predicted, self.stage[None], axis=0)[0]

    @property
    def accuracy(self) -> float:
        """Share of the images that the cascade classifies correctly."""
        return float(np.mean(self.answers == self.labels))

    @property
    def claimed(self) -> float:
        """Share of the images whose answer is correct and certified by the stage that gave it."""
        return float(np.mean((self.answers == self.labels) & self.certified.any(axis=0)))

    @property
    def accuracies(self) -> np.ndarray:
        """Clean accuracy of each stage alone, (K,)."""
        return np.mean(self.predicted == self.labels, axis=1)

    @property
    def certified_accuracies(self) -> np.ndarray:
        """Certified accuracy of each stage alone, (K,): these are certificates."""
        return np.mean(self.certified & (self.predicted == self.labels), axis=1)

    def __str__(self):
        best = self.certified_accuracies.argmax()
        pairs = zip(self.accuracies, self.certified_accuracies, strict=True)
        return "\n".join(
            [
                f"cascade of {len(self.predicted)} models, {len(self.labels)} images, "
                f"{self.threat}: {self.accuracy:.2%} correct, {self.claimed:.2%} claimed, not "
                "certified",
                *(
                    f"  stage {k + 1} alone: {clean:.2%} correct, {proved:.2%} certified, answers "
                    f"{np.sum(self.stage == k)}"
                    for k, (clean, proved) in enumerate(pairs)
                ),
                "The composed classifier has no certificate: a changed image may be answered by "
                "another stage. The best that is proved is stage "
                f"{best + 1} alone, {self.certified_accuracies[best]:.2%}.",
            ]
        )
