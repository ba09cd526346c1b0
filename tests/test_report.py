"""Pictures and tables: their arrays on models whose margins are known, and the page around them."""

import functools
import re
from html.parser import HTMLParser
from urllib.parse import unquote

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from tiny import tiny_batch, tiny_classifier, tiny_linear, values

from robustzoo import architectures, cli, datasets, zoo
from robustzoo.attacks import PGD, CarliniWagner, fgsm, generate
from robustzoo.evaluation import gallery
from robustzoo.evaluation.gallery import Gallery
from robustzoo.evaluation.measures import (
    adversarial_grid,
    certified_curve,
    eps_curve,
    loss_surface,
    norm_curve,
    norm_summary,
    steps_curve,
    transfer_matrix,
)
from robustzoo.evaluation.page import Page, Picture, Table, to_html, to_markdown
from robustzoo.evaluation.write_report import write_report
from robustzoo.layers import Noise
from robustzoo.losses import margin
from robustzoo.threats import Linf

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x02\0\0\0\x01"


def classes(model, x):
    return keras.ops.convert_to_numpy(model(x)).argmax(1).astype("int32")


@pytest.fixture(scope="module")
def linear():
    """A linear model, images that it classifies correctly and eps that breaks each in Linf."""
    x = tiny_batch(61)[0] * 0.5 + 0.25  # far enough from 0 and 1
    model = tiny_linear()
    w, b = (keras.ops.convert_to_numpy(v).astype("float64") for v in model.layers[-1].weights)
    gap = x.reshape(61, -1) @ (w[:, 0] - w[:, 1]) + b[0] - b[1]
    return model, x, classes(model, x), np.abs(gap) / np.abs(w[:, 0] - w[:, 1]).sum()


@pytest.mark.parametrize("attack", [fgsm, lambda threat: PGD(threat, threat.eps / 4, steps=9)])
def test_eps_curve_of_a_linear_closed_form(linear, attack):
    """The share left at eps is that of margins above eps |w0 - w1|_1."""
    model, x, y, limits = linear
    cuts = np.sort(limits)[[5, 20, 40, 59]]
    eps = np.concatenate([[0.0], cuts + 0.5 * np.diff(np.sort(limits))[[5, 20, 40, 59]]])
    y = np.where(np.arange(61) < 3, 1 - y, y)  # three are wrong from the start
    right = np.arange(61) >= 3
    expected = [np.mean(right & (limits > e)) for e in eps]
    curve = eps_curve(model, x, y, lambda e: attack(Linf(e)), eps, batch_size=32)
    np.testing.assert_allclose(curve, expected)
    np.testing.assert_allclose(norm_curve(np.where(right, limits, 0.0), eps), expected)
    # Intervals of a linear model are exact: what no attack breaks is proved.
    np.testing.assert_allclose(certified_curve(model, x, y, eps, methods="ibp"), expected)


def test_eps_curve_falls_and_refuses_a_wrong_order():
    x, y = tiny_batch(24)
    model = tiny_classifier()
    before = values(model)
    curve = eps_curve(model, x, classes(model, x), lambda e: fgsm(Linf(e)), [0.0, 0.01, 0.1, 1.0])
    assert curve[0] == 1 and curve[-1] < 1 and (np.diff(curve) <= 0).all()
    for old, new in zip(before, values(model), strict=True):
        np.testing.assert_array_equal(old, new)
    with pytest.raises(ValueError, match="ascending"):
        eps_curve(model, x, y, lambda e: fgsm(Linf(e)), [0.1, 0.1])


def test_steps_curve_of_a_linear_closed_form(linear):
    """From the image itself, k steps of size a break what lies within k a."""
    model, x, y, limits = linear
    a = float(np.median(limits)) / 3.5
    attack = PGD(Linf(1.0), a, steps=5, start="clean")
    expected = [np.mean(limits > k * a) for k in range(6)]
    np.testing.assert_allclose(steps_curve(model, x, y, attack, batch_size=16), expected)


