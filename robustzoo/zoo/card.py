"""README.md of a model folder, generated from its four other files and never edited by hand."""

from pathlib import Path

from robustzoo.zoo.config import check_config, check_threat
from robustzoo.zoo.folder import parse_json
from robustzoo.zoo.methods import methods

# What the data sets are called on the Hub.
HUB_DATASETS = {
    "mnist": "ylecun/mnist",
    "fashion_mnist": "zalando-datasets/fashion_mnist",
    "cifar10": "uoft-cs/cifar10",
    "cifar100": "uoft-cs/cifar100",
    "svhn": "ufldl-stanford/svhn",
}
TRAINING_KEYS = ("command", "commit", "seed", "versions", "backend", "device", "seconds", "epochs")
EVALUATION_KEYS = ("dataset", "split", "examples", "threat", "command", "commit", "versions",
                   "backend", "device", "results")  # fmt: skip
RESULT_KEYS = ("attack", "label", "arguments", "seed", "accuracy", "seconds")


def write_card(folder: str | Path, name: str | None = None) -> None:
    """Writes README.md with the Hub's YAML header from the JSON files of `folder`.

    Args:
        folder: a model folder; without eval.json or training.json the card says so.
        name: of the model, by default that of the folder.

    Raises ValueError naming the file and key that is missing or wrong.
    """
    from huggingface_hub import ModelCard

    folder = Path(folder)
    name = name or folder.resolve().name
    config = check_config(read_facts(folder, "config.json"))
    training = check_training(read_facts(folder, "training.json"))
    evaluation = check_evaluation(read_facts(folder, "eval.json"))
    body = "\n\n".join(
        [
            f"# {name}",
            _summary(config, folder),
            *_method(config),
            _usage(name),
            "## Accuracy\n\n" + _accuracy(evaluation, training or {}),
            "## Training\n\n" + _training(training, config),
            "## Files\n\n" + _files(),
        ]
    )
    header = _header(name, config, evaluation).to_yaml()
    ModelCard(f"---\n{header}\n---\n\n{body}\n").save(folder / "README.md")


def read_facts(folder: str | Path, file: str) -> dict | None:
    """A JSON file of a model folder as a dict, None where it is absent."""
    path = Path(folder) / file
    return parse_json(path.read_bytes(), file) if path.is_file() else None


def check_training(training: dict | None) -> dict | None:
    """Returns `training` (training.json); ValueError if a fact that the card prints is missing."""
    return training and _has("training.json", training, TRAINING_KEYS)


def check_evaluation(evaluation: dict | None) -> dict | None:
    """Returns `evaluation` (eval.json); ValueError if it lacks a fact or has a wrong accuracy."""
    if not evaluation:
        return evaluation
    _has("eval.json", evaluation, EVALUATION_KEYS)
    check_threat(evaluation["threat"])
    if not evaluation["results"]:
        raise ValueError("eval.json: results must not be empty")
    for result in evaluation["results"]:
        _has("eval.json: a result", result, RESULT_KEYS)
    for further in evaluation.get("further", []):
        check_evaluation(further)
    accuracies = [result["accuracy"] for result in evaluation["results"]]
    if "worst_case_accuracy" in evaluation:
        accuracies.append(evaluation["worst_case_accuracy"])
    for accuracy in accuracies:
        if not isinstance(accuracy, (int, float)) or not 0 <= accuracy <= 1:
            raise ValueError(f"eval.json: accuracy must lie in [0, 1]. Received: {accuracy!r}")
    return evaluation


def describe_threat(threat: dict | None) -> str:
    """ "Linf 8/255", or "none" for standard training."""
    return f"{threat['norm'].capitalize()} {threat['eps']}" if threat else "none"


def describe_arguments(arguments: dict) -> str:
    """ "steps=40, step_size=2/255"."""
    return ", ".join(f"{key}={value}" for key, value in arguments.items())


def _has(where: str, value, keys: tuple) -> dict:
    if not isinstance(value, dict):
        raise ValueError(f"{where} must be an object. Received: {value!r:.200}")
    missing = [key for key in keys if key not in value]
    if missing:
        raise ValueError(f"{where} lacks {', '.join(missing)}")
    return value


