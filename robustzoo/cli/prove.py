"""robustzoo certify | smooth"""

import json
from pathlib import Path

import click
from click.core import ParameterSource

import robustzoo
from robustzoo.cli._certificate import certificate_of
from robustzoo.cli._figure import need_matplotlib, png
from robustzoo.cli._open import open_model, sample, threat_of
from robustzoo.cli._record import command_line, renew, weights_to_renew
from robustzoo.cli._show import line, notice, percent
from robustzoo.writable import writable
from robustzoo.write_whole import write_whole

WIDEST = 10  # how many times the budget of the proof a radius is sought to


@click.command()
@click.argument("name")
@click.option("--examples", type=click.IntRange(1), help="Size of a sample; by default all.")
@click.option(
    "--sample-seed", default=0, show_default=True, type=click.IntRange(0), help="Of that sample."
)
@click.option("--eps", help='Budget, e.g. "1/10"; by default what the model was trained for.')
@click.option(
    "--method", "methods", multiple=True, show_default=True,
    default=("ibp", "crown-ibp", "wong-kolter", "crown"),
    help="Each sees what those before it left; the first two take large nets, too. Also: "
    "crown-ibp-zero, crown-zero, alpha-crown, lp, milp.",
)  # fmt: skip
@click.option(
    "--seconds", default=60.0, show_default=True, type=click.FloatRange(0, min_open=True),
    help="Time limit of one margin of the methods lp and milp.",
)  # fmt: skip
@click.option("--output", type=click.Path(dir_okay=False), help="Write every image's bounds.")
@click.option(
    "--radius", type=click.Path(dir_okay=False),
    help="Write the largest budget proved of every image, by bisection up to ten times that "
    "of the proof, which takes as long as 13 proofs.",
)  # fmt: skip
@click.option("--curve", type=click.Path(dir_okay=False), help="Draw both bounds against eps.")
@click.option(
    "--export", "queries", type=click.Path(exists=True, file_okay=False),
    help="Folder for the same questions, as ONNX and VNN-LIB, numbered as in OUTPUT.",
)  # fmt: skip
def certify(name, examples, sample_seed, eps, methods, seconds, output, radius, curve, queries):
    """Prove how many test images no change within the budget can turn.

    The truth lies between the certified accuracy and what the strongest of the suite pgd leaves.
    An interrupted proof goes on where it was. Where NAME is a folder, its certificate.json, card
    and manifest are renewed.
    """
    curve, output, radius = curve and png(curve), *(p and writable(p) for p in (output, radius))
    if curve:
        need_matplotlib("give no --curve")
    model, config, folder = open_model(name)
    methods = _chosen(methods)
    threat, (test, sample_seed) = threat_of(config, eps), sample(config, examples, sample_seed)
    _check_bounds(model, threat, methods)
    if queries:
        _write_queries(Path(queries), model, test, threat)
    weights = weights_to_renew(name, folder)
    notice(f"{len(test)} test images of {config['dataset']}, {threat}, accuracy in %")
    proof, report = _bounds(model, config, test, sample_seed, threat, methods, seconds)
    command = command_line((name, folder), without=("output", "radius", "curve", "queries"))
    record = _certificate(proof, report, command)
    renew(
        folder, weights, "certificate.json", record,
        kind=lambda r: r["threat"], effort=lambda r: frozenset(r["methods"]),
    )  # fmt: skip
    if output:
        proof.save(output)
        notice(f"wrote {output}")
    if radius:
        _write_radii(radius, model, test, threat, methods, seconds)
    if curve:
        _write_curve(curve, folder, model, config, test, threat, methods)


