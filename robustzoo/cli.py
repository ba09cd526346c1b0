"""The command `robustzoo`.

Results go to standard output: tables in a terminal, tab-separated lines in a pipe. Notices and
errors go to standard error. Exit codes: 0 done, 1 failed, 2 wrong usage. What is heavy is imported
by the command that needs it, so that `robustzoo list` answers at once.
"""

import difflib
import logging
import os
import shlex
import sys
import warnings
from pathlib import Path

import click
from click.core import ParameterSource

import robustzoo

# Named here, because `robustzoo --help` must not import the attacks; a test compares.
SUITES = ("quick", "pgd", "paper", "autoattack", "rand")

LISTED = ["data", "network", "defense", "threat", "weights", "clean", "robust", "under"]
PROVED = ["data", "network", "defense", "threat", "clean", "attacked", "certified", "images", "by"]


class Group(click.Group):
    """Turns what the package raises into one line and exit code 1."""

    def invoke(self, context):
        """Runs the command."""
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *_, **__: notice(f"warning: {message}")
            try:
                return super().invoke(context)
            except (ValueError, OSError, ImportError) as error:
                raise click.ClickException(" ".join(str(error).split())) from None


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(robustzoo.__version__, prog_name="robustzoo")
def main():
    """Adversarially robust image classifiers for Keras 3.

    NAME is a released model, a model folder (a path with a separator), or
    hf://org/repo@revision.
    """


@main.command("list")
@click.argument("pattern", default="*")
@click.option("--defense", help="e.g. trades")
@click.option("--dataset", help="e.g. cifar10")
@click.option("--norm", help="linf or l2")
@click.option("--architecture", help="e.g. wide_resnet")
@click.option("--certified", is_flag=True, help="What is proved of those with a certificate.")
def list_(pattern, certified, **facts):
    """List the released models that match PATTERN, e.g. "trades-*".

    With --certified the truth lies between the accuracy that is certified and that which attacks
    leave, at one eps and on the same images.
    """
    from robustzoo.zoo.registry import released

    entries = released()
    names = robustzoo.list_models(pattern, **facts, certified=certified)
    columns, cells = (PROVED, _proved) if certified else (LISTED, _facts)
    if names:
        table(["name", *columns], [[name, *cells(entries[name])] for name in names])
    else:
        notice(f"none of the {len(entries)} released models matches")


@main.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Everything, as JSON.")
def info(name, as_json):
    """Show what is known about a model."""
    about = robustzoo.info(name)
    if as_json:
        import json

        return click.echo(json.dumps(about, indent=2, default=str))
    evaluation, training = about.pop("evaluation", None), about.pop("training", None)
    if about["certified"]:
        from robustzoo.zoo.card import describe_threat

        proof = about["certified"]
        about["certified"] = f"{_percent(proof['accuracy'])} % within {describe_threat(proof)}"
    for record in ("config", "certificate"):
        about.pop(record, None)
    about |= about.pop("method") or {}
    if training:
        about |= {key: training[key] for key in ("command", "seed", "device", "seconds")}
    table(["fact", "value"], [[key, value] for key, value in about.items() if value is not None])
    if evaluation:
        _show_results(evaluation)


@main.command()
@click.argument("name")
@click.option("--revision", help="Branch, tag or commit in place of the pinned release.")
@click.option("--cache-dir", type=click.Path(), help="In place of the Hub client's cache.")
@click.option("--local-files-only", is_flag=True, help="Never ask the Hub.")
def download(name, **options):
    """Fetch a model, check every hash, and print its folder."""
    click.echo(robustzoo.download(name, **options))


@main.command()
@click.argument("name", required=False)
@click.option("--all", "every", is_flag=True, help="All released models.")
def verify(name, every):
    """Check every hash, record and weight of a model."""
    if (name is None) == (not every):
        raise click.UsageError("give either NAME or --all")
    _import_keras()
    names, failures = robustzoo.list_models() if every else [name], 0
    rows = []
    for each in names:
        try:
            about = robustzoo.verify(each)
        except (ValueError, OSError) as error:
            if not every:
                raise
            failures += 1
            notice(f"{each}: {' '.join(str(error).split())}")
        else:
            rows.append([each, "ok", about["files"], about["bytes"], about["manifest_sha256"]])
    if rows:
        table(["name", "state", "files", "bytes", "manifest sha256"], rows)
    if failures:
        raise click.ClickException(f"{failures} of {len(names)} models are not as they should be")


