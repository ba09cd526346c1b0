"""robustzoo evaluate | report"""

from pathlib import Path

import click
from click.core import ParameterSource

import robustzoo
from robustzoo.cli._certificate import certificate_of
from robustzoo.cli._open import open_model, sample, threat_of
from robustzoo.cli._record import command_line, renew, weights_to_renew
from robustzoo.cli._seed import SEED
from robustzoo.cli._show import line, notice, percent
from robustzoo.writable import writable

# Named here, because `robustzoo --help` must not import the attacks; a test compares.
OF_REPORTS = ("quick", "pgd", "paper", "autoattack", "rand")
SUITES = (*OF_REPORTS, "evasion")
LOSSES = (
    "own", "cross_entropy", "margin", "dlr", "mmc", "reverse_cross_entropy", "large_margin_gm",
)  # fmt: skip


@click.command()
@click.argument("name")
@click.option(
    "--suite", default=None, type=click.Choice(SUITES), show_default="pgd, or evasion",
    help="evasion is of models that abstain, the others of those that do not.",
)  # fmt: skip
@click.option("--examples", type=click.IntRange(1), help="Size of a sample; by default all.")
@click.option(
    "--sample-seed", default=0, show_default=True, type=click.IntRange(0), help="Of that sample."
)
@click.option("--eps", help='Budget, e.g. "8/255"; by default what the model was trained for.')
@click.option(
    "--restarts", default=2, show_default=True, type=click.IntRange(1), help="Of the longest PGD."
)
@click.option("--draws", default=1, show_default=True, type=click.IntRange(1), help="For EOT.")
@click.option(
    "--prove", "methods", multiple=True,
    help="Method of `robustzoo certify`: what it proves is not attacked. Of the suite autoattack.",
)  # fmt: skip
@click.option(
    "--loss", type=click.Choice(LOSSES),
    help="One attack more, APGD on this loss; own: what the model's defense trains on.",
)  # fmt: skip
@click.option(
    "--transfer", "source", metavar="MODEL",
    help="One attack more, PGD-40 on this model: what breaks it, does it break NAME?",
)  # fmt: skip
@click.option("--seed", default=0, show_default=True, type=SEED, help="Of all noise.")
@click.option("--batch-size", default=128, show_default=True, type=click.IntRange(1))
@click.option(
    "--precision", default="float32", show_default=True, help="To search in.",
    type=click.Choice(("float32", "bfloat16")),
)  # fmt: skip
@click.option("--report", type=click.Path(dir_okay=False), help="Write every example's outcome.")
def evaluate(name, examples, sample_seed, report, **options):
    """Measure accuracy on the test set, without and under the attacks of a suite.

    pgd is FGSM, PGD-20, the same on the margin, and PGD-40; autoattack the published cascade; paper
    adds PGD-100 and minimal norms to pgd; quick is a first look; rand is for random models, evasion
    for those that abstain. An interrupted evaluation goes on where it was. Where NAME is a folder,
    its eval.json, card and manifest are renewed.
    """
    report = report and writable(report)
    _check_used(options["suite"], options["draws"])
    _check_proofs(options["suite"], options["methods"])
    model, config, folder = open_model(name)
    options["suite"] = _suite(config, options["suite"], options["loss"], options["source"])
    test, sample_seed = sample(config, examples, sample_seed)
    weights = weights_to_renew(name, folder)
    found = _evaluated(model, config, test, sample_seed, **options)
    command = command_line((name, folder), without=("report",))
    made = found.to_dict(command)
    record = {"suite": options["suite"], **made, "not_checked": _not_made(model, test, found)}
    _show_verdict(record)
    renew(folder, weights, "eval.json", record, _kind, _effort)
    if report:
        found.save(report)
        notice(f"wrote {report}")


@click.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("--suite", default="quick", show_default=True, type=click.Choice(OF_REPORTS))
@click.option("--examples", default=100, show_default=True, type=click.IntRange(1))
@click.option(
    "--sample-seed", default=0, show_default=True, type=click.IntRange(0),
    help="Of the sample of examples.",
)  # fmt: skip
@click.option("--eps", help='Budget, e.g. "8/255"; by default that of the first model.')
@click.option("--draws", default=1, show_default=True, type=click.IntRange(1), help="For EOT.")
@click.option("--seed", default=0, show_default=True, type=SEED, help="Of all noise.")
@click.option("--batch-size", default=128, show_default=True, type=click.IntRange(1))
@click.option("--output", default="report.html", show_default=True, type=click.Path(dir_okay=False))
def report(names, examples, sample_seed, eps, output, **options):
    """Compare models under attack, in curves, pictures and tables, as one HTML page.

    All see the same sample of one test set, within one budget. For random models, give --draws 20:
    so many gradients are averaged per step. The page needs no other file; the same as Markdown,
    with its pictures in a folder, is written beside it.
    """
    _check_used(options["suite"], options["draws"])
    opened = _open_alike(names)
    from robustzoo.evaluation.write_report import write_report

    config = next(iter(opened.values()))[1]
    threat, (test, sample_seed) = threat_of(config, eps), sample(config, examples, sample_seed)
    notice(f"{len(test)} test images of {config['dataset']}, {threat}")
    written = write_report(
        {label: model for label, (model, _, _) in opened.items()},
        test,
        threat,
        output,
        names=config["labels"],
        dataset=config["dataset"],
        sample_seed=sample_seed,
        command=command_line(*((n, o[2]) for n, o in zip(names, opened.values(), strict=True))),
        tell=lambda label: notice(f"attacking {label}"),
        **options,
    )
    for path in written:
        click.echo(path)


