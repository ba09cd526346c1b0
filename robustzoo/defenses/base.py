"""The custom train step that every defense shares."""

import dataclasses
import functools
from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from robustzoo.architectures._copy import finalize
from robustzoo.attacks import PGD
from robustzoo.backend import accelerated, portable_step, replicas, weight_gradient
from robustzoo.check_number import check_number
from robustzoo.checks import check_attack, check_classifier, check_data, distance_to_probabilities
from robustzoo.defenses.random_eps import RandomEps
from robustzoo.inference import inference
from robustzoo.losses import cross_entropy
from robustzoo.single_precision import HALF, single_precision


class Defense(keras.Model):
    """Trains `classifier` on adversarial examples. Subclasses write `objective`.

        defense = Trades(classifier, attack=PGD(Linf(8 / 255), 2 / 255), beta=6.0)
        defense.compile(optimizer=keras.optimizers.SGD(0.1, momentum=0.9))
        defense.fit(images, labels, validation_data=(val_images, val_labels))

    `classifier` is trained in place, so it is what you keep; `fit` reports `loss`, `accuracy` and
    `robust_accuracy`, the latter two also on `validation_data`.

    Args:
        classifier: keras.Model from images (B, H, W, C) in [0, 1] to logits.
        attack: makes the training examples, with the model in inference mode; one that is targeted
            gets for each image a class drawn uniformly from the other ones.
        validation_attack: measures `robust_accuracy` in `evaluate`; by default `attack`,
            untargeted, at its largest budget; of PGD with `criterion` as its loss and one restart.
        average_decay: d in w_avg <- d w_avg + (1 - d) w after each step (capped at (1 + t) /
            (10 + t)), kept in `averaged`, which `evaluate` then judges. None keeps no average.
        warmup_steps: optimizer steps over which eps and step size grow linearly from 0.
        criterion: (y, logits) -> losses (B,) in place of cross-entropy, say `losses.mmc`.
        label_smoothing: of the cross-entropy, in [0, 1); not with another criterion.
        seed: of the attack's random starts.
    """

    attacked = True  # whether the objective looks at the examples of `attack`
    needs_attack = False

    def __init__(
        self,
        classifier: keras.Model,
        attack: PGD | None = None,
        *,
        validation_attack: PGD | None = None,
        average_decay: float | None = None,
        warmup_steps: int = 0,
        criterion: Callable = cross_entropy,
        label_smoothing: float = 0.0,
        seed: int = 0,
    ):
        super().__init__()
        check_classifier(classifier)
        _check_attacks(attack, validation_attack, warmup_steps)
        if attack is not None and not self.attacked:
            raise ValueError(
                f"{type(self).__name__} trains without an attack; one that is to judge it is its "
                f"validation_attack. Received: attack={attack}"
            )
        if attack is None and self.needs_attack:
            raise ValueError(
                f"{type(self).__name__} trains on the examples of an attack, such as "
                "PGD(Linf(8 / 255), 2 / 255); StandardTraining on the images. Received: None"
            )
        _check_average(average_decay, classifier)
        _check_outputs(classifier)
        _check_smoothing(label_smoothing, criterion)
        self.classifier, self.attack, self.criterion = classifier, attack, criterion
        self.validation_attack = validation_attack or _for_labels(attack, criterion)
        if label_smoothing:
            self.criterion = functools.partial(cross_entropy, label_smoothing=label_smoothing)
        self.average_decay = average_decay
        self.warmup_steps = warmup_steps
        self.averaged = frozen_copy(classifier) if average_decay else None
        self.seeds = keras.random.SeedGenerator(seed)  # owned here, so that fit carries it
        self.loss_metric = keras.metrics.Mean(name="loss")
        self.clean_metric = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
        self.robust_metric = keras.metrics.SparseCategoricalAccuracy(name="robust_accuracy")
        self.built = True

    def objective(self, x, x_adv, y):
        """Returns the losses (B,), clean logits or None, adversarial logits or None."""
        raise NotImplementedError(f"{type(self).__name__} must write objective(x, x_adv, y)")

    def logits(self, x, training: bool = True):
        """Logits (B, L) of the classifier, in float32 where it computes in 16 bits."""
        return single_precision(self.classifier(x, training=training))

    def attack_target(self, x, y):
        """What the attack's loss compares the logits with: the labels, or classes to reach."""
        if not getattr(self.attack, "targeted", False):
            return y
        classes = self.classifier.output_shape[-1]
        shift = keras.random.randint(ops.shape(y), 1, classes, y.dtype, seed=self.seeds)
        return (y + shift) % classes

    @property
    def deployed(self) -> keras.Model:
        """The model to keep: the averaged weights if there are any, else `classifier`."""
        return self.averaged or self.classifier

    def call(self, x, training=False):
        return self.classifier(x, training=training)

    def compile(self, optimizer="rmsprop", jit_compile="auto", **options):
        """As `keras.Model.compile`, without a loss; "auto" uses XLA only where it pays."""
        for name in ("loss", "metrics", "weighted_metrics", "loss_weights"):
            if options.get(name) is not None:
                raise ValueError(
                    f"{type(self).__name__} brings its own objective, accuracy and "
                    f"robust_accuracy: compile without {name}. Received: {options[name]!r}"
                )
        jit_compile = accelerated() if jit_compile == "auto" else jit_compile
        super().compile(optimizer=optimizer, jit_compile=jit_compile, **options)

    def fit(self, x=None, y=None, *args, **options):
        """As `keras.Model.fit`, after a check of shape, range and labels.

        Arrays and tensors are looked at whole; of a source of batches that can be gone through
        again, such as a `tf.data.Dataset`, the first batch.
        """
        self._check(x, y)
        validation = options.get("validation_data")
        if isinstance(validation, tuple | list):
            self._check(*validation[:2])
        else:
            self._check(validation)
        return super().fit(x, y, *args, **options)

    def evaluate(self, x=None, y=None, *args, **options):
        """As `keras.Model.evaluate`; data are checked as in `fit`."""
        self._check(x, y)
        return super().evaluate(x, y, *args, **options)

    @portable_step
    def train_step(self, x, y, sample_weight=None):
        _check_rank(y)
        x = ops.cast(x, "float32")  # as attacks and bounds want images, whatever Keras' floatx is
        x_adv = self._adversarial(x, y)

        def scaled_loss():
            losses, clean, adversarial = self.objective(x, x_adv, y)
            loss = _mean(losses, sample_weight)
            loss += sum(ops.cast(regulariser, loss.dtype) for regulariser in self.classifier.losses)
            scaled = self.optimizer.scale_loss(loss / replicas())
            logits = {"clean": clean, "adversarial": adversarial}
            return scaled, (loss, {k: v for k, v in logits.items() if v is not None})

        (_, (loss, logits)), gradients = weight_gradient(self, scaled_loss)
        self.optimizer.apply(gradients, self.trainable_variables)
        self._average()
        return self._logs(x, y, loss, logits.get("clean"), logits.get("adversarial"))

    @portable_step
    def test_step(self, x, y, sample_weight=None):
        _check_rank(y)
        x = ops.cast(x, "float32")
        clean = inference(self.deployed)(x)
        loss = _mean(self.criterion(y, clean), sample_weight)
        return self._logs(x, y, loss, clean, self.judge(x, y))

    def judge(self, x, y):
        """Logits of `deployed` (B, L) that `robust_accuracy` counts in `evaluate`, or None."""
        if self.validation_attack is None:
            return None
        # A fixed seed: validation neither moves the training noise nor varies by epoch.
        x_adv = self.validation_attack(self.deployed, x, y, seed=0)
        return inference(self.deployed)(x_adv)

    def warmup(self):
        """The share in (0, 1] of the full eps at the optimizer step that comes now."""
        if not self.warmup_steps:
            return 1.0
        step = ops.cast(self.optimizer.iterations + 1, "float32")
        return ops.minimum(1.0, step / self.warmup_steps)

    def _adversarial(self, x, y):
        if self.attack is None:
            return x
        attack = self.attack
        if self.warmup_steps:
            attack = attack.scaled(self.warmup())
        return attack(self.classifier, x, self.attack_target(x, y), self.seeds)

    def _average(self):
        if self.averaged is None:
            return
        step = ops.cast(self.optimizer.iterations, "float32")
        decay = ops.minimum(self.average_decay, (1.0 + step) / (10.0 + step))
        for mean, variable in zip(self.averaged.variables, self.classifier.variables, strict=True):
            # The seeds of dropout and noise are left alone.
            if keras.backend.is_float_dtype(mean.dtype):
                share = ops.cast(decay, mean.dtype)
                mean.assign(share * mean + (1.0 - share) * variable)

    def _logs(self, x, y, loss, clean, adversarial):
        self.loss_metric.update_state(loss, sample_weight=ops.shape(x)[0])
        logs = {"loss": self.loss_metric.result()}
        pairs = (self.clean_metric, clean), (self.robust_metric, adversarial)
        for metric, logits in pairs:
            if logits is not None:
                metric.update_state(y, logits)
                logs[metric.name] = metric.result()
        return logs

    def _check(self, x, y=None):
        if y is None:
            x, y = _first_batch(x)
        # Of another backend too: a tf.data.Dataset feeds them all.
        if hasattr(x, "__array__"):
            x, y = (ops.convert_to_numpy(a) if ops.is_tensor(a) else a for a in (x, y))
            check_data(self.classifier, x, y)