@main.command()
@click.argument("name")
@click.argument("image", type=click.Path(dir_okay=False))
@click.option("--top", default=5, show_default=True, type=click.IntRange(1), help="Classes shown.")
def predict(name, image, top):
    """Classify the file IMAGE."""
    model, config, _ = _open(name)
    probabilities = _probabilities(model, _picture(image, model))
    best = probabilities.argsort()[::-1][:top]
    rows = [[config["labels"][i], f"{probabilities[i]:.4f}"] for i in best]
    table(["class", "probability"], rows)


@main.command()
@click.argument("name")
@click.argument("image", type=click.Path(dir_okay=False))
@click.option("--label", help="True class, by name or number; by default the predicted one.")
@click.option("--target", help="Class that the model shall see, by name or number.")
@click.option("--eps", help='Budget, e.g. "8/255"; by default what the model was trained for.')
@click.option("--steps", default=40, show_default=True, type=click.IntRange(1, 10000))
@click.option("--seed", default=0, show_default=True, help="Of the random start.")
@click.option("--output", type=click.Path(dir_okay=False), help="By default IMAGE-adversarial.png.")
@click.option("--figure/--no-figure", default=True, help="OUTPUT-figure.png beside it, or not.")
def attack(name, image, label, target, eps, steps, seed, output, figure):
    """Attack a model on the file IMAGE by PGD, and write the adversarial image.

    The result is read back from the file, which holds 8 bits per channel.
    """
    output = _output(image, output)
    if figure:
        _need_matplotlib("give --no-figure")
    model, config, _ = _open(name)
    labels, clean = config["labels"], _picture(image, model)
    before = _probabilities(model, clean)
    label = int(before.argmax()) if label is None else _class(label, labels)
    target = None if target is None else _class(target, labels)
    if target == label:
        raise ValueError(f"target must differ from the true class {labels[label]!r}")
    threat = _threat(config, eps)
    _write_adversarial(model, clean, label, target, threat, steps, seed, output)
    adversarial = _picture(output, model)
    after = _probabilities(model, adversarial)
    rows = [_row("clean", before, labels, image), _row("adversarial", after, labels, output)]
    if figure:
        rows.append(["figure", None, None, _write_figure(output, clean, adversarial, rows)])
    table(["image", "class", "probability", "file"], rows)
    fooled = after.argmax() != label if target is None else after.argmax() == target
    distance = float(threat.distance(adversarial, clean)[0])
    outcome = "succeeds" if fooled else "fails"
    notice(f"PGD-{steps} {outcome} at {threat}; the file is {distance:.4f} away")


@main.command()
@click.argument("name")
@click.option("--suite", default="pgd", show_default=True, help=", ".join(SUITES) + ".")
@click.option("--examples", type=click.IntRange(1), help="Size of a sample; by default all.")
@click.option("--sample-seed", default=0, show_default=True, help="Of that sample.")
@click.option("--eps", help='Budget, e.g. "8/255"; by default what the model was trained for.')
@click.option("--restarts", default=2, show_default=True, type=click.IntRange(1), help="Of PGD-40.")
@click.option("--draws", default=1, show_default=True, type=click.IntRange(1), help="For EOT.")
@click.option("--seed", default=0, show_default=True, help="Of all noise.")
@click.option("--batch-size", default=128, show_default=True, type=click.IntRange(1))
@click.option(
    "--precision", default="float32", show_default=True, help="Or bfloat16, to search in."
)
@click.option("--report", type=click.Path(dir_okay=False), help="Write every example's outcome.")
def evaluate(name, examples, sample_seed, report, **options):
    """Measure accuracy on the test set, without and under the attacks of a suite.

    pgd is FGSM, PGD-20, the same on the margin, and PGD-40; autoattack the published cascade; paper
    adds PGD-100 and minimal norms to pgd; quick is a first look; rand is for random models. An
    interrupted evaluation goes on where it was. Where NAME is a folder, its eval.json, card and
    manifest are renewed.
    """
    model, config, folder = _open(name)
    test, sample_seed = _sample(config, examples, sample_seed)
    found = _evaluated(model, config, test, sample_seed, **options)
    if report:
        found.save(report)
        notice(f"wrote {report}")
    record = {"suite": options["suite"], **found.to_dict(_command((name, folder)))}
    _show_verdict(record)
    _renew(name, folder, "eval.json", record, lambda r: (r.get("suite", "pgd"), r["threat"]))