def _header(name: str, config: dict, evaluation: dict | None):
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
        eval_results=_eval_results(evaluation) if evaluation else None,
    )


def _eval_results(evaluation: dict) -> list:
    from huggingface_hub import EvalResult

    threat, dataset = evaluation["threat"], evaluation["dataset"]
    return [
        EvalResult(
            task_type="image-classification",
            dataset_type=HUB_DATASETS.get(dataset, dataset),
            dataset_name=dataset,
            dataset_split=evaluation["split"],
            metric_type="accuracy",
            metric_name=result["label"]
            if result["attack"] == "none"
            else f"{result['label']}, {describe_threat(threat)}",
            metric_value=result["accuracy"],
            metric_args=None
            if result["attack"] == "none"
            else {"attack": result["attack"], **threat, **result["arguments"]},
        )
        for result in evaluation["results"]
    ]


def _summary(config: dict, folder: Path) -> str:
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
        "Weight file": f"{(folder / 'model.safetensors').stat().st_size:,} bytes",
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
        f'model = robustzoo.load("{name}")  # a keras.Model from images in [0, 1] to logits\n```'
    )


def _accuracy(evaluation: dict | None, training: dict) -> str:
    if not evaluation:
        return "Not measured."
    published = training.get("published") or {}
    parts = [_measured(part, published) for part in (evaluation, *evaluation.get("further", []))]
    bound = (
        "Attacks bound robustness from above: a stronger one can only lower these numbers. The "
        "worst case counts an image only if it withstands every attack of its table."
    )
    return "\n\n".join([*parts, bound])


def _measured(evaluation: dict, published: dict) -> str:
    """One evaluation: the sample, a table, the worst case with its interval, the command."""
    rows = [
        f"| {result['label']} | {describe_arguments(result['arguments']) or '-'} | "
        f"{_or_dash(result['seed'])} | {100 * result['accuracy']:.2f} | "
        f"{_published(published, result['label'])} | {_distance(result)} | "
        f"{result['seconds']:.0f} |"
        for result in evaluation["results"]
    ]
    sample = f"{evaluation['examples']:,} images of {evaluation['dataset']} "
    sample += f"({evaluation['split']} split"
    if evaluation.get("sample_seed") is not None:
        sample += f", a sample drawn with seed {evaluation['sample_seed']}"
    sample += f"), threat {describe_threat(evaluation['threat'])}"
    if evaluation.get("cascade"):
        sample += "; each attack saw only what those above it had left"
    head = (
        "| Attack | Arguments | Seed | Accuracy (%) | Published (%) | Median distance | Seconds |\n"
        "|---|---|---|---|---|---|---|\n"
    )
    parts = [f"Measured on {sample}.", head + "\n".join(rows)]
    if any(_published(published, result["label"]) != "-" for result in evaluation["results"]):
        parts.append(f"Published: {published['source']}.")
    return "\n\n".join([*parts, *_verdict(evaluation), "Reproduce:", _provenance(evaluation)])


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
    if training.get("settings"):
        settings = training["settings"].items()
        rows = [f"| {key} | {_call(value)} |" for key, value in settings if value is not None]
        text += "\n\n| Setting | Value |\n|---|---|\n" + "\n".join(rows)
    if training.get("curve"):
        last = {
            k: f"{v:.4g}" if isinstance(v, float) else v for k, v in training["curve"][-1].items()
        }
        text += f"\n\nLast epoch: {describe_arguments(last)} (the curve is in `training.json`)."
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
    versions = ", ".join(f"{package} {version}" for package, version in record["versions"].items())
    return (
        f"```\n{record['command']}\n```\n\n"
        f"Commit {record['commit']}, backend {record['backend']}, {record['device']}; {versions}."
    )


def _files() -> str:
    return (
        "`config.json` names the architecture and its arguments, `model.safetensors` holds the "
        "weights,\n`training.json` and `eval.json` are the records this card is generated from, "
        "`manifest.json`\nlists the sha256 of every file. Loading checks them all and runs no code "
        "from the folder."
    )


def _or_dash(value) -> str:
    return "-" if value is None else str(value)
