"""README.md of a model folder, generated from its other files and never edited by hand."""

from pathlib import Path

from robustzoo.zoo.config import check_config
from robustzoo.zoo.folder import parse_json
from robustzoo.zoo.methods import methods
from robustzoo.zoo.records import (
    check_certificate,
    check_evaluation,
    check_smoothing,
    check_training,
    parts,
)

# What the data sets are called on the Hub.
HUB_DATASETS = {
    "mnist": "ylecun/mnist",
    "fashion_mnist": "zalando-datasets/fashion_mnist",
    "cifar10": "uoft-cs/cifar10",
    "cifar100": "uoft-cs/cifar100",
    "svhn": "ufldl-stanford/svhn",
}


def write_card(folder: str | Path, name: str | None = None) -> None:
    """Writes README.md with the Hub's YAML header from the JSON files of `folder`.

    Args:
        folder: a model folder; without eval.json or training.json the card says so, without
            certificate.json or smoothing.json it says nothing of one.
        name: of the model, by default that of the folder.

    Raises ValueError naming the file and key that is missing or wrong.
    """
    from huggingface_hub import ModelCard

    folder = Path(folder)
    name = name or folder.resolve().name
    config = check_config(read_facts(folder, "config.json"))
    training = check_training(read_facts(folder, "training.json"))
    weights = (folder / "model.safetensors").read_bytes()
    evaluation = check_evaluation(read_facts(folder, "eval.json"), weights)
    certificate = check_certificate(read_facts(folder, "certificate.json"), weights)
    smoothing = check_smoothing(read_facts(folder, "smoothing.json"), weights)
    body = "\n\n".join(
        [
            f"# {name}",
            _summary(config, len(weights)),
            *_method(config),
            _usage(name),
            "## Accuracy\n\n" + _accuracy(evaluation, training or {}),
            *(
                ["## Certified accuracy\n\n" + _certified(certificate, training or {})]
                if certificate
                else []
            ),
            *(["## Randomised smoothing\n\n" + _smoothed(smoothing)] if smoothing else []),
            "## Training\n\n" + _training(training, config),
            "## Files\n\n" + _files(certificate, smoothing),
        ]
    )
    header = _header(name, config, _eval_results(evaluation) + _certified_results(certificate))
    ModelCard(f"---\n{header.to_yaml()}\n---\n\n{body}\n").save(folder / "README.md")


def read_facts(folder: str | Path, file: str) -> dict | None:
    """A JSON file of a model folder as a dict, None where it is absent."""
    path = Path(folder) / file
    return parse_json(path.read_bytes(), file) if path.is_file() else None


def describe_threat(threat: dict | None) -> str:
    """ "Linf 8/255", or "none" for standard training."""
    return f"{threat['norm'].capitalize()} {threat['eps']}" if threat else "none"


def describe_arguments(arguments: dict) -> str:
    """ "steps=40, step_size=2/255"."""
    return ", ".join(f"{key}={value}" for key, value in arguments.items())


def _header(name: str, config: dict, results: list):
    from huggingface_hub import ModelCardData

    tags = ["keras", "adversarial-robustness", config["defense"], config["architecture"]]
    if config["threat"]:
        tags.append(config["threat"]["norm"])
    return ModelCardData(
        model_name=name,
        license=config["license"],
        library_name="robustzoo",
        pipeline_tag="image-classification",
        datasets=[HUB_DATASETS.get(config["dataset"], config["dataset"])],
        tags=tags,
        eval_results=results or None,
    )


def _eval_results(evaluation: dict | None) -> list:
    results = []
    for part in parts(evaluation):
        threat, images = part["threat"], {"examples": part["examples"]}
        for result in part["results"]:
            name, arguments = result["label"], images
            if result["attack"] != "none":
                name = f"{name}, {describe_threat(threat)}"
                arguments = {"attack": result["attack"], **threat, **result["arguments"], **images}
            results.append(_metric(part, name, result["accuracy"], arguments))
    return results


