import inspect

import keras
import numpy as np
import pytest
from keras import ops
from tiny import numpy, tiny_batch, tiny_classifier, tiny_linear, values

from robustzoo import defenses
from robustzoo.architectures import ensemble, noisy
from robustzoo.attacks import MIM, PGD, fgsm
from robustzoo.defenses import (
    IBP,
    MTLIBP,
    SABR,
    AdaptiveDiversity,
    AdversarialGenerator,
    AdversarialMixing,
    AdversarialPool,
    CenterLossTraining,
    Certified,
    CrownIBP,
    Defense,
    Distillation,
    ExactLinear,
    HiddenPerturbation,
    MadryTraining,
    MixupTraining,
    NoiseTraining,
    RandomEps,
    StandardTraining,
    Trades,
    WongKolter,
)
from robustzoo.losses import cross_entropy, kl_divergence, mmc
from robustzoo.threats import L2, Linf

THREAT = Linf(0.02)
EVERY = [
    c
    for _, c in inspect.getmembers(defenses, inspect.isclass)
    if issubclass(c, Defense) and c not in (Defense, Certified)
]
WITHOUT_ATTACK = {  # what makes their examples instead
    StandardTraining: {},
    NoiseTraining: {"sigma": 0.1},
    Distillation: {"teacher": tiny_classifier(seed=1), "temperature": 2.0},
    AdversarialGenerator: {"threat": THREAT, "radius": "estimated"},
    ExactLinear: {"threat": THREAT},
    HiddenPerturbation: {"threat": L2(0.1), "layer": "relu"},
    **dict.fromkeys((IBP, CrownIBP, MTLIBP, SABR, WongKolter), {"threat": THREAT}),
}
DRAWS = {cls: 0 for cls in WITHOUT_ATTACK} | {
    MTLIBP: 1,
    SABR: 1,
    AdversarialPool: 2,
    NoiseTraining: 1,
    MixupTraining: 5,  # the attack's, and for each of two mixings an order and the shares
}  # of noise in a step, else 1


def fresh(cls):
    if cls is AdaptiveDiversity:
        return ensemble([tiny_classifier(seed=k) for k in range(2)])
    return tiny_linear(4) if cls is ExactLinear else tiny_classifier()


def make(cls, classifier=None, attack=None, **options):
    arguments = WITHOUT_ATTACK.get(cls, {"attack": attack})
    return cls(classifier or fresh(cls), **arguments, **options)


def compiled(cls, rate=0.1, classifier=None, steps=3, **options):
    defense = make(cls, classifier, PGD(THREAT, 0.01, steps=steps), **options)
    defense.compile(keras.optimizers.SGD(rate, momentum=0.9))
    return defense


@pytest.fixture(params=EVERY, ids=lambda c: c.__name__)
def cls(request):
    return request.param


def test_lowers_its_objective_and_reports_robust_accuracy(cls):
    """And draws noise anew in every step, none of it for validation."""
    x, y = tiny_batch(64)
    judge = {"validation_attack": PGD(THREAT, 0.01, steps=3)} if cls in WITHOUT_ATTACK else {}
    defense = compiled(cls, **judge)
    history = defense.fit(x, y, batch_size=32, epochs=6, verbose=0, validation_data=(x, y)).history
    assert history["loss"][-1] < history["loss"][0]
    assert {"val_accuracy", "val_robust_accuracy"} <= set(history)
    assert all(
        r <= a for a, r in zip(history["val_accuracy"], history["val_robust_accuracy"], strict=True)
    )
    assert int(numpy(defense.seeds.state)[1]) == 12 * DRAWS.get(cls, 1)