def _evaluated(
    model, config, test, sample_seed, suite, eps, restarts, draws, loss, methods, source, **options
):
    """The report of a suite; its rows are told as they come."""
    from robustzoo import datasets, evaluation

    threat, loss = threat_of(config, eps), loss and evaluation.attack_loss(loss, config["defense"])
    attacks = evaluation.suite(threat, suite, len(config["labels"]), restarts, draws, loss)
    if source:
        attacks |= _transferred(source, config, threat, attacks)
    notice(f"{len(test)} test images of {config['dataset']}, {threat}, accuracy in %")

    def tell(result):
        line(result.label, percent(result.accuracy), f"{result.seconds:.1f} s")

    certificate = certificate_of(model, test, threat, methods) if methods else None
    if certificate:
        line("proved", percent(certificate.accuracy), f"{certificate.seconds:.1f} s")
    return robustzoo.evaluate(
        model,
        test,
        threat,
        attacks,
        cascade=suite in evaluation.CASCADES,
        certificate=certificate,
        dataset=config["dataset"],
        sample_seed=sample_seed,
        journal=datasets.cache_folder("evaluations"),
        tell=tell,
        **options,
    )


def _transferred(source, config, threat, attacks):
    """{label: the attack on another model}, of steps that cross the ball twice."""
    from robustzoo.attacks import PGD, Transfer

    model, about, _ = open_model(source)
    for key in ("dataset", "input_shape", "labels"):
        if about[key] != config[key]:
            raise ValueError(
                f"--transfer needs a model of the same {key}: {config[key]}. Received: "
                f"{about[key]} of {source}"
            )
    draws = max(attack.draws for attack in attacks.values())
    pgd = PGD(threat, threat.eps / 10, steps=40, draws=draws)
    return {f"PGD-40 from {Path(source).name}": Transfer(model, pgd)}


def _suite(config, suite, *further):
    """The suite asked for, if it is one of this model; by default the first that is."""
    from robustzoo.zoo.config import rejects

    abstains = rejects(config)
    if abstains and any(further):
        raise click.UsageError(
            "the model abstains: --loss and --transfer would take rejection for success"
        )
    suite = suite or ("evasion" if abstains else "pgd")
    if (suite == "evasion") != abstains:
        raise click.UsageError(
            f"the model abstains, and its suite is evasion. Received: {suite}"
            if abstains
            else "the suite evasion is of models that abstain, and this one does not"
        )
    return suite


def _check_used(suite, draws):
    """Refuses options that this suite would not heed."""
    source = click.get_current_context().get_parameter_source("restarts")
    if suite not in (None, "pgd", "paper", "evasion") and source is ParameterSource.COMMANDLINE:
        valid = "pgd, paper and evasion"
        raise click.UsageError(f"--restarts is of the suites {valid}. Received: {suite}")
    if suite == "rand" and 1 < draws < 20:
        raise click.UsageError(f"the suite rand averages at least 20 draws. Received: {draws}")


def _check_proofs(suite, methods):
    """Known methods, of the suite that proofs spare work."""
    if not methods:
        return
    from robustzoo.certification.methods import chosen

    chosen(methods)
    if suite != "autoattack":
        raise click.UsageError(f"--prove is of the suite autoattack. Received: {suite or 'none'}")


def _kind(record):
    # Attacks on all images tell more of the certificate than those on what it leaves.
    return record.get("suite", "pgd"), record["threat"], "proved" in record


def _effort(record):
    """Runs of all attacks, times the gradients that each averages; then the precision."""
    given = [result["arguments"] for result in record["results"]]
    runs = sum(of.get("restarts", 1) * of.get("draws", 1) for of in given)
    return runs, record.get("precision", "float32") == "float32"


def _not_made(model, test, found):
    from robustzoo.evaluation.checks import checks_not_made, is_random

    return checks_not_made(
        found.results, is_random(model, test.images), abstains=found.rejected is not None
    )


def _show_verdict(record):
    low, high = record["interval"]
    within = f"{percent(low)} to {percent(high)} with 95% confidence"
    line("worst case", percent(record["worst_case_accuracy"]), within)
    for finding in record["findings"]:
        notice(f"doubtful: {finding['name']}: {finding['text']}")
    if not record["findings"]:
        notice("the checks found nothing wrong with these numbers")
    if record["not_checked"]:
        notice(f"not checked: {'; '.join(record['not_checked'])}")


def _open_alike(names):
    """(model, config.json, folder) of each model, by a short name; all of one data set."""
    from robustzoo.zoo.config import rejects

    opened = {}
    for name in names:
        model, config, folder = open_model(name)
        if rejects(config):
            raise ValueError(f"a report compares models that do not abstain. Received: {name}")
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
