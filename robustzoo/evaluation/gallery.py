"""The pictures of a report."""

import dataclasses
import functools
from collections.abc import Mapping, Sequence

import keras
import numpy as np

from robustzoo.architectures import ensemble_members
from robustzoo.attacks import PGD, CarliniWagner, DeepFool, fgsm
from robustzoo.evaluation import figures
from robustzoo.evaluation._words import counted, percent
from robustzoo.evaluation.measures import (
    adversarial_grid,
    certified_curve,
    eps_curve,
    loss_surface,
    norm_curve,
    steps_curve,
    transfer_matrix,
)
from robustzoo.evaluation.page import Picture
from robustzoo.evaluation.predict import predict
from robustzoo.evaluation.report import Result
from robustzoo.evaluation.suite import suite
from robustzoo.threats import L1, L2, Linf, format_eps

BUDGETS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)  # of the accuracy curves, in the threat's eps
FINE = np.linspace(0.0, BUDGETS[-1], 101)  # where a curve costs nothing
COLUMNS = 8  # examples of a grid
WAY = 40  # steps of the curve of steps


@dataclasses.dataclass(frozen=True)
class Gallery:
    """Draws models that were attacked on the same examples.

    Attributes:
        models: by name.
        images, labels: float32 (N, H, W, C) in [0, 1] and integers (N,).
        threat: the budget; pictures that need none go up to twice its eps.
        names: of the classes.
        origin: the end of every caption, on how it was made.
        batch_size, seed: of the attacks.
        draws: gradients that each attack averages per step, for random models (EOT).
    """

    models: Mapping[str, keras.Model]
    images: np.ndarray
    labels: np.ndarray
    threat: Linf | L2 | L1
    names: Sequence[str]
    origin: str
    batch_size: int = 128
    seed: int = 0
    draws: int = 1

    @property
    def searches(self) -> dict:
        """Attacks that look for the smallest change, of a size that a first look affords."""
        norm = DeepFool.norm if isinstance(self.threat, L1) else type(self.threat)
        classes = min(10, len(self.names))
        # On robust models a small c would be spent on finding that it is too small.
        carlini_wagner = CarliniWagner(
            searches=4, iterations=100, learning_rate=0.1, initial_c=10.0, draws=self.draws
        )
        return {
            "DeepFool": DeepFool(norm, classes=classes, draws=self.draws),
            "C&W": carlini_wagner,
        }

    @property
    def attacks(self) -> dict:
        """Every attack that a picture shows, by label."""
        eps = self.threat.eps
        return {
            "FGSM": self._fgsm(eps),
            "PGD-20": self._pgd(eps),
            f"PGD-{WAY}": PGD(self.threat, eps / 10, steps=WAY, draws=self.draws),
            **self.searches,
        }

    @functools.cached_property
    def members(self) -> dict:
        """The members, by "member 1" and so on, of each model that is an ensemble of several."""
        parts = {name: ensemble_members(model) for name, model in self.models.items()}
        return {
            name: {f"member {k}": member for k, member in enumerate(members, 1)}
            for name, members in parts.items()
            if len(members) > 1
        }

    def eps_curves(self, distances: Mapping[str, Mapping[str, Result]]) -> Picture:
        """Accuracy against eps; `distances` are results of `searches`, by attack and model."""
        eps = self.threat.eps * np.array(BUDGETS)
        curves = {}
        for name, model in self.models.items():
            fast = self._eps_curve(model, self._fgsm, eps)
            slow = self._eps_curve(model, self._pgd, eps)
            curves[name] = {"FGSM": (eps, fast), "PGD-20": (eps, slow)}
            for attack, results in distances.items():
                if results[name].norm == self._norm:
                    fine = self.threat.eps * FINE
                    curves[name][attack] = fine, norm_curve(results[name].distance, fine)
        mark = self.threat.eps, f"eps = {format_eps(self.threat.eps)}"
        smooth = ", the others' from the distances that they found" if len(curves[name]) > 2 else ""
        return self._picture(
            "accuracy-against-eps",
            "Accuracy against eps",
            figures.accuracy_figure(curves, f"eps in {self._norm}", mark),
            _told(curves, "eps", self.threat.eps),
            "Share of the examples that stay correct within growing budgets. FGSM's and PGD's "
            f"curves are from attacks at the eps that are marked{smooth}. A curve that does not "
            "come down to 0 at large eps is a reason to doubt the attack, or the model.",
        )

    def certified_curves(self, methods: Sequence[str]) -> Picture:
        """Accuracy that `methods` certify, and that PGD-40 leaves, against eps."""
        eps = self.threat.eps * np.array(BUDGETS)
        curves = {}
        for name, model in self.models.items():
            left = self._eps_curve(model, self._pgd_40, eps)
            proved = certified_curve(model, *self._data, eps, type(self.threat), methods)
            curves[name] = {"PGD-40": (eps, left), "certified": (eps, proved)}
        mark = self.threat.eps, f"eps = {format_eps(self.threat.eps)}"
        return self._picture(
            "certified-accuracy",
            "Certified accuracy against eps",
            figures.accuracy_figure(curves, f"eps in {self._norm}", mark),
            _told(curves, "eps", self.threat.eps),
            "Share of the examples that PGD-40 leaves correct within growing budgets, and of those "
            f"that {', '.join(methods)} prove to stay so. The truth lies between the two.",
        )

    def steps_curves(self) -> Picture:
        """Accuracy against the number of steps of PGD."""
        attack, curves = self.attacks[f"PGD-{WAY}"], {}
        for name, model in self.models.items():
            shares = steps_curve(model, *self._data, attack, **self._options)
            curves[name] = {"PGD": (np.arange(len(shares)), shares)}
        return self._picture(
            "accuracy-against-steps",
            "Accuracy against the number of PGD steps",
            figures.accuracy_figure(curves, "steps"),
            _told(curves, "steps", WAY),
            f"Share of the examples that so many steps of PGD leave, within {self._budget}, from "
            f"a random start, with steps of {format_eps(attack.step_size)}. What was misclassified "
            "on the way counts as broken from there on; where a model is random, that may be luck: "
            "there only the image after just so many steps counts, seen with other noise, and the "
            "curve may rise. A curve that still falls at its end says that more steps would break "
            "more.",
        )

    def grid(self, name: str) -> Picture:
        """Adversarial examples of one model."""
        rows = self._seen[:COLUMNS]
        labels = self.labels[rows]
        attacks = {k: v for k, v in self.attacks.items() if k != f"PGD-{WAY}"}
        model, images = self.models[name], self.images[rows]
        found, classes = adversarial_grid(model, images, labels, attacks, **self._options)
        heads = ["clean", *attacks]
        broken = [
            f"{head} {(row != labels).sum()}" for head, row in zip(heads, classes, strict=True)
        ]
        return self._picture(
            f"examples-{self._number(name)}",
            f"Adversarial examples of {name}",
            figures.grid_figure(found, classes, labels, heads, self.names),
            f"Grid of {len(rows)} images, clean and as attacks changed them. Misclassified: "
            + ", ".join(broken),
            f"Above each image is what {name} sees, bold where that is wrong. FGSM and PGD-20 "
            f"stay within {self._budget}; DeepFool and C&W look for the smallest change that "
            "works, however large, and show the clean image where they found none.",
        )

    def surfaces(self) -> Picture:
        """The loss around the first example that all models classify correctly."""
        row = self._seen[0]
        image, label = self.images[row], int(self.labels[row])
        more = dict(batch_size=self.batch_size, seed=self.seed)
        surfaces = {
            name: loss_surface(model, image, label, self.threat, **more)
            for name, model in self.models.items()
        }
        told = [
            f"{name} from {losses.min():.2g} to {losses.max():.2g}"
            for name, (_, losses, _) in surfaces.items()
        ]
        return self._picture(
            "loss-surface",
            "The loss around an image",
            figures.surface_figure(surfaces, label),
            f"Colour maps of the loss around one image: {', '.join(told)}",
            f"Cross-entropy around an image of class {self.names[label]} (the cross), in two "
            f"directions of length {self._budget}: that in which the loss rises most at the "
            "image, and a random one. The class is another beyond a dashed line. Every panel has "
            "a scale of its own. Ripples and plateaus hide the gradient from an attack.",
        )

    def transfer(self) -> Picture:
        """Which model's adversarial examples fool which."""
        return self._transfer(
            "transfer",
            "Transfer between the models",
            self.models,
            "Accuracy of the model in a column on what PGD-20 made with the model in a row, within "
            f"{self._budget}; the first row is without attack. The last steps' images count, so "
            "the diagonal may lie above the accuracies of the tables. A model that is fooled more "
            "by another's examples than by its own hides its gradient.",
        )

    def member_transfer(self, name: str) -> Picture:
        """Which member's adversarial examples fool which, of an ensemble in `members`."""
        return self._transfer(
            f"members-{self._number(name)}",
            f"Transfer among the members of {name}",
            self.members[name],
            f"Accuracy of the member of {name} in a column, by itself, on what PGD-20 made of "
            f"{counted(self.labels, 'image')} with the member in a row, within {self._budget}; the "
            "first row is without attack. The last steps' images count. Where the cells off the "
            "diagonal are as low as those on it, the same images fool every member, and to average "
            "them protects little.",
        )

    def histograms(self, distances: Mapping[str, Mapping[str, Result]]) -> Picture:
        """Minimal norms; `distances` as in `eps_curves`."""
        kept = {
            attack: {name: result.distance for name, result in results.items()}
            for attack, results in distances.items()
        }
        norms = [next(iter(results.values())).norm for results in distances.values()]
        told = [
            f"{attack}, {name}: {np.median(result.found) if len(result.found) else np.nan:.3g}"
            for attack, results in distances.items()
            for name, result in results.items()
        ]
        return self._picture(
            "minimal-norms",
            "How far the nearest adversarial examples are",
            figures.histogram_figure(kept, [f"{norm} distance" for norm in norms]),
            f"Histograms of distances. Medians: {'; '.join(told)}",
            "Distances of the smallest changes found that fool a model, with their median dashed "
            "and their number in brackets; images misclassified anyway are left out. The true "
            "distances are at most these.",
        )

    def _transfer(self, picture, title, models, caption):
        """The matrix of `models` by name."""
        matrix = transfer_matrix(models, *self._data, self.attacks["PGD-20"], **self._options)
        clean = [
            np.mean(predict(model, self.images, self.batch_size) == self.labels)
            for model in models.values()
        ]
        names = list(models)
        told = [
            f"made on {source}, shown to {target}: {percent(share)}"
            for source, row in zip(names, matrix, strict=True)
            for target, share in zip(names, row, strict=True)
        ]
        png = figures.matrix_figure(
            np.vstack([clean, matrix]), ["(clean)", *names], names, "made on", "shown to"
        )
        return self._picture(
            picture, title, png, f"Matrix of accuracies in %. {'; '.join(told)}", caption
        )

    @functools.cached_property
    def _seen(self):
        """Rows that all models classify correctly; all rows if there is none."""
        correct = np.ones(len(self.labels), bool)
        for model in self.models.values():
            correct &= predict(model, self.images, self.batch_size) == self.labels
        return np.flatnonzero(correct) if correct.any() else np.arange(len(correct))

    def _number(self, name):
        """Of a model, for a name may be no file name."""
        return 1 + list(self.models).index(name)

    @property
    def _data(self):
        return self.images, self.labels

    @property
    def _options(self):
        return {"batch_size": self.batch_size, "seed": self.seed}

    @property
    def _norm(self):
        return type(self.threat).__name__

    @property
    def _budget(self):
        return str(self.threat)

    def _within(self, eps):
        return type(self.threat)(eps)

    def _fgsm(self, eps):
        return fgsm(self._within(eps), draws=self.draws)

    def _pgd(self, eps):
        return PGD(self._within(eps), eps / 4, steps=20, draws=self.draws)

    def _pgd_40(self, eps):
        return suite(self._within(eps), restarts=1, draws=self.draws)["PGD-40"]

    def _eps_curve(self, model, attack, eps):
        return eps_curve(model, *self._data, attack, eps, **self._options)

    def _picture(self, name, title, png, alt, caption):
        return Picture(name, title, png, f"{alt}.", f"{caption} {self.origin}")


def _told(curves, axis, at):
    """What a chart says, in words: where each curve begins, and where it is at x = `at`."""
    told = []
    for model, by_attack in curves.items():
        for attack, (x, shares) in by_attack.items():
            there = shares[np.argmin(np.abs(np.asarray(x) - at))]
            told.append(f"{model}, {attack}: {percent(shares[0])}, {percent(there)}")
    ends = f"given here at 0 and at {at:.3g}"
    return f"Chart of accuracy in % against {axis}, {ends}. {'; '.join(told)}"