@pytest.mark.parametrize("cls", [c for c in EVERY if c is not ExactLinear])  # has no BatchNorm
def test_batchnorm_moves_alike_whatever_the_attack(cls):
    """Only the clean step counts a batch, not the attack's forward passes."""
    if cls in WITHOUT_ATTACK:
        lengths = [{"validation_attack": PGD(Linf(0.0), 0.1, steps=n)} for n in (0, 4)]
    else:
        lengths = [{"attack": PGD(Linf(0.0), 0.1, steps=n)} for n in (0, 4)]
    x, y = tiny_batch()
    means = []
    for options in lengths:
        keras.utils.set_random_seed(0)  # a generator network starts at random
        classifier = fresh(cls)
        defense = make(cls, classifier, **options)
        defense.compile(keras.optimizers.SGD(0.0))
        defense.fit(x, y, batch_size=32, verbose=0, validation_data=(x, y))
        norm = next(layer for layer in classifier.layers if layer.name.endswith("bn"))
        means.append(numpy(norm.moving_mean))
    np.testing.assert_allclose(means[0], means[1], atol=1e-6)
    assert np.abs(means[0]).max() > 0


def test_averaged_weights_follow_the_formula_and_survive_a_second_fit(cls):
    x, y = tiny_batch()
    classifier = fresh(cls)
    defense = compiled(cls, classifier=classifier, average_decay=0.5)
    start = values(classifier)
    first = defense.fit(x, y, batch_size=32, verbose=0).history["loss"][-1]
    decay = min(0.5, (1 + 1) / (10 + 1))  # after the first step
    for old, new, mean in zip(start, values(classifier), values(defense.averaged), strict=True):
        if new.dtype.kind == "f":
            np.testing.assert_allclose(mean, decay * old + (1 - decay) * new, atol=1e-6)
    assert defense.deployed is defense.averaged
    second = defense.fit(x, y, batch_size=32, epochs=8, verbose=0).history["loss"][-1]
    assert second < first
    assert int(numpy(defense.seeds.state)[1]) == 9 * DRAWS.get(cls, 1)


def small_generator():
    """Smaller than a generator's own, which takes long to compile."""
    scale = keras.layers.Conv2D(3, 1, activation="tanh")
    return {"generator": keras.Sequential([keras.Input((8, 8, 3)), scale])}


def check_trains(cls, classifier):
    """On weighed examples and with a regulariser, whose sums meet the losses."""
    x, y = tiny_batch(8)
    classifier.trainable_weights[-1].regularizer = keras.regularizers.L2(0.1)
    options = small_generator() if cls is AdversarialGenerator else {}
    defense = compiled(cls, steps=1, classifier=classifier, **options)
    weights = np.ones(len(y), "float32")
    assert np.isfinite(defense.fit(x, y, sample_weight=weights, verbose=0).history["loss"]).all()
    return defense


LONG = pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="JAX has 64 bits only if asked for"
)


@LONG
def test_trains_whatever_floatx_is(cls, float64_by_default):
    """Keras then feeds images, and draws and counts, in 64 bits where nothing else is said."""
    check_trains(cls, fresh(cls))


@LONG
def test_weights_of_64_bits_meet_logits_of_32(float64_by_default):
    keras.config.set_dtype_policy("float32")
    check_trains(StandardTraining, fresh(StandardTraining))


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="JAX mixes dtypes as it is")
@pytest.mark.parametrize("cls", [c for c in EVERY if not issubclass(c, Certified)])
def test_trains_on_logits_of_16_bits(cls):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        classifier = fresh(cls)
    finally:
        keras.config.set_dtype_policy("float32")
    defense = check_trains(cls, classifier)
    if cls is MadryTraining:  # all judge alike
        x, y = tiny_batch(8)
        assert np.isfinite(defense.evaluate(x, y, verbose=0, return_dict=True)["loss"])