@main.command()
@click.argument("name")
@click.option("--examples", type=click.IntRange(1), help="Size of a sample; by default all.")
@click.option("--sample-seed", default=0, show_default=True, help="Of that sample.")
@click.option("--eps", help='Budget, e.g. "1/10"; by default what the model was trained for.')
@click.option(
    "--method", "methods", multiple=True, default=("ibp", "crown-ibp"), show_default=True,
    help="Of robustzoo.certification.METHODS; each sees what those before it left.",
)  # fmt: skip
@click.option("--output", type=click.Path(dir_okay=False), help="Write every image's bounds.")
@click.option("--curve", type=click.Path(dir_okay=False), help="Draw both bounds against eps.")
@click.option(
    "--export", "queries", type=click.Path(exists=True, file_okay=False),
    help="Folder for the same questions, as ONNX and VNN-LIB, numbered as in OUTPUT.",
)  # fmt: skip
def certify(name, examples, sample_seed, eps, methods, output, curve, queries):
    """Prove how many test images no change within the budget can turn.

    The truth lies between the certified accuracy and the accuracy that PGD-40 leaves. Where NAME is
    a folder, its certificate.json, card and manifest are renewed.
    """
    curve = curve and _png(curve)
    if curve:
        _need_matplotlib("give no --curve")
    model, config, folder = _open(name)
    from robustzoo.certification.methods import chosen

    methods = chosen(methods)  # before any work
    threat, (test, sample_seed) = _threat(config, eps), _sample(config, examples, sample_seed)
    if queries:
        _write_queries(Path(queries), model, test, threat)
    notice(f"{len(test)} test images of {config['dataset']}, {threat}, accuracy in %")
    proof, report = _bounds(model, config, test, sample_seed, threat, methods)
    if output:
        proof.save(output)
        notice(f"wrote {output}")
    if curve:
        _write_curve(curve, folder, model, config, test, threat, methods)
    command = _command((name, folder), without=("output", "curve", "queries"))
    record = _certificate(proof, report, folder, command)
    _renew(name, folder, "certificate.json", record, lambda r: r["threat"])


@main.command()
@click.argument("name")
@click.option(
    "--sigma", required=True, type=click.FloatRange(0, min_open=True),
    help="Standard deviation of the noise, in pixels of [0, 1]: that of the model's training.",
)  # fmt: skip
@click.option("--examples", default=100, show_default=True, type=click.IntRange(1))
@click.option("--sample-seed", default=0, show_default=True, help="Of the sample of examples.")
@click.option(
    "--draws", default=1000, show_default=True, type=click.IntRange(1),
    help="Noisy copies of each image that are counted; 100 more choose its class.",
)  # fmt: skip
@click.option(
    "--alpha", default=0.001, show_default=True,
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Probability that the radius of an image is wrong.",
)  # fmt: skip
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Of the noise.")
@click.option("--batch-size", default=500, show_default=True, type=click.IntRange(1))
@click.option("--output", type=click.Path(dir_okay=False), help="Write every image's radius.")
@click.option("--figure", type=click.Path(dir_okay=False), help="Draw accuracy against radius.")
def smooth(name, sigma, examples, sample_seed, draws, alpha, output, figure, **options):
    """Certify L2 radii of a smoothed model: of its most likely answer under Gaussian noise.

    Accuracy counts the images that are answered correctly within each radius. It is about the
    smoothed model, not about the model asked once, and each image's radius holds with probability
    1 - alpha.
    """
    figure = figure and _png(figure)
    if figure:
        _need_matplotlib("give no --figure")
    model, config, _ = _open(name)
    test, _ = _sample(config, examples, sample_seed)
    notice(f"{len(test)} test images of {config['dataset']}, sigma {sigma:g}, accuracy in %")
    proof = _smoothed(model, test, sigma, draws, alpha, **options)
    for eps, share in proof.curve().items():
        line(f"L2 {eps:g}", _percent(share))
    line("abstained", _percent(float((proof.predicted < 0).mean())))
    notice(str(proof))
    if output:
        proof.save(output)
        notice(f"wrote {output}")
    if figure:
        from robustzoo.evaluation.figures import radius_figure

        figure.write_bytes(radius_figure({f"{Path(name).name}, sigma {sigma:g}": proof}))
        notice(f"wrote {figure}")