def _certified_results(certificate: dict | None) -> list:
    results = []
    for part in parts(certificate):
        arguments = {key: part[key] for key in ("methods", "clip", "tolerance", "precision")}
        name = f"certified, {describe_threat(part['threat'])}"
        accuracy = part["certified_accuracy"]
        results.append(_metric(part, name, accuracy, {**part["threat"], **arguments}))
    return results


def _metric(record: dict, name: str, accuracy: float, arguments: dict):
    from huggingface_hub import EvalResult

    dataset = record["dataset"]
    return EvalResult(
        task_type="image-classification",
        dataset_type=HUB_DATASETS.get(dataset, dataset),
        dataset_name=dataset,
        dataset_split=record["split"],
        metric_type="accuracy",
        metric_name=name,
        metric_value=accuracy,
        metric_args=arguments,
    )


def _summary(config: dict, size: int) -> str:
    arguments = describe_arguments(config["arguments"]) or "default arguments"
    shape = " x ".join(map(str, config["input_shape"]))
    facts = {
        "Architecture": f"`{config['architecture']}` ({arguments})",
        "Input": f"float32 images {shape} in [0, 1]; normalisation is inside the model",
        "Output": f"logits of {len(config['labels'])} classes: {', '.join(config['labels'][:20])}"
        + (", ..." if len(config["labels"]) > 20 else ""),
        "Data set": config["dataset"],
        "Defense": config["defense"],
        "Threat trained against": describe_threat(config["threat"]),
        "Weight file": f"{size:,} bytes",
        "Licence": config["license"],
    }
    rows = "\n".join(f"| {key} | {value} |" for key, value in facts.items())
    return (
        "An image classifier for Keras 3 from robustzoo, a zoo of adversarially robust models.\n\n"
        f"| | |\n|---|---|\n{rows}"
    )


def _method(config: dict) -> list[str]:
    """What is known of the defense, if it is one of ours."""
    method = methods().get(config["defense"])
    if not method:
        return []
    paper = f" ({method['paper']})" if method["paper"] else ""
    return [
        f"## Defense\n\n{method['title']}{paper}.\n\n"
        f"Defends against: {method['defends']}\n\nWhat breaks it: {method['breaks']}"
    ]


def _usage(name: str) -> str:
    return (
        "## Use\n\n```python\nimport robustzoo\n\n"
        f'model = robustzoo.load("{name}")  # from images in [0, 1] to logits\n```'
    )


def _accuracy(evaluation: dict | None, training: dict) -> str:
    if not evaluation:
        return "Not measured."
    published = training.get("published") or {}
    told = [_measured(part, published) for part in parts(evaluation)]
    bound = (
        "Attacks bound robustness from above: a stronger one can only lower these numbers. The "
        "worst case counts an image only if it withstands every attack of its table."
    )
    return "\n\n".join([*told, bound])


def _measured(evaluation: dict, published: dict) -> str:
    """One evaluation: the sample, a table, the worst case with its interval, the command."""
    rows = [
        f"| {result['label']} | {describe_arguments(result['arguments']) or '-'} | "
        f"{_or_dash(result['seed'])} | {100 * result['accuracy']:.2f} | "
        f"{_published(published, result['label'])} | {_distance(result)} | "
        f"{result['seconds']:.0f} |"
        for result in evaluation["results"]
    ]
    sample = f"{_sample(evaluation)}, threat {describe_threat(evaluation['threat'])}"
    if evaluation.get("cascade"):
        sample += "; each attack saw only what those above it had left"
    if "proved" in evaluation:
        proved, methods = evaluation["proved"], ", ".join(evaluation["proved"]["methods"])
        sample += f", and none the {proved['examples']:,} images that {methods} proved robust"
    if evaluation.get("precision", "float32") != "float32":
        sample += f"; searched in {evaluation['precision']}, judged in float32"
    head = (
        "| Attack | Arguments | Seed | Accuracy (%) | Published (%) | Median distance | Seconds |\n"
        "|---|---|---|---|---|---|---|\n"
    )
    told = [f"Measured on {sample}.", head + "\n".join(rows)]
    if any(_published(published, result["label"]) != "-" for result in evaluation["results"]):
        told.append(f"Published: {published['source']}.")
    if "rejected" in evaluation:
        told.append(
            f"The model rejects {100 * evaluation['rejected']:.2f} % of these images without "
            "attack, which count as errors there; what it rejects under attack counts as withstood."
        )
    told += [*_short_steps(evaluation), *_verdict(evaluation)]
    return "\n\n".join([*told, "Reproduce:", _provenance(evaluation)])


