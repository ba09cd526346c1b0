"""What was proved."""

import dataclasses
import json
from pathlib import Path

import numpy as np

from robustzoo.threats import L1, L2, Linf, from_config, to_config
from robustzoo.write_whole import write_whole


@dataclasses.dataclass(frozen=True)
class Certificate:
    """Lower bounds of the margins of N images, and which of these bounds prove robustness.

    Attributes:
        threat: what the adversary may do.
        clip: whether pixels were taken to stay in [0, 1].
        methods: that were asked for, in their order.
        margins: {method: (N,)}, lower bounds of min_j (z_y - z_j) over the threat; -inf where the
            method did not run: on images misclassified or of scale inf, and in a cascade on those
            certified before.
        margin: (N,), the same bound by all methods together: for each j the best of theirs counts.
        scale: (N,), largest size of a logit of the image, in float64 and as deployed; inf where the
            deployed model rounds the margins of the image itself by more than `tolerance` of that.
        correct: bool (N,), images classified correctly, in float64 and as deployed.
        tolerance: an image is certified if a margin exceeds this share of its `scale`.
        precision: of the hidden units' bounds: "float64", as of the margins. Files of old may say
            "float32", which was not sound where large numbers cancel.
        seconds: that the bounds took, with those before an interruption.
        model_sha256, data_sha256: of the weights, and of images and labels, as an evaluation has
            them.
    """

    threat: Linf | L2 | L1
    clip: bool
    methods: tuple[str, ...]
    margins: dict[str, np.ndarray]
    margin: np.ndarray
    scale: np.ndarray
    correct: np.ndarray
    tolerance: float
    precision: str
    seconds: float
    model_sha256: str
    data_sha256: str

    @property
    def certified(self) -> np.ndarray:
        """Images that no image within the threat is classified otherwise than, bool (N,)."""
        return self.correct & (self.margin > self.tolerance * self.scale)

    @property
    def method(self) -> list[str | None]:
        """The method whose own bound of each image is the best; None where none ran."""
        best = np.argmax([self.margins[name] for name in self.methods], axis=0)
        ran = np.isfinite(self.margin)
        return [self.methods[k] if known else None for k, known in zip(best, ran, strict=True)]

    @property
    def accuracy(self) -> float:
        """Share of the images that are certified."""
        return float(self.certified.mean())

    def __str__(self):
        alone, rounded = [], int(np.sum(self.correct & np.isinf(self.scale)))
        for name, values in self.margins.items():
            seen, proved = np.isfinite(values), values > self.tolerance * self.scale
            alone.append(f"  {name}: {proved.sum()} of the {seen.sum()} images that it was given")
        return "\n".join(
            [
                f"certified {self.accuracy:.2%} of {len(self.correct)} images "
                f"({self.correct.mean():.2%} correct) within {self.threat}"
                f"{'' if self.clip else ', not clipped to [0, 1]'}, in {self.seconds:.1f} s",
                *alone,
                f"A margin counts above {self.tolerance:g} of the largest logit: margins in "
                f"float64, hidden bounds in {self.precision}, sound up to rounding.",
                *([f"The model rounds {rounded} images by more than that."] if rounded else []),
            ]
        )

    def to_dict(self) -> dict:
        """What certificate.json says of the proof, without the single images."""
        return {
            "threat": to_config(self.threat),
            "clip": self.clip,
            "methods": list(self.methods),
            "examples": len(self.correct),
            "accuracy": round(float(self.correct.mean()), 6),
            "certified_accuracy": round(self.accuracy, 6),
            "tolerance": self.tolerance,
            "precision": self.precision,
            "seconds": round(self.seconds, 1),
            "model_sha256": self.model_sha256,
            "data_sha256": self.data_sha256,
        }

    def save(self, path: str | Path) -> None:
        """Writes everything, the bounds of every image included, as JSON."""
        content = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        content["threat"] = to_config(self.threat)
        content["scale"] = _plain(self.scale)
        content["correct"] = self.correct.tolist()
        # JSON has no inf: a method that did not run is null, as is a scale that nothing exceeds.
        content["margins"] = {name: _plain(values) for name, values in self.margins.items()}
        content["margin"] = _plain(self.margin)
        write_whole(path, json.dumps(content))

    @classmethod
    def read(cls, path: str | Path) -> "Certificate":
        """Reads what `save` wrote; ValueError if it is something else."""
        try:
            content = json.loads(Path(path).read_text())
            content["threat"] = from_config(content["threat"])
            content["methods"] = tuple(content["methods"])
            content["scale"] = _numbers(content["scale"], np.inf)
            content["correct"] = np.array(content["correct"], bool)
            margins = content["margins"].items()
            content["margins"] = {name: _numbers(values, -np.inf) for name, values in margins}
            content["margin"] = _numbers(content["margin"], -np.inf)
            return cls(**content)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"{path} is not a certificate: {error!r}") from error


def _plain(numbers):
    return [float(v) if np.isfinite(v) else None for v in numbers]


def _numbers(plain, missing):
    return np.array([missing if v is None else v for v in plain], "float64")