def test_steps_curve_falls():
    x, _ = tiny_batch(24)
    model = tiny_classifier()
    y = classes(model, x)
    curve = steps_curve(model, x, y, PGD(Linf(0.1), 0.02, steps=6), batch_size=10, seed=2)
    assert curve.shape == (7,) and curve[-1] < 1 and (np.diff(curve) <= 0).all()


@pytest.fixture(scope="module")
def random_model():
    """Its logits on images of 0.5 differ by N(3.2, 3.2^2): every call misjudges 16% of them."""
    model = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            Noise(0.8, seed=1000),
            keras.layers.Flatten(),
            keras.layers.Dense(2),
        ]
    )
    model.set_weights([np.stack([np.zeros(16), np.ones(16)], axis=1), np.array([0.0, -4.8])])
    return model, np.full((200, 4, 4, 1), 0.5, "float32"), np.ones(200, "int32")


def test_steps_curve_of_a_random_model_counts_no_luck(random_model):
    """Steps that change nothing break nothing, however often the noise alone fools the model."""
    model, x, y = random_model
    curve = steps_curve(model, x, y, PGD(Linf(1e-6), 1e-7, steps=20), batch_size=50)
    assert 0.75 < curve[0] < 0.92
    np.testing.assert_allclose(curve, curve[0], atol=0.01)
    curve = steps_curve(model, x, y, PGD(Linf(0.5), 0.25, steps=5, draws=2), batch_size=50)
    assert curve[-1] < 0.2


def test_norms_in_numbers():
    distance = np.array([0.0, 1.0, 2.0, 6.0, np.inf])
    assert norm_summary(distance) == (0.75, 3.0, 2.0)
    np.testing.assert_allclose(norm_curve(distance, [0.0, 1.0, 10.0]), [0.8, 0.6, 0.2])
    assert norm_summary(np.array([np.inf]))[0] == 0
    assert np.isnan(norm_summary(np.zeros(3))).all()
    with pytest.raises(ValueError, match="NaN"):
        norm_curve(np.array([np.nan]), [1.0])


def test_loss_surface_of_a_linear_closed_form(linear):
    """The margin loss is a plane that rises by eps |w0 - w1|_1 towards the gradient's sign."""
    model, x, y, limits = linear
    threat = Linf(float(limits[0]) * 1.2)
    surface = functools.partial(loss_surface, model, x[0], int(y[0]), threat, 5, loss=margin)
    steps, losses, seen = surface(batch_size=7, seed=1)
    np.testing.assert_allclose(steps, [-1, -0.5, 0, 0.5, 1])
    slope = np.diff(losses, axis=0)
    norm = np.abs(np.subtract(*keras.ops.convert_to_numpy(model.layers[-1].kernel).T)).sum()
    np.testing.assert_allclose(slope, 0.5 * threat.eps * norm, rtol=1e-3)
    np.testing.assert_allclose(np.diff(losses, n=2, axis=1), 0, atol=1e-4)
    np.testing.assert_array_equal(seen[:, 2] == y[0], [True, True, True, True, False])
    np.testing.assert_array_equal(surface(batch_size=128, seed=1)[2], seen)


def test_transfer_matrix_has_the_white_box_on_its_diagonal():
    x, y = tiny_batch(24)
    models = {f"member {seed}": tiny_classifier(seed=seed) for seed in range(3)}
    y = classes(models["member 1"], x)
    attack = PGD(Linf(0.05), 0.02, steps=4, start="clean")
    matrix = transfer_matrix(models, x, y, attack, batch_size=10)
    for i, source in enumerate(models.values()):
        found = generate(attack, source, x, y, batch_size=24)
        for j, model in enumerate(models.values()):
            both = (classes(model, x) == y) & (classes(model, found) == y)
            assert matrix[i, j] == both.mean()
    assert matrix[1, 1] < 1