def _sample(record: dict) -> str:
    sample = f"{record['examples']:,} images of {record['dataset']} ({record['split']} split"
    if record.get("sample_seed") is not None:
        sample += f", a sample drawn with seed {record['sample_seed']}"
    return f"{sample})"


def _certified(certificate: dict, training: dict) -> str:
    published = training.get("published") or {}
    told = [_proved(part, published) for part in parts(certificate)]
    if "certified" in published:
        told.append(f"Published: {published['source']}.")
    meaning = (
        "A certificate bounds robustness from below, an attack on the same images from above: the "
        "truth lies between. Bounds are sound up to rounding, which the tolerance is for."
    )
    return "\n\n".join([*told, meaning])


def _proved(part: dict, published: dict) -> str:
    """One certificate: the sample, both bounds of the truth, the command."""
    attack, methods = part["attacked"], ", ".join(part["methods"])
    facts = (
        f"by {methods}; a margin counts above {part['tolerance']:g} of the largest logit; margins "
        f"in float64, hidden bounds in {part['precision']}; "
        f"{'pixels stay' if part['clip'] else 'pixels need not stay'} in [0, 1]"
    )
    rows = (
        ("clean", "-", part["accuracy"], None),
        (attack["label"], describe_arguments(attack["arguments"]), attack["accuracy"],
         attack["seconds"]),
        ("certified", facts, part["certified_accuracy"], part["seconds"]),
    )  # fmt: skip
    head = "| | How | Accuracy (%) | Published (%) | Seconds |\n|---|---|---|---|---|\n"
    table = head + "\n".join(
        f"| {name} | {how} | {100 * share:.2f} | {_published(published, name)} | "
        f"{'-' if time is None else f'{time:.1f}'} |"
        for name, how, share, time in rows
    )
    proved = f"Proved for {_sample(part)}, threat {describe_threat(part['threat'])}."
    return "\n\n".join([proved, table, "Reproduce:", _provenance(part)])


def _smoothed(smoothing: dict) -> str:
    meaning = (
        "These radii are of the smoothed classifier, the most likely answer under that noise, not "
        "of the model asked once."
    )
    return "\n\n".join([*map(_radii, parts(smoothing)), meaning])


def _radii(part: dict) -> str:
    """One sigma: the sample, certified accuracy by radius, the command."""
    told = (
        f"{_sample(part)}, noise of standard deviation {part['sigma']:g}: {part['n0']} draws "
        f"choose a class, {part['n']:,} count it (seed {part['seed']}); each radius holds with "
        f"probability {1 - part['alpha']:g}. Abstained on {100 * part['abstained']:.2f} %; "
        f"{part['seconds']:.0f} seconds."
    )
    table = "| L2 radius | Certified accuracy (%) |\n|---|---|\n" + "\n".join(
        f"| {radius} | {100 * share:.2f} |" for radius, share in part["certified_accuracy"].items()
    )
    return "\n\n".join([told, table, "Reproduce:", _provenance(part)])


def _short_steps(evaluation: dict) -> list[str]:
    """Why the longer attack may be the weaker one, where it is."""
    shares = {r["label"].split(" x ")[0]: r["accuracy"] for r in evaluation["results"]}
    if shares.get("PGD-40", 0.0) <= shares.get("PGD-20", 1.0):
        return []
    return [
        "PGD-40 takes steps of eps / 30, as published: from a random start they do not reach every "
        "corner of the ball, which those of PGD-20 do. It is there for comparison."
    ]