def test_weighs_examples():
    """The loss is the mean over all of weight times loss."""
    x, y = tiny_batch(4)
    defense = compiled(StandardTraining, rate=0.0)
    losses = numpy(defense.objective(x, x, y)[0])
    weights = np.array([0.0, 1.0, 2.0, 0.5], "float32")
    found = defense.fit(x, y, sample_weight=weights, verbose=0, shuffle=False).history["loss"]
    assert found == pytest.approx([(losses * weights).mean()], rel=1e-4)
    by_class = dict(enumerate([0.0, 1.0, 2.0, 0.5]))
    found = defense.fit(x, y, class_weight=by_class, verbose=0).history["loss"]
    assert found == pytest.approx([(losses * weights[y]).mean()], rel=1e-4)


def test_objectives_by_hand():
    x, y = tiny_batch()
    x_adv = np.clip(x + 0.05, 0, 1)
    model = tiny_classifier()
    model.trainable = False  # BatchNorm in inference mode, so that logits can be compared
    clean, bad = model(x), model(x_adv)
    attack = fgsm(THREAT)
    kl = numpy(kl_divergence(clean, bad))
    ce, ce_bad = numpy(cross_entropy(y, clean)), numpy(cross_entropy(y, bad))
    expected = [
        (StandardTraining(model), ce),
        (MadryTraining(model, attack), ce_bad),
        (AdversarialMixing(model, attack), ce + ce_bad),
        (AdversarialMixing(model, attack, alpha=0.25), 0.5 * ce + 1.5 * ce_bad),
        (Trades(model, attack, beta=3.0), ce + 3.0 * kl),
        (Trades(model, attack, beta=0.0), ce),
    ]
    for defense, losses in expected:
        np.testing.assert_allclose(numpy(defense.objective(x, x_adv, y)[0]), losses, rtol=1e-4)
    other = (y + 1) % 4  # the pool's labels are its own
    pair = AdversarialPool(model, attack).objective(x, (x_adv, other), y)[0]
    np.testing.assert_allclose(numpy(pair), ce + numpy(cross_entropy(other, bad)), rtol=1e-4)


class Subclassed(keras.Model):
    def call(self, x):
        return x


def two_inputs():
    inputs = [keras.Input((8, 8, 3)), keras.Input((8, 8, 3))]
    x = keras.layers.Flatten()(keras.layers.Add()(inputs))
    return keras.Model(inputs, keras.layers.Dense(4)(x))


def with_end(*end, shape=(8, 8, 3)):
    return keras.Sequential([keras.Input(shape), keras.layers.Flatten(), *end])


@pytest.mark.parametrize(
    "make, message",
    [
        (Subclassed, "must be a functional keras.Model or a built Sequential"),
        (lambda: keras.Sequential([keras.layers.Dense(4)]), "or a built Sequential"),
        (lambda: "trades-mnist", "or a built Sequential. Received: 'trades-mnist' of type str"),
        (two_inputs, r"must take images \(B, H, W, C\)"),
        (lambda: with_end(keras.layers.Dense(4), shape=(192,)), r"of inputs \(None, 192\)"),
        (lambda: with_end(keras.layers.Dense(1)), "L >= 2 classes"),
        (lambda: keras.Sequential([keras.Input((8, 8, 3)), keras.layers.ReLU()]), "outputs"),
        (lambda: with_end(keras.layers.Dense(4), keras.layers.Softmax()), "remove its softmax"),
    ],
)
def test_what_is_no_classifier_is_refused_before_training(make, message):
    for train in (StandardTraining, lambda m: Distillation(m, teacher=tiny_classifier())):
        with pytest.raises(ValueError, match=message):
            train(make())


def test_two_classes_and_a_batch_of_one(cls):
    x, _ = tiny_batch(1)
    classifier = tiny_classifier(classes=2)
    if cls is AdaptiveDiversity:
        classifier = ensemble([classifier, tiny_classifier(seed=1, classes=2)])
    elif cls is ExactLinear:
        classifier = tiny_linear(2)
    options = WITHOUT_ATTACK.get(cls, {"attack": PGD(THREAT, 0.01, steps=2)})
    if cls is Distillation:
        options = options | {"teacher": tiny_classifier(seed=1, classes=2)}
    elif cls is AdversarialGenerator:
        options = options | small_generator()
    defense = cls(classifier, **options)
    defense.compile(keras.optimizers.SGD(0.1))
    for label in (0, 1):
        y = np.array([label], "int32")
        losses = numpy(defense.objective(x, defense._adversarial(x, y), y)[0])
        assert losses.shape == (1,) and np.isfinite(losses).all()


