"""The MNIST family: what each paper prints beside our released model.

Command:  python -m training.tables.mnist_family

Nothing is attacked here: our numbers come from the records of the model folders, those of ADP at
the paper's eps from the table `adp`, where they are.
"""

import functools
from typing import NamedTuple

from robustzoo.zoo.card import describe_threat, read_facts
from robustzoo.zoo.methods import methods
from robustzoo.zoo.records import at_threat, left, parts
from training.family import FAMILIES
from training.tables._table import FOLDER, Table, sources
from training.train import CARDS, find_recipe, read_recipe, snake_case

COLUMNS = [
    "model",
    "method",
    "published clean",
    "published attacked",
    "published with",
    "source",
    "clean",
    "attacked",
    "nearest attack",
    "worst case",
    "budget",
    "images",
    "command",
]


class Claim(NamedTuple):
    """What a paper says of robustness on MNIST.

    Attributes:
        attack: of the paper, or why there is no number.
        budget: of that number, as `describe_threat` writes it.
        attacked: accuracy under it.
        nearest: label of the attack in our records that comes closest.
        defends: whether the model is to resist anything.
    """

    attack: str
    budget: str | None = None
    attacked: float | None = None
    nearest: str = "PGD-20"
    defends: bool = True


BASELINE = Claim("none: a baseline", defends=False)
ELSEWHERE = Claim("none on MNIST")
ONE_STEP = Claim("one linearised step, accuracy not to be had", nearest="FGSM")
DETECTOR = Claim("AUC alone: table rce_auc", nearest="PGD-40 class")
ENSEMBLE = Claim("PGD-10", "Linf 0.1")
CLAIMS = {  # of the rest ELSEWHERE; numbers and their trust as in the documents of the project
    "standard_mnist": BASELINE,
    "linear_mnist": Claim("sign(w) step, not clipped", "Linf 0.2", 0.975, "FGSM"),
    "rce_mnist": Claim("AUC of detectors alone: table rce_auc"),
    "center_loss_mnist": BASELINE,
    "distillation_teacher_mnist": BASELINE,
    "distillation_mnist": Claim("JSMA, share of targets missed (recalled)", None, 0.9955),
    "mixup_mnist": BASELINE,
    "rt_linf_mnist": ONE_STEP,
    "rt_l2_mnist": ONE_STEP,
    "rt_l1_mnist": ONE_STEP,
    "lwa_mnist": Claim("Adv_Loss (Adv_Alpha: 0.862), not clipped", "L2 1.5", 0.867, "FGSM"),
    "amt_mnist": Claim("not to be had", nearest="FGSM"),
    "at_fgsm_mnist": Claim("FGSM, a wider net (recalled)", "Linf 0.25", 0.821, "FGSM"),
    "at_lbfgs_mnist": Claim("L-BFGS, no accuracy under attack"),
    "art_mnist": Claim("PGD-40 (recalled)", "Linf 0.3", 0.932, "PGD-40"),
    "trades_mnist": Claim("PGD-40", "Linf 0.3", 0.9607, "PGD-40"),
    "smoothed_mnist": Claim("certified radii alone, none on MNIST"),
    "ensemble_baseline_mnist": ENSEMBLE._replace(attacked=0.507, defends=False),
    "adp_entropy_mnist": ENSEMBLE._replace(attacked=0.734),
    "adp_mnist": ENSEMBLE._replace(attacked=0.828),
    "confidence_mnist": DETECTOR,
    "non_maximal_entropy_mnist": DETECTOR,
    "kernel_density_mnist": DETECTOR,
    "lid_mnist": Claim("AUC alone", nearest="PGD-40 class"),
}
# Released besides where the headline depends on the paper's own net.
OWN_NETS = {
    "at_lbfgs_mnist_fc100": CLAIMS["at_lbfgs_mnist"],
    "rt_linf_mnist_shaham": ONE_STEP,
    "rt_l2_mnist_shaham": ONE_STEP,
    "rt_l1_mnist_shaham": ONE_STEP,
    "lwa_mnist_mlp500": CLAIMS["lwa_mnist"],
    "art_mnist_madry": CLAIMS["art_mnist"],
    "distillation_mnist_papernot": CLAIMS["distillation_mnist"],
    "rce_mnist_resnet32": CLAIMS["rce_mnist"],
    "adp_mnist_resnet20": CLAIMS["adp_mnist"],
    "ensemble_baseline_mnist_resnet20": CLAIMS["ensemble_baseline_mnist"],
}
# How the columns of the table `adp` call a model; its row on MNIST of the claim's attack.
IN_ADP = {
    "ensemble_baseline_mnist": "base",
    "adp_entropy_mnist": "entropy",
    "adp_mnist": "ADP",
}
ADP_ROW = {"data": "mnist", "attack": "PGD 0.1"}
FALL = 0.1  # a defense that keeps less has fallen; one that loses less in the worst case stands