def test_adversarial_grid_is_what_the_attacks_make():
    x, _ = tiny_batch(5)
    model = tiny_classifier()
    y = classes(model, x)
    attack = fgsm(Linf(0.1))
    found, seen = adversarial_grid(model, x, y, {"FGSM": attack})
    np.testing.assert_array_equal(found[0], x)
    np.testing.assert_allclose(found[1], generate(attack, model, x, y), atol=1e-6)
    np.testing.assert_array_equal(seen, [y, classes(model, found[1])])


class Tags(HTMLParser):
    """Every tag with its attributes; fails where one is not closed."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open = [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def __getitem__(self, wanted):
        return [attributes for tag, attributes in self.tags if tag == wanted]


def check_html(text, pictures):
    tags = Tags(text)
    assert len(tags["img"]) == pictures
    for image in tags["img"]:
        assert image["src"].startswith("data:image/png;base64,")
        assert len(image["alt"]) > 20
    assert not tags["script"] and not tags["link"]
    ids = {attributes["id"] for attributes in tags["section"]}
    assert {a["href"] for a in tags["a"]} == {f"#{each}" for each in ids}
    assert not re.search(r"https?://|url\(|@import", text)
    return tags


def test_page_escapes_what_stands_on_it():
    table = Table("t", "a <b> | c", ("x|y", "z"), (("<i>", "1*2*3"),), "by `robustzoo <x>`")
    picture = Picture("p", "title", PNG, 'a "quoted" picture & more text', "[seen]")
    page = Page("<script>", "one & two", (("command", "a | b"),), (table, picture))
    text = to_html(page)
    (image,) = check_html(text, 1)["img"]
    assert image["alt"] == picture.alt
    assert (image["width"], image["height"]) == ("2", "1")
    assert "<code>robustzoo &lt;x&gt;</code>" in text
    markdown = to_markdown(page, "my files")
    assert "| x\\|y | z |\n| --- | --- |\n| \\<i\\> | 1\\*2\\*3 |" in markdown
    assert "(my%20files/p.png)" in markdown and "by `robustzoo <x>`" in markdown


@pytest.fixture
def short(monkeypatch):
    """Pictures of few points and searches, for a report in seconds."""
    monkeypatch.setattr(gallery, "BUDGETS", (0.0, 1.0, 2.0))
    monkeypatch.setattr(gallery, "WAY", 3)
    brief = functools.partial(CarliniWagner, searches=2, iterations=10, initial_c=1.0)
    monkeypatch.setattr(gallery, "CarliniWagner", lambda **_: brief())


def test_report_of_two_models(tmp_path, short):
    x, y = tiny_batch(12)
    models = {f"tiny-{seed}": tiny_classifier(seed=seed) for seed in range(2)}
    command = "robustzoo report tiny-0 tiny-1"
    more = dict(dataset="tiny", sample_seed=7, seed=5, command=command)
    html, markdown = write_report(models, (x, y), Linf(0.03), tmp_path / "my two.html", **more)
    text = html.read_text()
    check_html(text, 7)
    for fact in ("12 of tiny, drawn with seed 7", "Linf 0.03", "<dt>seed</dt><dd>5</dd>"):
        assert fact in text
    captions = re.findall(r'<figcaption>.*|<p class="caption">.*', text)
    assert len(captions) >= 10
    assert all(f"Made by <code>{command}</code>" in caption for caption in captions)
    text = markdown.read_text()
    links = re.findall(r"!\[(?:[^\]\\]|\\.)+\]\(([^)]+)\)", text)
    files = [f"my two_files/{file.name}" for file in (tmp_path / "my two_files").iterdir()]
    assert sorted(map(unquote, links)) == sorted(files) and len(files) == 7
    assert "| worst case |" in text and "| tiny-1 | C&W | L2 |" in text


def test_report_of_an_ensemble_with_draws(tmp_path, short, monkeypatch):
    x, y = tiny_batch(6)
    members = {f"member {k}": tiny_classifier(seed=k) for k in (1, 2)}
    models = {"pair": architectures.ensemble(list(members.values()))}
    drawn, draw = [], gallery.figures.matrix_figure
    monkeypatch.setattr(gallery.figures, "matrix_figure", lambda *a: drawn.append(a) or draw(*a))
    html, markdown = write_report(models, (x, y), Linf(0.03), tmp_path / "pair.html", draws=2)
    ((shares, rows, columns, *_),) = drawn
    attack = PGD(Linf(0.03), 0.03 / 4, steps=20, draws=2)
    clean = [np.mean(classes(member, x) == y) for member in members.values()]
    expected = np.vstack([clean, transfer_matrix(members, x, y, attack)])
    np.testing.assert_allclose(shares, expected)
    assert rows == ["(clean)", *members] and columns == list(members)
    check_html(html.read_text(), 6)
    text = markdown.read_text()
    assert "Transfer among the members of pair" in text
    assert "PGD-20 made of 6 images with the member in a row, within Linf 0.03" in text
    told = [line for line in text.splitlines() if re.match(r"\| \S+ \| .* steps \d", line)]
    assert len(told) == 5 and all("draws 2" in line for line in told)  # C&W is a short one here


def test_draws_reach_every_attack(random_model, monkeypatch):
    model, x, y = random_model
    seen = []

    def curve(model, x, y, attack, eps, **_):
        seen.append(attack(0.1).draws)
        return np.ones(len(eps))

    monkeypatch.setattr(gallery, "eps_curve", curve)
    monkeypatch.setattr(gallery, "certified_curve", lambda model, x, y, eps, *_: np.ones(len(eps)))
    drawer = Gallery({"random": model}, x, y, Linf(0.1), ["0", "1"], "", draws=3)
    drawer.eps_curves({})
    drawer.certified_curves(["ibp"])
    assert seen == [3, 3, 3]
    assert {label: attack.draws for label, attack in drawer.attacks.items()} == dict.fromkeys(
        ("FGSM", "PGD-20", f"PGD-{gallery.WAY}", "DeepFool", "C&W"), 3
    )


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Two linear models of 16 pixels, "dark" or "light", of different class names."""
    config = {
        "architecture": "linear",
        "arguments": {"input_shape": [4, 4, 1], "classes": 2},
        "dataset": "mnist",
        "threat": {"norm": "l2", "eps": "0.5"},
        "defense": "trades",
        "input_shape": [4, 4, 1],
        "labels": ["dark", "light"],
        "recipe": None,
        "license": "apache-2.0",
    }
    model = architectures.build(config["architecture"], config["arguments"])
    model.set_weights([np.stack([np.zeros(16), np.ones(16)], axis=1), np.array([0.0, -8.0])])
    pixels = np.stack([np.full((4, 4, 1), level, "uint8") for level in (60, 153, 240)])
    arrays = {f"{split}_pixels": pixels for split in ("train", "test")}
    arrays |= {f"{split}_labels": np.array([0, 1, 1], "int32") for split in ("train", "test")}
    arrays["label_names"] = np.array(config["labels"])
    monkeypatch.setattr(datasets, "_arrays", lambda name, cache: arrays)
    monkeypatch.setattr(datasets.load, "__defaults__", (None, 0, None))
    other = config | {"labels": ["light", "dark"]}
    return zoo.save(model, tmp_path / "one", config), zoo.save(model, tmp_path / "other", other)