def _check_attacks(attack, validation_attack, warmup_steps):
    for name, value in (("attack", attack), ("validation_attack", validation_attack)):
        if value is not None:
            check_attack(value, name)
    check_number("warmup_steps", warmup_steps, ">= 0", whole=True)
    if getattr(validation_attack, "targeted", False):
        raise ValueError(
            "validation_attack gets the labels, so it must be untargeted. "
            f"Received: {validation_attack}"
        )
    if warmup_steps and attack is not None and not hasattr(attack, "scaled"):
        raise ValueError(
            "warmup_steps need an attack whose budget can grow, such as PGD or RandomEps. "
            f"Received: warmup_steps={warmup_steps}, attack={attack}"
        )


def _check_average(average_decay, classifier):
    if average_decay is None:
        return
    check_number("average_decay", average_decay, "in (0, 1)")
    if any(v.dtype in HALF for v in classifier.weights):
        raise ValueError(
            "average_decay needs weights in float32, as under the policy mixed_bfloat16: in "
            "16 bits an average soon stands still. Received: a classifier with others"
        )


def _check_smoothing(label_smoothing, criterion):
    check_number("label_smoothing", label_smoothing, "in [0, 1)")
    if label_smoothing and criterion is not cross_entropy:
        raise ValueError(f"label_smoothing is of cross_entropy. Received: {criterion}")