def main() -> None:
    facts = {
        "source of ours": "eval.json of model_cards/*, by the command of the row",
        "attacked": "under the attack of our records that is nearest to the paper's",
        "worst case": "of all attacks that were run at the budget, by the commands of the row: on "
        "the cross-entropy and on the margin, with averaged gradients (EOT) where the model draws "
        "noise; adaptive only where a command says --loss own, or names AutoAttack or rand, and of "
        "models that abstain; what these reject is withstood, and an error without attack",
    }
    table = Table("mnist_family", "The MNIST family: accuracy", COLUMNS, facts)
    for recipe in members():
        table.row(recipe, functools.partial(row_of, recipe), _folder(recipe).name)
    table.write(
        [
            *filter(None, map(verdict, table.rows.values())),
            "All of ours but linear-mnist and those named after another net are the SmallCNN of "
            "TRADES, or ensembles of it, trained for 2 to 20 epochs; the published nets are "
            "others, but for TRADES and distillation.",
            "Where the budget is another than that of the published number, the two cannot be "
            "compared.",
        ]
    )


def members() -> list[str]:
    """Recipes of the family, and those of own nets that are released."""
    return [*FAMILIES["mnist"], *(recipe for recipe in OWN_NETS if _released(recipe))]


def claim_of(recipe: str) -> Claim:
    """What the paper of a member says of MNIST."""
    return (CLAIMS | OWN_NETS).get(recipe, ELSEWHERE)


def _folder(recipe):
    return CARDS / recipe.replace("_", "-")


def _released(recipe):
    return (_folder(recipe) / "model.safetensors").is_file()


def row_of(recipe: str) -> dict:
    """Published and measured cells of one member; what is not there has no cells but a word."""
    about, claim = read_recipe(find_recipe(recipe)), claim_of(recipe)
    trainer = getattr(about.defense, "func", about.defense).__name__
    method, published = methods()[about.method or snake_case(trainer)], about.published or {}
    return {
        "model": _folder(recipe).name,
        "method": method["title"],
        "published clean": published.get("clean"),
        "published attacked": claim.attacked,
        "published with": ", ".join(filter(None, (claim.attack, claim.budget))),
        "source": published.get("source") or method["paper"],
    } | measured(recipe, claim)


def measured(recipe: str, claim: Claim) -> dict:
    """Our cells: at the budget of the claim where there is a record of it, else at the model's."""
    folder = _folder(recipe)
    if not _released(recipe):
        return {"command": f"not trained: python -m training.train {recipe}"}
    records = parts(read_facts(folder, "eval.json"))
    known = [part for part in records if describe_threat(part["threat"]) == claim.budget]
    if not known and recipe in IN_ADP and (found := _in_adp(IN_ADP[recipe])):
        return _clean(records) | found
    if not records:
        return {"command": f"not measured: robustzoo evaluate {folder.name}"}
    first = (known or records)[0]
    alike = at_threat(records, first["threat"])
    ours = {result["label"].split(" x ")[0]: result["accuracy"] for result in first["results"]}
    worst = min(alike, key=left)
    used = [first] if worst is first else [first, worst]
    return _clean(records) | {
        "attacked": ours.get(claim.nearest),
        "nearest attack": claim.nearest,
        "worst case": left(worst),
        "budget": describe_threat(first["threat"]),
        **sources(used),
    }


def _clean(records):
    """Accuracy without attack, on the most images that a record has."""
    if not records:
        return {}
    largest = max(records, key=lambda part: part["examples"])
    return {"clean": next(r["accuracy"] for r in largest["results"] if r["label"] == "clean")}


def _in_adp(who):
    """Cells from the table `adp`; None if it was not measured."""
    record = read_facts(FOLDER, "adp.json")
    if record is None:
        return None
    row = next(row for row in record["rows"] if ADP_ROW.items() <= row.items())
    return {
        "attacked": row[f"paper's attack {who}"],
        "nearest attack": "PGD-10",
        "worst case": row[f"adaptive {who}"],
        "budget": ENSEMBLE.budget,
        "images": record["facts"]["images"].split()[0],
        "command": "python -m training.tables.adp",
    }


def verdict(row: dict) -> str | None:
    """One sentence where a defense falls, or the worst case leaves much less; else None."""
    ours, least = row.get("attacked"), row.get("worst case")
    claim = claim_of(row["model"].replace("-", "_"))
    if ours is None or (ours - least < FALL and not (claim.defends and least < FALL)):
        return None
    told = f"{row['model']}: {100 * ours:.1f} % after {row['nearest attack']} at {row['budget']}"
    told += f", {100 * least:.1f} % in the worst case"
    if not claim.defends:
        return f"{told}; believe the lower."
    if claim.budget != row["budget"]:
        return f"{told}; the paper's own: {row['published with']}."
    falls = least < max(FALL, ours / 2)
    return f"{told}: the defense {'falls' if falls else 'holds in part'}."


if __name__ == "__main__":
    main()