@main.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("--suite", default="quick", show_default=True, help=", ".join(SUITES) + ".")
@click.option("--examples", default=100, show_default=True, type=click.IntRange(1))
@click.option("--sample-seed", default=0, show_default=True, help="Of the sample of examples.")
@click.option("--eps", help='Budget, e.g. "8/255"; by default that of the first model.')
@click.option("--seed", default=0, show_default=True, help="Of all noise.")
@click.option("--batch-size", default=128, show_default=True, type=click.IntRange(1))
@click.option("--output", default="report.html", show_default=True, type=click.Path(dir_okay=False))
def report(names, examples, sample_seed, eps, output, **options):
    """Compare models under attack, in curves, pictures and tables, as one HTML page.

    All see the same sample of one test set, within one budget. The page needs no other file; the
    same as Markdown, with its pictures in a folder, is written beside it.
    """
    opened = _open_alike(names)
    from robustzoo.evaluation.write_report import write_report

    config = next(iter(opened.values()))[1]
    threat, (test, sample_seed) = _threat(config, eps), _sample(config, examples, sample_seed)
    notice(f"{len(test)} test images of {config['dataset']}, {threat}")
    written = write_report(
        {label: model for label, (model, _, _) in opened.items()},
        test,
        threat,
        output,
        names=config["labels"],
        dataset=config["dataset"],
        sample_seed=sample_seed,
        command=_command(*((n, o[2]) for n, o in zip(names, opened.values(), strict=True))),
        tell=lambda label: notice(f"attacking {label}"),
        **options,
    )
    for path in written:
        click.echo(path)


@main.command()
@click.argument("name")
@click.argument("path", type=click.Path(dir_okay=False))
def export(name, path):
    """Write a model as PATH, a .keras file that plain Keras loads."""
    _import_keras()
    click.echo(robustzoo.export(name, path))


@main.command()
@click.argument("folder", type=click.Path(file_okay=False))
@click.argument("repo_id", metavar="ORG/NAME")
@click.option("--tag", help="For the new commit.")
@click.option("--private", is_flag=True, help="Where the repository is new.")
def push(folder, repo_id, **options):
    """Publish a model folder on the Hub and print the commit."""
    _import_keras()
    click.echo(robustzoo.push_to_hub(folder, repo_id, **options))


def notice(text: str) -> None:
    """Tells something that is not the result."""
    click.echo(text, err=True)


