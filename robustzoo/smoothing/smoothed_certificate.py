"""What is known of a smoothed classifier, with high probability."""

import dataclasses
import functools
import json
from pathlib import Path

import numpy as np

from robustzoo.smoothing.lower_bound import lower_bound
from robustzoo.write_whole import write_whole

ARRAYS = ("labels", "classes", "hits")


@dataclasses.dataclass(frozen=True)
class SmoothedCertificate:
    """L2 radii of g(x) = argmax_c P(f(x + N(0, sigma^2 I)) = c) on N images.

    Each statement on an image holds with probability 1 - alpha over the draws, and is about the
    smoothed classifier g, not about the net f asked without noise. All else follows from what is
    stored.

    Attributes:
        sigma: standard deviation of the noise, in pixels of [0, 1].
        n0, n: draws that chose the class, and fresh ones that counted it, for each image.
        alpha: probability at most that the statement on one image is wrong.
        seed: of the noise.
        labels: (N,), the true classes.
        classes: (N,), the most frequent class of the first n0 draws.
        hits: (N,), how often it came in the n draws.
        seconds: that the draws took, with those before an interruption; NaN of files of old.
    """

    sigma: float
    n0: int
    n: int
    alpha: float
    seed: int
    labels: np.ndarray
    classes: np.ndarray
    hits: np.ndarray
    seconds: float

    @functools.cached_property
    def probability(self) -> np.ndarray:
        """Lower bounds of the probability of `classes`, (N,)."""
        return lower_bound(self.hits, self.n, self.alpha)

    @property
    def predicted(self) -> np.ndarray:
        """What g answers, (N,); -1 where it abstains."""
        return np.where(self.probability > 0.5, self.classes, -1)

    @functools.cached_property
    def radius(self) -> np.ndarray:
        """g is constant for changes of L2 size below it, (N,); 0 where it abstains."""
        return _radius(self.sigma, self.probability)

    @property
    def ceiling(self) -> float:
        """sigma Phi^-1(alpha^(1/n)), the radius of an image whose every draw hits."""
        return float(_radius(self.sigma, lower_bound(self.n, self.n, self.alpha)))

    def accuracy(self, eps: float = 0.0) -> float:
        """Share of the images classified correctly by g with a radius of at least `eps`."""
        return float(np.mean((self.predicted == self.labels) & (self.radius >= eps)))

    def curve(self, step: float = 0.25) -> dict[float, float]:
        """`accuracy` at the multiples of `step` up to `ceiling`."""
        return {float(eps): self.accuracy(eps) for eps in np.arange(0, self.ceiling, step)}

    def __str__(self):
        shares = ", ".join(f"{share:.2%} at {eps:g}" for eps, share in self.curve().items())
        return "\n".join(
            [
                f"smoothed with sigma {self.sigma:g}, {len(self.labels)} images: certified "
                f"accuracy {shares} (L2 radius; none can exceed {self.ceiling:.2f}); "
                f"abstained on {np.mean(self.predicted < 0):.2%}",
                f"{self.n0} draws chose a class, {self.n} fresh ones counted it. Each image's "
                f"statement holds with probability {1 - self.alpha:g}. It is about the smoothed "
                "classifier, the most likely answer under noise, not about the model itself.",
            ]
        )

    def to_dict(self) -> dict:
        """A record for eval.json, without the single images."""
        return {
            "method": "randomised smoothing",
            "norm": "l2",
            **self._numbers(),
            "examples": len(self.labels),
            "abstained": round(float(np.mean(self.predicted < 0)), 6),
            "certified_accuracy": {f"{eps:g}": round(v, 6) for eps, v in self.curve().items()},
            "seconds": round(self.seconds, 1),
        }

    def save(self, path: str | Path) -> None:
        """Writes everything as JSON, every image's answer and radius beside what they follow from.

        The answer is null where g abstains.
        """
        content = self._numbers() | {"seconds": self.seconds}
        content |= {name: getattr(self, name).tolist() for name in ARRAYS}
        content["predicted"] = [None if c < 0 else c for c in self.predicted.tolist()]
        content["radius"] = self.radius.tolist()
        content["statement"] = str(self)
        write_whole(path, json.dumps(content))

    @classmethod
    def read(cls, path: str | Path) -> "SmoothedCertificate":
        """Reads what `save` wrote; ValueError if it is something else."""
        try:
            content = {"seconds": float("nan")} | json.loads(Path(path).read_text())
            fields = {field.name: content[field.name] for field in dataclasses.fields(cls)}
            return cls(**fields | {name: np.array(fields[name], int) for name in ARRAYS})
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path} is not a smoothed certificate: {error!r}") from error

    def _numbers(self):
        return {name: getattr(self, name) for name in ("sigma", "n0", "n", "alpha", "seed")}


def _radius(sigma, probability):
    from scipy import stats

    return sigma * stats.norm.ppf(np.maximum(probability, 0.5))
