"""robustzoo list | info"""

import difflib

import click

import robustzoo
from robustzoo.cli._show import notice, percent, show_results, table

LISTED = ["data", "network", "defense", "threat", "weights", "clean", "robust", "under"]
PROVED = ["data", "network", "defense", "threat", "clean", "attacked", "certified", "images", "by"]


@click.command("list")
@click.argument("pattern", default="*")
@click.option("--defense", help="e.g. trades")
@click.option("--dataset", help="e.g. cifar10")
@click.option("--norm", help="linf, l2 or l1")
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
        close = difflib.get_close_matches(pattern.strip("*?"), entries, 3, 0.4)
        hint = f"; closest: {', '.join(close)}" if close else ""
        notice(f"none of the {len(entries)} released models matches {pattern!r}{hint}")


@click.command()
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
        about["certified"] = f"{percent(proof['accuracy'])} % within {describe_threat(proof)}"
    for record in ("config", "certificate", "smoothing"):
        about.pop(record, None)
    about |= about.pop("method") or {}
    if training:
        about |= {key: training[key] for key in ("command", "seed", "device", "seconds")}
    table(["fact", "value"], [[key, value] for key, value in about.items() if value is not None])
    if evaluation:
        show_results(evaluation)


def _facts(entry):
    from robustzoo.zoo.card import describe_threat

    threat = describe_threat(entry) if entry["norm"] else None
    keys = ("dataset", "architecture", "defense")
    weights = f"{entry['parameters'] / 1e6:.2f}M"
    accuracies = percent(entry["clean"]), percent(entry["robust"])
    return [*(entry[key] for key in keys), threat, weights, *accuracies, entry["robust_attack"]]


def _proved(entry):
    from robustzoo.zoo.card import describe_threat

    proof, keys = entry["certified"], ("dataset", "architecture", "defense")
    accuracies = (percent(proof[key]) for key in ("clean", "attacked", "accuracy"))
    methods = ", ".join(proof["methods"])
    known = *(entry[key] for key in keys), describe_threat(proof)
    return [*known, *accuracies, proof["examples"], methods]