def table(columns: list[str], rows: list[list]) -> None:
    """A table in a terminal, tab-separated lines without a head in a pipe."""
    rows = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for row in rows:
            click.echo("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        drawn.add_row(*map(Text, row))
    Console().print(drawn)


def line(first: str, *cells: str) -> None:
    """One row of a table that grows while work goes on."""
    if sys.stdout.isatty():
        click.echo("  ".join([f"{first:<16}", *(f"{cell:>8}" for cell in cells)]))
    else:
        click.echo("\t".join([first, *cells]))


def _facts(entry):
    threat = f"{entry['norm'].capitalize()} {entry['eps']}" if entry["norm"] else None
    keys = ("dataset", "architecture", "defense")
    weights = f"{entry['parameters'] / 1e6:.2f}M"
    accuracies = _percent(entry["clean"]), _percent(entry["robust"])
    return [*(entry[key] for key in keys), threat, weights, *accuracies, entry["robust_attack"]]


def _proved(entry):
    from robustzoo.zoo.card import describe_threat

    proof, keys = entry["certified"], ("dataset", "architecture", "defense")
    accuracies = (_percent(proof[key]) for key in ("clean", "attacked", "accuracy"))
    methods = ", ".join(proof["methods"])
    known = *(entry[key] for key in keys), describe_threat(proof)
    return [*known, *accuracies, proof["examples"], methods]


def _percent(share):
    return None if share is None else f"{100 * share:.2f}"


def _evaluated(model, config, test, sample_seed, suite, eps, restarts, draws, **options):
    """The report of a suite; its rows are told as they come."""
    from robustzoo import datasets, evaluation

    threat = _threat(config, eps)
    attacks = evaluation.suite(threat, suite, len(config["labels"]), restarts, draws)
    notice(f"{len(test)} test images of {config['dataset']}, {threat}, accuracy in %")

    def tell(result):
        line(result.label, _percent(result.accuracy), f"{result.seconds:.1f} s")

    return robustzoo.evaluate(
        model,
        test,
        threat,
        attacks,
        cascade=suite in evaluation.CASCADES,
        dataset=config["dataset"],
        sample_seed=sample_seed,
        journal=datasets.cache_folder("evaluations"),
        tell=tell,
        **options,
    )


def _bounds(model, config, test, sample_seed, threat, methods):
    """The certificate and the report of PGD-40 on the same images, which are told."""
    import numpy as np

    from robustzoo.evaluation import suite

    proof = robustzoo.certify(model, test.images, test.labels, threat, methods, cascade=True)
    facts = dict(dataset=config["dataset"], sample_seed=sample_seed, checks=False)
    attacks = {"PGD-40": suite(threat, restarts=1)["PGD-40"]}
    report = robustzoo.evaluate(model, test, threat, attacks, **facts)
    line("clean", _percent(float(proof.correct.mean())))
    line("PGD-40", _percent(report.worst_case_accuracy))
    line("certified", _percent(proof.accuracy), f"{proof.seconds:.1f} s")
    notice(str(proof))
    both = np.flatnonzero(proof.certified & ~report.robust)
    if len(both):
        raise ValueError(
            f"{len(both)} images are certified and yet broken, so a bound is wrong. The first are "
            f"{both[:10].tolist()}"
        )
    return proof, report


def _certificate(proof, report, folder, command):
    """The record of certificate.json."""
    from robustzoo.hashes import sha256

    measured = report.to_dict(command)
    attacked = measured.pop("results")[1]
    for key in ("cascade", "worst_case_accuracy", "interval", "findings"):
        del measured[key]
    weights = sha256((folder / "model.safetensors").read_bytes())
    return measured | proof.to_dict() | {"attacked": attacked, "weights_sha256": weights}


def _smoothed(model, test, sigma, draws, alpha, **options):
    """The certificate; a bar shows the images done."""
    from robustzoo.evaluation._bar import progress_bar
    from robustzoo.smoothing import certify_smoothed

    with progress_bar(9) as bar:
        task = bar.add_task("smoothing", total=len(test))
        return certify_smoothed(
            model, test.images, test.labels, sigma, draws, alpha,
            advance=lambda count: bar.advance(task, count), **options,
        )  # fmt: skip


def _write_curve(path, folder, model, config, test, threat, methods):
    from robustzoo.evaluation.gallery import Gallery

    models = {folder.resolve().name: model}
    gallery = Gallery(models, test.images, test.labels, threat, config["labels"], "")
    picture = gallery.certified_curves(methods)
    path.write_bytes(picture.png)
    notice(f"wrote {path}: {picture.alt}")


def _write_queries(folder, model, test, threat):
    from robustzoo.certification import write_onnx, write_vnnlib

    classes = model.output_shape[-1]
    for k, (image, label) in enumerate(zip(test.images, test.labels, strict=True)):
        write_vnnlib(folder / f"image-{k}.vnnlib", image, label, classes, threat)
    notice(f"wrote {write_onnx(folder / 'model.onnx', model)} and {len(test)} questions beside it")


def _show_verdict(record):
    low, high = record["interval"]
    within = f"{_percent(low)} to {_percent(high)} with 95% confidence"
    line("worst case", _percent(record["worst_case_accuracy"]), within)
    for finding in record["findings"]:
        notice(f"doubtful: {finding['name']}: {finding['text']}")
    if not record["findings"]:
        notice("the checks found nothing wrong with these numbers")


def _show_results(record):
    from robustzoo.zoo.card import describe_threat

    for part in (record, *record.get("further", [])):
        threat = describe_threat(part["threat"])
        notice(f"{part['examples']} test images of {part['dataset']}, {threat}, accuracy in %")
        rows = [[r["label"], _percent(r["accuracy"]), r["seconds"]] for r in part["results"]]
        if "worst_case_accuracy" in part:
            rows.append(["worst case", _percent(part["worst_case_accuracy"]), None])
        table(["attack", "accuracy", "seconds"], rows)


def _open(name):
    """(model, config.json, folder) of a model."""
    _import_keras()
    folder = robustzoo.download(name)
    return robustzoo.load(folder), robustzoo.info(folder)["config"], folder


def _open_alike(names):
    """(model, config.json, folder) of each model, by a short name; all of one data set."""
    opened = {}
    for name in names:
        model, config, folder = _open(name)
        label = Path(name).name.strip(".") or folder.resolve().name
        if label in opened:
            raise ValueError(f"models of one report need different names. Received: {label} twice")
        opened[label] = model, config, folder
        first, (_, wanted, _) = next(iter(opened.items()))
        for key in ("dataset", "labels"):
            if config[key] != wanted[key]:
                raise ValueError(
                    f"models of one report must have the same {key}. Received: {wanted[key]} of "
                    f"{first}, {config[key]} of {label}"
                )
    return opened


def _import_keras():
    """Imports Keras without the lines that TensorFlow prints about drivers that are not there.

    Some are written before any log level is read, so standard error is closed to them meanwhile.
    Who sets TF_CPP_MIN_LOG_LEVEL sees what it asks for.
    """
    if "TF_CPP_MIN_LOG_LEVEL" not in os.environ:
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
        with open(os.devnull, "wb") as nowhere:
            shown = os.dup(2)
            os.dup2(nowhere.fileno(), 2)
            try:
                import keras  # noqa: F401
            finally:
                os.dup2(shown, 2)
                os.close(shown)
        # It takes many small functions compiled for one that is compiled again and again.
        logging.getLogger("tensorflow").setLevel(logging.ERROR)


def _picture(path, model):
    from robustzoo.pictures import read_picture

    image, notices = read_picture(path, model.input_shape[1:])
    for text in notices:
        notice(f"{path}: {text}")
    return image


def _probabilities(model, image):
    from keras import ops

    return ops.convert_to_numpy(ops.softmax(model(image)))[0]


def _class(text, labels):
    """The index of a class given by name or number."""
    if text in labels:
        return labels.index(text)
    if text.isdecimal() and int(text) < len(labels):
        return int(text)
    close = difflib.get_close_matches(text, labels, 1)
    hint = f"; closest: {close[0]}" if close else ""
    raise ValueError(
        f"a class is one of {', '.join(labels[:20])}{', ...' if len(labels) > 20 else ''} or "
        f"0 .. {len(labels) - 1}. Received: {text!r}{hint}"
    )


def _threat(config, eps):
    """What the model claims to resist, else the literature's Linf; with another eps if given."""
    import dataclasses

    from robustzoo.evaluation import standard_threat
    from robustzoo.threats import Linf, from_config, parse_eps

    if config["threat"]:
        threat = from_config(config["threat"])
        return threat if eps is None else dataclasses.replace(threat, eps=parse_eps(eps))
    if eps is not None:
        return Linf(parse_eps(eps))
    try:
        return standard_threat(config["dataset"])
    except KeyError:
        raise ValueError(
            f"the model claims to resist nothing, and {config['dataset']} has no usual eps: "
            "give --eps"
        ) from None


def _png(path):
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise ValueError(f"a picture's file must end in .png. Received: {path}")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {path.parent} to write {path.name} to")
    return path


def _output(image, output):
    # Any lossy format would undo the perturbation.
    output = _png(output or Path(image).with_name(f"{Path(image).stem}-adversarial.png"))
    if output.resolve() == Path(image).resolve():
        raise ValueError(f"output must not be the image itself. Received: {output}")
    return output


def _need_matplotlib(instead):
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise ImportError(
            f"the figure needs matplotlib: pip install 'robustzoo[report]', or {instead}"
        ) from None


def _write_adversarial(model, clean, label, target, threat, steps, seed, output):
    import numpy as np

    from robustzoo.attacks import PGD, generate
    from robustzoo.pictures import write_picture

    # 2.5 eps in all, so that PGD can reach any point of the ball from any other (Madry et al.).
    pgd = PGD(threat, 2.5 * threat.eps / steps, steps, targeted=target is not None)
    labels = np.array([label if target is None else target])
    adversarial = generate(pgd, model, clean, labels, seed=seed)
    write_picture(output, adversarial[0], clean[0])


def _row(kind, probabilities, labels, file):
    best = int(probabilities.argmax())
    return [kind, labels[best], f"{probabilities[best]:.4f}", file]


def _write_figure(output, clean, adversarial, rows):
    from robustzoo.pictures import attack_figure

    path = output.with_name(f"{output.stem}-figure.png")
    titles = [f"{kind}: {what} ({share})" for kind, what, share, _ in rows]
    attack_figure(path, clean[0], adversarial[0], titles)
    return path


def _test_split(config):
    from robustzoo import datasets

    data = datasets.load(config["dataset"])
    labels, names = list(config["labels"]), list(data.label_names)
    if labels == names:
        return data.test
    unknown = [label for label in labels if label not in names]
    if unknown:
        raise ValueError(f"{config['dataset']} has no class {unknown[0]!r}; it has {names[:20]}")
    return datasets.load(config["dataset"], classes=tuple(map(names.index, labels))).test


def _sample(config, examples, seed):
    """(test images, or so many of them, the seed of that sample or None)."""
    test = _test_split(config)
    if examples is None or examples >= len(test):
        return test, None
    return test.sample(examples, seed), seed


def _command(*models, without=()):
    """The command that runs on `models`, (name, folder) each, without options of no consequence.

    A released model is called by its name, so that the command runs elsewhere too.
    """
    context = click.get_current_context()
    names = [folder.resolve().name if _in_checkout(folder) else name for name, folder in models]
    words = ["robustzoo", context.info_name, *names]
    for option in context.command.params:
        if context.get_parameter_source(option.name) is ParameterSource.COMMANDLINE:
            if isinstance(option, click.Option) and option.name not in without:
                given = context.params[option.name]
                for value in given if option.multiple else [given]:
                    words += [option.opts[0], str(value)]
    return shlex.join(words)


def _in_checkout(folder):
    from robustzoo.zoo import locate

    return folder.resolve().parent == locate.CHECKOUT.resolve()


def _filed(folder, file, record, kind):
    """What `file` becomes: the record in the place of the one of the same kind."""
    from robustzoo.zoo.card import read_facts

    former = read_facts(folder, file)
    if not former or kind(former) == kind(record):
        return record | {"further": (former or {}).get("further", [])}
    others = [other for other in former["further"] if kind(other) != kind(record)]
    return former | {"further": [*others, record]}


def _renew(name, folder, file, record, kind):
    from robustzoo import zoo
    from robustzoo.zoo.folder import write_json
    from robustzoo.zoo.locate import is_folder

    if str(name).startswith("hf://") or not is_folder(name):
        return notice(
            "shown, not written: the card of a folder is renewed, e.g. model_cards/" + folder.name
        )
    write_json(folder / file, _filed(folder, file, record, kind))
    if _in_checkout(folder):
        zoo.register(folder)
    else:
        zoo.write_card(folder)
        zoo.write_manifest(folder)
    notice(f"wrote {folder / file} and renewed card and manifest")