def test_command(folders, tmp_path, short):
    one, _ = folders
    arguments = ["report", str(one), "--examples", "2", "--output", str(tmp_path / "out.html")]
    result = CliRunner().invoke(cli.main, arguments)
    assert result.exit_code == 0, result.output
    assert result.stdout.split() == [str(tmp_path / "out.html"), str(tmp_path / "out.md")]
    assert result.stderr.splitlines() == ["2 test images of mnist, L2 0.5", "attacking one"]
    text = (tmp_path / "out.html").read_text()
    check_html(text, 5)  # one grid, and no transfer
    assert f"<dd>robustzoo {' '.join(arguments)}</dd>" in text
    assert "2 of mnist, drawn with seed 0" in text and "light" in text
    row = next(
        line for line in (tmp_path / "out.md").read_text().splitlines() if "DeepFool |" in line
    )
    # Two of these images were drawn; they are 4 |level / 255 - 0.5| in L2 away from grey.
    away = 4 * np.abs(np.array([60, 153, 240]) / 255 - 0.5)
    pairs = (away.sum() - away) / 2
    assert np.abs(float(row.split("|")[5]) / pairs - 1).min() < 0.03


def test_command_passes_draws_on(folders, tmp_path, monkeypatch):
    given = []
    monkeypatch.setattr(
        "robustzoo.evaluation.write_report.write_report",
        lambda *_, **more: given.append(more) or [],
    )
    arguments = ["report", str(folders[0]), "--output", str(tmp_path / "out.html"), "--draws", "7"]
    assert CliRunner().invoke(cli.main, arguments).exit_code == 0
    assert given[0]["draws"] == 7 and "--draws 7" in given[0]["command"]
    result = CliRunner().invoke(cli.main, [*arguments, "--suite", "rand"])
    assert result.exit_code == 2 and "at least 20 draws" in result.stderr