@click.command()
@click.argument("name")
@click.option(
    "--sigma", required=True, type=click.FloatRange(0, min_open=True),
    help="Standard deviation of the noise, in pixels of [0, 1]: that of the model's training.",
)  # fmt: skip
@click.option("--examples", default=100, show_default=True, type=click.IntRange(1))
@click.option(
    "--sample-seed", default=0, show_default=True, type=click.IntRange(0),
    help="Of the sample of examples.",
)  # fmt: skip
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
    1 - alpha. What was interrupted goes on where it was. Where NAME is a folder, its
    smoothing.json, card and manifest are renewed.
    """
    figure, output = figure and png(figure), output and writable(output)
    if figure:
        need_matplotlib("give no --figure")
    model, config, folder = open_model(name)
    test, sample_seed = sample(config, examples, sample_seed)
    weights = weights_to_renew(name, folder)
    notice(f"{len(test)} test images of {config['dataset']}, sigma {sigma:g}, accuracy in %")
    proof = _smoothed(model, test, sigma, draws, alpha, **options)
    for eps, share in proof.curve().items():
        line(f"L2 {eps:g}", percent(share))
    line("abstained", percent(float((proof.predicted < 0).mean())))
    notice(str(proof))
    command = command_line((name, folder), without=("output", "figure"))
    record = _radii(proof, config, sample_seed, command)
    renew(
        folder, weights, "smoothing.json", record,
        kind=lambda r: r["sigma"], effort=lambda r: r["n"],
    )  # fmt: skip
    if output:
        proof.save(output)
        notice(f"wrote {output}")
    if figure:
        from robustzoo.evaluation.figures import radius_figure

        picture = radius_figure({f"{Path(name).name}, sigma {sigma:g}": proof})
        write_whole(figure, picture)
        notice(f"wrote {figure}")


def _chosen(methods):
    """Known methods, before any work; refuses a time limit that none of them heeds."""
    from robustzoo.certification import METHODS
    from robustzoo.certification.methods import chosen

    methods = chosen(methods)
    source = click.get_current_context().get_parameter_source("seconds")
    if source is ParameterSource.COMMANDLINE and not any(METHODS[m].program for m in methods):
        solvers = " and ".join(name for name, method in METHODS.items() if method.program)
        given = ", ".join(methods)
        raise click.UsageError(f"--seconds is of the methods {solvers}. Received: {given}")
    return methods


def _check_bounds(model, threat, methods):
    """Raises ValueError, before the attacks, if some method has no bounds of the model."""
    from robustzoo.certification.certifier import Certifier

    Certifier(model, type(threat)).check(methods)


def _bounds(model, config, test, sample_seed, threat, methods, seconds):
    """The certificate and the report of the suite pgd on the same images, which are told."""
    import numpy as np

    from robustzoo.evaluation import suite

    facts = dict(dataset=config["dataset"], sample_seed=sample_seed, checks=False)
    attacks = suite(threat, restarts=1)
    report = robustzoo.evaluate(model, test, threat, attacks, **facts)
    for result in report.results:
        line(result.label, percent(result.accuracy))
    # Last, for its journal ends with it.
    proof = certificate_of(model, test, threat, methods, seconds)
    line("certified", percent(proof.accuracy), f"{proof.seconds:.1f} s")
    notice(str(proof))
    both = np.flatnonzero(proof.certified & ~report.robust)
    if len(both):
        raise ValueError(
            f"{len(both)} images are certified and yet broken, so a bound is wrong. The first are "
            f"{both[:10].tolist()}"
        )
    return proof, report


def _certificate(proof, report, command):
    """The record of certificate.json."""
    measured = report.to_dict(command)
    attacked = min(measured.pop("results")[1:], key=lambda result: result["accuracy"])
    for key in ("cascade", "worst_case_accuracy", "interval", "findings"):
        del measured[key]
    return measured | proof.to_dict() | {"attacked": attacked}


def _radii(proof, config, sample_seed, command):
    """The record of smoothing.json."""
    from robustzoo.provenance import provenance

    return {
        "dataset": config["dataset"],
        "split": "test",
        "sample_seed": sample_seed,
        **proof.to_dict(),
        "command": command,
        **provenance(),
    }


def _write_radii(path, model, test, threat, methods, seconds):
    """Tells the median radius, and writes those of all images."""
    import numpy as np

    from robustzoo.certification import certified_radius
    from robustzoo.evaluation._bar import progress_bar
    from robustzoo.threats import Linf, to_config

    widest = 1.0 if isinstance(threat, Linf) else float("inf")
    largest, steps = min(WIDEST * threat.eps, widest), 12
    with progress_bar(9) as bar:
        task = bar.add_task("radii", total=len(test))
        radii = certified_radius(
            model, test.images, test.labels, type(threat), methods,
            largest=largest, steps=steps, seconds=seconds,
            advance=lambda done, total: bar.update(task, completed=done),
        )  # fmt: skip
    line("median radius", f"{np.median(radii):.4g}")
    found = {"norm": to_config(threat)["norm"], "methods": list(methods), "largest": largest}
    write_whole(path, json.dumps(found | {"steps": steps, "radius": radii.tolist()}))
    notice(f"wrote {path}; 0 where the image is misclassified or nothing was proved")


def _write_curve(path, folder, model, config, test, threat, methods):
    from robustzoo.evaluation.gallery import Gallery

    models = {folder.resolve().name: model}
    gallery = Gallery(models, test.images, test.labels, threat, config["labels"], "")
    picture = gallery.certified_curves(methods)
    write_whole(path, picture.png)
    notice(f"wrote {path}: {picture.alt}")


def _write_queries(folder, model, test, threat):
    from robustzoo.certification import write_onnx, write_vnnlib

    classes = model.output_shape[-1]
    for k, (image, label) in enumerate(zip(test.images, test.labels, strict=True)):
        write_vnnlib(folder / f"image-{k}.vnnlib", image, label, classes, threat)
    notice(f"wrote {write_onnx(folder / 'model.onnx', model)} and {len(test)} questions beside it")


def _smoothed(model, test, sigma, draws, alpha, **options):
    """The certificate; a bar shows the images done."""
    from robustzoo import datasets
    from robustzoo.evaluation._bar import progress_bar
    from robustzoo.smoothing import certify_smoothed

    with progress_bar(9) as bar:
        task = bar.add_task("smoothing", total=len(test))
        return certify_smoothed(
            model, test.images, test.labels, sigma, draws, alpha,
            journal=datasets.cache_folder("certificates"),
            advance=lambda count: bar.advance(task, count), **options,
        )  # fmt: skip