def test_eps_grows_over_the_warmup():
    """With a step that moves no weight, the loss on adversarial images shows the eps in use."""
    x, y = tiny_batch()
    model = tiny_classifier()
    defense = MadryTraining(model, fgsm(Linf(0.1)), warmup_steps=4)
    defense.compile(keras.optimizers.SGD(0.0))
    rises = [defense.train_on_batch(x, y, return_dict=True)["loss"] for _ in range(1)]
    for _ in range(5):
        defense.reset_metrics()
        rises.append(defense.train_on_batch(x, y, return_dict=True)["loss"])
    assert rises[0] < rises[1] < rises[2] < rises[3]
    assert rises[3] == pytest.approx(rises[5], rel=0.05)


@pytest.mark.parametrize("wrap", [lambda attack: attack, lambda attack: RandomEps(attack, 0.5)])
def test_a_targeted_attack_trains_towards_every_other_class(wrap):
    attack = wrap(PGD(THREAT, 0.02, steps=1, start="clean", targeted=True))
    defense = MadryTraining(tiny_classifier(), attack)
    y = np.tile(np.arange(4, dtype="int32"), 100)
    reached = numpy(defense.attack_target(None, y))
    pairs = {(a, b) for a in range(4) for b in range(4) if a != b}
    assert set(zip(y.tolist(), reached.tolist(), strict=True)) == pairs
    x, y = tiny_batch()
    reached = MadryTraining(tiny_classifier(), attack).attack_target(x, y)  # by the same seed
    defense = MadryTraining(tiny_classifier(), attack)
    x_adv = defense._adversarial(x, y)
    before, after = (cross_entropy(reached, defense.classifier(z)) for z in (x, x_adv))
    assert numpy(ops.all(after < before))
    judge = defense.validation_attack
    assert isinstance(judge, PGD) and not judge.targeted and judge.threat == THREAT


def test_a_judge_of_any_targeted_attack_is_untargeted():
    """One that reaches for the labels would raise the accuracy it reports."""
    attack = MIM(THREAT, 0.01, targeted=True)
    judge = MadryTraining(tiny_classifier(), attack).validation_attack
    assert isinstance(judge, MIM) and not judge.targeted


def normalized():
    """Linear on images that an adapted `Normalization` scales."""
    x, _ = tiny_batch()
    norm = keras.layers.Normalization()
    norm.adapt(x)
    parts = [keras.Input(x.shape[1:]), norm, keras.layers.Flatten(), keras.layers.Dense(4)]
    return keras.Sequential(parts), x


def test_copies_keep_an_adapted_normalization():
    model, x = normalized()
    defense = Distillation(model, teacher=model, average_decay=0.5)
    for copy in (defense.teacher, defense.averaged):
        np.testing.assert_allclose(numpy(copy(x)), numpy(model(x)), atol=1e-5)


def test_labels_of_two_axes_in_batches_are_refused(cls):
    x, y = tiny_batch()
    defense = compiled(cls)
    batches = (batch for batch in [(x, y[:, None])])  # once only, so `fit` does not look at them
    with pytest.raises(ValueError, match=r"labels must be of shape \(B,\)"):
        defense.fit(batches, shuffle=False, verbose=0)


class Batches(keras.utils.PyDataset):
    """Batches of which `fit` looks at the first."""

    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        return self.batches[index]


def test_averages_of_16_bits_are_refused():
    keras.config.set_dtype_policy("bfloat16")
    try:
        classifier = tiny_classifier()
    finally:
        keras.config.set_dtype_policy("float32")
    with pytest.raises(ValueError, match="needs weights in float32"):
        StandardTraining(classifier, average_decay=0.999)