def test_command_refuses_models_of_different_classes(folders, tmp_path):
    one, other = map(str, folders)
    output = ["--output", str(tmp_path / "out.html")]
    for names, error in (((one, other), "same labels"), ((one, one), "one twice")):
        result = CliRunner().invoke(cli.main, ["report", *names, *output])
        assert result.exit_code == 1 and error in result.stderr
    assert CliRunner().invoke(cli.main, ["report"]).exit_code == 2
    assert not (tmp_path / "out.html").exists()


def test_report_refuses_before_it_computes(tmp_path):
    x, y = tiny_batch(4)
    two, threat, path = (
        {"a": tiny_classifier(), "b": tiny_linear(2)},
        Linf(0.1),
        tmp_path / "r.html",
    )
    with pytest.raises(ValueError, match="file .html"):
        write_report(two, (x, y), threat, tmp_path / "report.pdf")
    with pytest.raises(FileNotFoundError, match="no folder"):
        write_report(two, (x, y), threat, tmp_path / "none" / "report.html")
    with pytest.raises(ValueError, match="eps > 0"):
        write_report(two, (x, y), Linf(0.0), path)
    with pytest.raises(ValueError, match="same output_shape"):
        write_report(two, (x, y), threat, path)
    with pytest.raises(ValueError, match="at least one model"):
        write_report({}, (x, y), threat, path)
    assert not list(tmp_path.iterdir())
    path.with_suffix(".md").write_text("my notes")
    with pytest.raises(ValueError, match="is there and no report"):
        write_report({"b": tiny_linear(2)}, (x, y % 2), threat, path)
    assert path.with_suffix(".md").read_text() == "my notes"


def test_report_refuses_places_that_are_taken_before_it_computes(tmp_path, monkeypatch):
    (x, y), models = tiny_batch(4), {"b": tiny_linear(2)}
    monkeypatch.setattr("robustzoo.evaluation.write_report.attacks_of", None)
    (tmp_path / "a_files").write_text("mine")
    with pytest.raises(ValueError, match="a_files is there and no folder for pictures"):
        write_report(models, (x, y % 2), Linf(0.1), tmp_path / "a.html")
    (tmp_path / "b.md").mkdir()
    with pytest.raises(OSError, match="b.md"):
        write_report(models, (x, y % 2), Linf(0.1), tmp_path / "b.html")
    (tmp_path / "c_files" / "a.png").mkdir(parents=True)
    with pytest.raises(OSError, match="c_files"):
        write_report(models, (x, y % 2), Linf(0.1), tmp_path / "c.html")
