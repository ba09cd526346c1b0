"""Trains and measures a whole family of models.

    python -m training.family mnist
    python -m training.family mnist --only rce_mnist --only mmc_mnist

goes through the recipes in order, teachers before students. What is trained and measured already
is left alone, and an interrupted run goes on where it was. At the end it says how long all the
trainings took together, by their records. `--estimate` says how long they would take here.
"""

import subprocess
import sys
import time

import click
from rich.console import Console

from robustzoo.zoo.card import read_facts
from training.estimate import estimate
from training.train import CARDS, find_recipe, fingerprint, origins, read_recipe, settings

# What the evaluation of a model that draws noise needs: averaged gradients, and so fewer images.
RANDOM, FEW = ("--draws", "2"), 200
OWN = ("--loss", "own")  # one attack more, on the loss that the defense trains with
# Recipes in the order of training, and options of their evaluation.
FAMILIES: dict[str, dict[str, tuple[str, ...]]] = {
    "mnist": {
        "standard_mnist": (),
        "linear_mnist": (),
        "rce_mnist": OWN,
        "center_loss_mnist": (),
        "lgm_mnist": OWN,
        "mmlda_mnist": (),
        "mmc_rand_mnist": OWN,
        "mmc_mnist": OWN,
        "distillation_teacher_mnist": (),
        "distillation_mnist": (),
        "mixup_mnist": (),
        "mixup_inference_mnist": RANDOM,
        "rse_mnist": RANDOM,
        "rt_linf_mnist": (),
        "rt_l2_mnist": (),
        "rt_l1_mnist": (),
        "lwa_mnist": (),
        "amt_mnist": (),
        "at_fgsm_mnist": (),
        "at_lbfgs_mnist": (),
        "art_mnist": (),
        "trades_mnist": (),
        "at_mmc_mnist": OWN,
        "iat_mnist": (),
        "rat_mnist": RANDOM,
        "smoothed_mnist": (),
        "ensemble_baseline_mnist": (),
        "adp_entropy_mnist": (),
        "adp_mnist": (),
        "advt_adp_mnist": (),
        "confidence_mnist": (),
        "non_maximal_entropy_mnist": (),
        "kernel_density_mnist": (),
        "lid_mnist": (),
    },
    "cifar10": {
        "standard_cifar10": (),
        "fast_at_cifar10": (),
        "art_cifar10": (),
        "trades_cifar10": (),
        "smoothed_cifar10": (),
        "sce_cifar10": (),
        "mmc_cifar10": OWN,
        "at_mmc_cifar10": OWN,
        "rce_cifar10": OWN,
        "distillation_teacher_cifar10": (),
        "distillation_cifar10": (),
        "mixup_cifar10": (),
        "mixup_inference_cifar10": RANDOM,
        "rse_cifar10": RANDOM,
        "rat_cifar10": RANDOM,
        "ensemble_baseline_cifar10": (),
        "adp_entropy_cifar10": (),
        "adp_cifar10": (),
        "advt_cifar10": (),
        "advt_adp_cifar10": (),
    },
}

# What is proved of a model besides: the record, the command that makes it, and its options.
PROOFS = {
    "linear_mnist": ("certificate.json", "certify"),
    "smoothed_mnist": (
        "smoothing.json", "smooth", "--sigma", "0.5", "--examples", "500", "--draws", "10000"
    ),
    "smoothed_cifar10": (
        "smoothing.json", "smooth", "--sigma", "0.25", "--examples", "200", "--draws", "10000"
    ),
}  # fmt: skip


@click.command()
@click.argument("family", type=click.Choice(list(FAMILIES)))
@click.option("--only", multiple=True, help="One recipe of the family; may be repeated.")
@click.option(
    "--examples",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    help=f"Test images measured, of models that draw noise at most {FEW}.",
)
@click.option("--train-only", is_flag=True, help="Measure nothing.")
@click.option(
    "--estimate", "only_estimate", is_flag=True,
    help="Time some steps of each training, as if none was done, and train nothing.",
)  # fmt: skip
def main(family, only, examples, train_only, only_estimate):
    """Trains and measures every recipe of FAMILY."""
    recipes = FAMILIES[family]
    unknown = [name for name in only if name not in recipes]
    if unknown:
        raise click.BadParameter(f"{unknown} are not in {family}: {', '.join(recipes)}")
    recipes = {name: options for name, options in recipes.items() if not only or name in only}
    console, start = Console(), time.monotonic()
    if only_estimate:
        _estimate(recipes, console)
        return
    for name, options in recipes.items():
        console.rule(f"{name}, {(time.monotonic() - start) / 60:.0f} minutes")
        if not trained(name):
            _run("training.train", name)
        if not train_only:
            _measure(name, options, examples)
    records = [read_facts(folder_of(name), "training.json") for name in FAMILIES[family]]
    hours = sum(record["seconds"] for record in records if record) / 3600
    console.print(f"all trainings of {family} that are recorded took {hours:.1f} hours together")


def _estimate(recipes, console):
    total = 0.0
    for name in recipes:
        seconds = estimate(find_recipe(name))
        total += seconds
        console.print(f"{name} {seconds / 60:.1f} minutes")
    console.print(f"these {len(recipes)} trainings would take {total / 3600:.1f} hours here")


def _measure(name, options, examples):
    """Makes those records of a model that are not there, and publishes them."""
    folder, commands = folder_of(name), []
    if read_facts(folder, "eval.json") is None:
        count = min(examples, FEW) if options == RANDOM else examples
        commands.append(("evaluate", *options, "--restarts", "1", "--examples", str(count)))
    if name in PROOFS and read_facts(folder, PROOFS[name][0]) is None:
        commands.append(PROOFS[name][1:])
    for command, *given in commands:
        _run("robustzoo", command, str(folder), *given)
    if commands:
        _run("training.publish", folder.name)


def folder_of(recipe: str):
    """The model folder that a recipe writes."""
    return CARDS / recipe.replace("_", "-")


def trained(recipe: str) -> bool:
    """Whether the released model is what the recipe, as it stands, makes of the models it needs."""
    record = read_facts(folder_of(recipe), "training.json")
    wanted = read_recipe(find_recipe(recipe))
    if record is None or record["recipe_sha256"] != fingerprint(settings(wanted)):
        return False
    return "models" not in record or record["models"] == origins(wanted)


def _run(*module):
    code = subprocess.run([sys.executable, "-m", *module]).returncode
    if code:
        raise click.ClickException(f"{' '.join(module)} ended with status {code}; fix it and rerun")


if __name__ == "__main__":
    main()