class Adds(keras.layers.Layer):
    def call(self, x, training=False):
        if training:
            self.add_loss(ops.mean(x))
        return x


@pytest.mark.parametrize(
    "busy",
    [keras.layers.Dense(4, activity_regularizer="l2", name="busy"), Adds(name="busy")],
    ids=["activity", "add_loss"],
)
def test_losses_that_layers_add_are_refused(busy):
    flat = [keras.layers.Flatten(), keras.layers.Dense(4, kernel_regularizer="l2")]
    inner = keras.Sequential([keras.Input((8, 8, 3)), *flat, busy])
    model = keras.Sequential([keras.Input((8, 8, 3)), inner])
    with pytest.raises(ValueError, match="losses that layers add, .* such losses of busy"):
        StandardTraining(model)


@pytest.mark.parametrize("cls", [ExactLinear, HiddenPerturbation, AdversarialGenerator])
def test_an_attack_that_training_would_ignore_is_refused(cls):
    with pytest.raises(ValueError, match="trains without an attack"):
        cls(fresh(cls), **WITHOUT_ATTACK[cls], attack=fgsm(THREAT))


def test_byte_labels_as_keras_loads_them():
    x, y = tiny_batch()
    for cls in (CenterLossTraining, ExactLinear):
        defense = compiled(cls, steps=1)
        assert np.isfinite(defense.fit(x, y.astype("uint8"), verbose=0).history["loss"][0])


def test_gradients_of_regularisers_are_kept():
    x, y = tiny_batch()
    classifier = tiny_classifier()
    classifier.get_layer("head").kernel_regularizer = keras.regularizers.L2(0.5)
    kernel = classifier.get_layer("head").kernel
    kernel.regularizer = keras.regularizers.L2(0.5)
    defense = MadryTraining(classifier, fgsm(THREAT))
    defense.compile(keras.optimizers.SGD(0.0))
    loss = defense.fit(x, y, verbose=0).history["loss"][0]
    plain = MadryTraining(tiny_classifier(), fgsm(THREAT))
    plain.compile(keras.optimizers.SGD(0.0))
    extra = loss - plain.fit(x, y, verbose=0).history["loss"][0]
    assert extra == pytest.approx(0.5 * float((numpy(kernel.value) ** 2).sum()), rel=1e-3)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda m: Trades(m, fgsm(THREAT), beta=-1.0), "beta must be"),
        (lambda m: Trades(m, fgsm(THREAT), beta=float("nan")), "beta must be"),
        (lambda m: MadryTraining(m, None), "trains on the examples of an attack"),
        (lambda m: AdversarialMixing(m, None), "trains on the examples of an attack"),
        (lambda m: AdversarialPool(m, None), "trains on the examples of an attack"),
        (lambda m: MadryTraining(m, 0.1), "attack must be an attack, such as PGD"),
        (lambda m: IBP(m, threat=THREAT, warmup_steps=-5), "warmup_steps must be an integer >= 0"),
        (lambda m: Trades(m, PGD(THREAT, 0.01, targeted=True)), "must be an untargeted PGD"),
        (lambda m: Trades(m, MIM(THREAT, 0.01)), "must be an untargeted PGD"),
        (lambda m: AdversarialMixing(m, fgsm(THREAT), alpha=2.0), "alpha must lie"),
        (lambda m: MadryTraining(m, fgsm(THREAT), average_decay=1.0), "average_decay must lie"),
        (lambda m: StandardTraining(m, fgsm(THREAT)), "StandardTraining trains without an attack"),
        (lambda m: MadryTraining(m, fgsm(THREAT), label_smoothing=1.0), "label_smoothing must"),
        (lambda m: MadryTraining(m, fgsm(THREAT)).compile(loss="mse"), "without loss"),
        (lambda m: MadryTraining(m, MIM(THREAT, 0.01), warmup_steps=3), "need an attack whose"),
        (
            lambda m: StandardTraining(m, validation_attack=MIM(THREAT, 0.01, targeted=True)),
            "must be untargeted",
        ),
        (lambda m: HiddenPerturbation(m, threat=0.1, layer="relu"), "threat must be Linf, L2"),
        (lambda m: SABR(m, threat=0.1), "threat must be Linf"),
        (lambda m: SABR(m, threat=THREAT, steps=0), "steps must be an integer"),
        (lambda m: MTLIBP(m, threat=0.1), "threat must be Linf"),
        (lambda m: IBP(m, threat=THREAT, criterion=mmc), "criterion must be cross_entropy"),
        (
            lambda m: IBP(tiny_linear(), threat=THREAT, regularization=0.5, warmup_steps=2),
            "has none",
        ),
        (
            lambda m: AdaptiveDiversity(noisy(m, inner=0.0, draws=2)),
            "classifier must be an ensemble",
        ),
    ],
)
def test_bad_options(make, message):
    with pytest.raises(ValueError, match=message):
        make(tiny_classifier())