def _verdict(evaluation: dict) -> list[str]:
    """The worst case, and what the checks say."""
    lines = []
    if "worst_case_accuracy" in evaluation:
        worst = f"Worst case: **{100 * evaluation['worst_case_accuracy']:.2f} %**"
        if "interval" in evaluation:
            low, high = (100 * bound for bound in evaluation["interval"])
            worst += f" (95 % interval {low:.2f} to {high:.2f})"
        lines.append(worst + ".")
    findings = evaluation.get("findings")
    if findings is not None:
        told = "; ".join(f"{f['name']}: {f['text']}" for f in findings)
        lines.append(f"Checks: {told or 'nothing makes these numbers doubtful'}.")
    if evaluation.get("not_checked"):
        lines.append(f"Not checked: {'; '.join(evaluation['not_checked'])}.")
    return lines


def _distance(result: dict) -> str:
    """Of the adversarial examples that an attack found, where it looked for the smallest."""
    median = result.get("median_distance")
    return "-" if median is None or not result.get("minimal") else f"{result['norm']} {median:.4g}"


def _published(published: dict, label: str) -> str:
    """The paper's accuracy under the same attack, whatever its restarts: "PGD-40 x 2"."""
    share = published.get(label.split(" x ")[0])
    return "-" if share is None else f"{100 * share:.2f}"


def _training(training: dict | None, config: dict) -> str:
    if not training:
        return "No training record."
    text = (
        f"Recipe `{config['recipe']}`, {training['epochs']} epochs, seed {training['seed']}, "
        f"{training['seconds'] / 3600:.2f} hours.\n\n" + _provenance(training)
    )
    if training.get("remark"):
        text += f"\n\n{training['remark']}"
    for past in training.get("earlier", []):
        text += f"\n\nInterrupted, and begun at commit {past['commit']}, {_machine(past)}."
    for model, weights in training.get("models", {}).items():
        text += f"\n\nStarted from `{model}`, whose weights have the sha256 `{weights}`."
    if training.get("settings"):
        settings = training["settings"].items()
        rows = [f"| {key} | {_call(value)} |" for key, value in settings if value is not None]
        text += "\n\n| Setting | Value |\n|---|---|\n" + "\n".join(rows)
    if training.get("curve"):
        best = training["curve"][training.get("best_epoch", 0) - 1]
        told = {k: f"{v:.4g}" if isinstance(v, float) else v for k, v in best.items()}
        text += f"\n\nReleased: {describe_arguments(told)} (the curve is in `training.json`)."
    return text


def _call(value) -> str:
    """A setting as Python would write it: PGD(threat=Linf(eps=0.3), steps=5)."""
    if isinstance(value, dict):
        inside = ", ".join(f"{k}={_call(v)}" for k, v in value.items() if k != "type")
        return f"{value['type']}({inside})" if "type" in value else f"{{{inside}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_call, value))}]"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _provenance(record: dict) -> str:
    return f"```\n{record['command']}\n```\n\nCommit {record['commit']}, {_machine(record)}."


def _machine(record: dict) -> str:
    versions = ", ".join(f"{package} {version}" for package, version in record["versions"].items())
    return f"backend {record['backend']}, {record['device']}; {versions}"


def _files(certificate: dict | None, smoothing: dict | None) -> str:
    records = ["`training.json`", "`eval.json`"]
    records += ["`certificate.json`"] if certificate else []
    records += ["`smoothing.json`"] if smoothing else []
    return (
        "`config.json` names the architecture and its arguments, `model.safetensors` holds the "
        f"weights,\n{', '.join(records[:-1])} and {records[-1]} are the records this card is "
        "generated from, "
        "`manifest.json`\nlists the sha256 of every file. Loading checks them all and runs no code "
        "from the folder."
    )


def _or_dash(value) -> str:
    return "-" if value is None else str(value)
