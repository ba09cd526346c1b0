"""ART and TRADES: the rows of Madry et al. and Zhang et al. beside our released models.

Command:  python -m training.tables.madry_trades

Nothing is attacked here: our numbers come from `eval.json` of each model folder, and that of
AutoAttack from the record of its suite, where there is one.
"""

from robustzoo.zoo.card import read_facts
from robustzoo.zoo.records import at_threat, left, parts
from training.tables._table import Table, sources
from training.train import CARDS

COLUMNS = [
    "model",
    "data",
    "attack",
    "published",
    "published with",
    "tag",
    "ours, the paper's attack",
    "our restarts",
    "ours, worst case of all attacks run",
    "images",
    "command",
]
MNIST = ("art-mnist", "MNIST, Linf 0.3", "their larger net")
CIFAR = ("art-cifar10", "CIFAR-10, Linf 8/255", "WRN-34-10-like")
SMALL = ("trades-mnist", "MNIST, Linf 0.3", "the same SmallCNN, 100 epochs")
WIDE = ("trades-cifar10", "CIFAR-10, Linf 8/255", "WRN-34-10, eps 0.031")
ROWS = [  # model, data and net, attack, published accuracy, tag of methods.md
    (*MNIST, "clean", 0.988, "R"),
    (*MNIST, "FGSM", 0.956, "R"),
    (*MNIST, "PGD-40", 0.932, "R"),
    (*CIFAR, "clean", 0.873, "R"),
    (*CIFAR, "FGSM", 0.561, "R"),
    (*CIFAR, "PGD-20", 0.458, "R"),
    (*CIFAR, "PGD-20", 0.4704, "C"),
    (*SMALL, "clean", 0.9948, "C"),
    (*SMALL, "PGD-40", 0.9607, "C"),
    (*WIDE, "clean", 0.8492, "C"),
    (*WIDE, "FGSM", 0.6106, "C"),
    (*WIDE, "PGD-20", 0.5661, "C"),
    (*WIDE, "AutoAttack", 0.5308, "C"),
]


def main() -> None:
    facts = {"source of ours": "model_cards/*/eval.json"}
    table = Table("madry_trades", "ART and TRADES: accuracy", COLUMNS, facts)
    for name, data, net, attack, published, tag in ROWS:
        row = {"model": name, "data": data, "attack": attack, "published": published}
        row |= {"published with": net, "tag": tag} | measured(name, attack)
        table.row(f"{name} {attack} {tag}", lambda row=row: row, name)
    table.write(
        [
            "Tags: C, read in the authors' repository or its leaderboard; R, recalled from the "
            "paper, low confidence.",
            "An empty cell of ours is an attack that eval.json has no number of under that name.",
            "Where there are two numbers of images, the second is of the worst case: another "
            "sample, drawn with seed 0, whose clean accuracy is another, too.",
            "Published PGD is of one start. Madry et al. also print 89.3 (R) and 89.62 (C) of "
            "PGD-100 with 20 and 50 restarts on MNIST, and 43.95 (C) of the best attack on "
            "CIFAR-10, which we have not run.",
            "The steps differ: TRADES reports PGD-20 on CIFAR-10 with step 0.003, we with 2/255; "
            "PGD-40 on MNIST is 0.01 for both.",
            "Our CIFAR-10 models are a pre-activation ResNet-10 with a stride of 2 in its first "
            "convolution, trained on 2 CPU cores: their numbers say what that net can, "
            "not what the method can.",
        ]
    )


def measured(name: str, attack: str) -> dict:
    """Our accuracy under `attack` and its restarts, under the worst of all, and the images of both.

    The worst is that of any record of the same threat.
    """
    record = read_facts(CARDS / name, "eval.json")
    if record is None:
        raise FileNotFoundError(f"{name} is not measured: robustzoo evaluate model_cards/{name}")
    ours = {result["label"].split(" x ")[0]: result for result in record["results"]}
    alike = at_threat(parts(record), record["threat"])
    auto = [part for part in alike if part.get("suite") == "autoattack"]
    if attack == "AutoAttack" and auto:
        record = auto[0]
        ours[attack] = {"accuracy": left(record)}
    found, worst = ours.get(attack, {}), min(alike, key=left)
    clean = attack == "clean"
    used = [record] if clean or worst["examples"] == record["examples"] else [record, worst]
    return {
        "ours, the paper's attack": found.get("accuracy"),
        "our restarts": found.get("arguments", {}).get("restarts"),
        "ours, worst case of all attacks run": None if clean else left(worst),
        **sources(used),
    }


if __name__ == "__main__":
    main()