def test_fit_refuses_bad_images_before_anything_moves(cls):
    x, y = tiny_batch()
    defense = compiled(cls)
    before = values(defense.classifier)
    for bad, labels in ((x * 255, y), (x * np.nan, y), (x, y + 4), (x[:, :4], y), (x[:0], y[:0])):
        with pytest.raises(ValueError, match="must"):
            defense.fit(bad, labels, verbose=0)
    for old, new in zip(before, values(defense.classifier), strict=True):
        np.testing.assert_array_equal(old, new)


def test_the_first_batch_of_a_source_is_checked():
    x, y = tiny_batch()
    defense = compiled(MadryTraining, steps=1)
    good, before = Batches([(x, y)]), values(defense.classifier)
    for bad in (Batches([(x * 255, y)]), Batches([(x, y + 4)]), tf_data(x * 255, y)):
        for method in (defense.fit, defense.evaluate):
            with pytest.raises(ValueError, match="must lie in"):
                method(bad, verbose=0)
        with pytest.raises(ValueError, match="must lie in"):
            defense.fit(good, verbose=0, validation_data=bad)
    for old, new in zip(before, values(defense.classifier), strict=True):
        np.testing.assert_array_equal(old, new)
    once = (batch for batch in [(x, y)])
    for source in (good, tf_data(x, y), once):
        defense.fit(source, shuffle=False, steps_per_epoch=1, verbose=0)
    assert next(once, None) is None and int(numpy(defense.optimizer.iterations)) == 3


def tf_data(x, y):
    tf = pytest.importorskip("tensorflow")
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(4)


@pytest.mark.parametrize("given", [np.asarray, ops.convert_to_tensor], ids=["array", "tensor"])
def test_whatever_holds_images_is_checked(given):
    x, y = tiny_batch()
    defense = compiled(MadryTraining, steps=1)
    before = values(defense.classifier)
    good, labels = given(x), given(y)
    for bad in (given(x * 255), given(x * np.nan)):
        for pair in ((bad, labels), [bad, labels]):
            with pytest.raises(ValueError, match="images must"):
                defense.fit(good, labels, verbose=0, validation_data=pair)
        for method in (defense.fit, defense.evaluate):
            with pytest.raises(ValueError, match="images must"):
                method(bad, labels, verbose=0)
    with pytest.raises(ValueError, match="labels must lie"):
        defense.evaluate(good, given(y + 4), verbose=0)
    for old, new in zip(before, values(defense.classifier), strict=True):
        np.testing.assert_array_equal(old, new)
    defense.fit(good, labels, 16, 2, 0, validation_data=[good, labels])  # by position, as in Keras
    assert int(numpy(defense.optimizer.iterations)) == 4
    assert defense.evaluate(good, labels, 16, 0, return_dict=True)["robust_accuracy"] <= 1