def _check_outputs(classifier):
    """Raises ValueError for probabilities in place of logits, and for losses of layers."""
    size = [size or 32 for size in classifier.input_shape[1:]]
    images = np.random.default_rng(0).uniform(size=(2, *size)).astype("float32")
    with keras.StatelessScope(collect_losses=True) as scope:
        outputs = ops.convert_to_numpy(single_precision(classifier(images, training=True)))
    if distance_to_probabilities(outputs) < 1e-2:  # of 16 bits, too
        raise ValueError(
            "the classifier must end in logits: the losses take a softmax themselves. Received: "
            f"{classifier.name}, whose outputs look like probabilities; remove its softmax"
        )
    # A step has several passes, and which of them an `add_loss` is of differs by backend.
    if scope.losses:
        layers = classifier._flatten_layers(include_self=False)
        names = [layer.name for layer in layers if layer._loss_ids]
        raise ValueError(
            "losses that layers add, and activity regularisers, are not trained with; "
            f"regularisers of weights are. Received: such losses of {', '.join(names)}"
        )


def _first_batch(source):
    """(images, labels) of the first batch, (None, None) of what gives each batch only once."""
    # A generator is its own iterator: what is taken from it here, training would never see.
    if not hasattr(source, "__iter__") or iter(source) is source:
        return None, None
    batch = next(iter(source), None)
    return batch[:2] if isinstance(batch, tuple | list) and len(batch) > 1 else (None, None)


def _check_rank(y):
    # Of batches that nobody has looked at: labels (B, 1) would broadcast against every image.
    if len(y.shape) != 1:
        raise ValueError(f"labels must be of shape (B,). Received: {tuple(y.shape)}")


def _mean(losses, sample_weight):
    if sample_weight is not None:
        losses = losses * ops.cast(sample_weight, losses.dtype)
    return ops.mean(losses)


def _for_labels(attack, criterion):
    """The training attack as a judge: what TRADES ascends needs more than labels."""
    if isinstance(attack, RandomEps):
        attack = attack.attack
    if getattr(attack, "targeted", False):
        attack = dataclasses.replace(attack, targeted=False)
    if not isinstance(attack, PGD):
        return attack
    start = "uniform" if attack.start == "gaussian" else attack.start
    return dataclasses.replace(attack, loss=criterion, start=start, restarts=1)


def frozen_copy(model: keras.Model) -> keras.Model:
    """A model of its own with the same weights, which no training moves."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    finalize(copy)
    copy.trainable = False
    return copy
