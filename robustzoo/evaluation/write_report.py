"""A report of several models."""

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import keras

from robustzoo.evaluation._bar import progress_bar
from robustzoo.evaluation._data import checked_data
from robustzoo.evaluation._words import counted
from robustzoo.evaluation.evaluate import evaluate
from robustzoo.evaluation.gallery import Gallery
from robustzoo.evaluation.page import Page, Picture, to_html, to_markdown
from robustzoo.evaluation.suite import CASCADES
from robustzoo.evaluation.suite import suite as attacks_of
from robustzoo.evaluation.tables import accuracy_tables, attack_table, distance_table
from robustzoo.provenance import provenance
from robustzoo.threats import L1, L2, Linf
from robustzoo.writable import writable
from robustzoo.write_whole import write_whole

TITLE = "Robustness of"


def write_report(
    models: Mapping[str, keras.Model],
    data,
    threat: Linf | L2 | L1,
    path: str | Path,
    *,
    suite: str = "quick",
    names: Sequence[str] | None = None,
    dataset: str = "",
    batch_size: int = 128,
    seed: int = 0,
    draws: int = 1,
    sample_seed: int | None = None,
    command: str = "",
    tell: Callable[[str], None] = lambda text: None,
) -> list[Path]:
    """Attacks models on the same examples; writes what it saw as HTML and as Markdown.

    Returns the two paths; Markdown's pictures are in the folder <stem>_files beside it. Needs
    matplotlib, of the extra `report`.

    Args:
        models: by the name that the report gives them.
        data: something with `images` and `labels`, or the two as a tuple; float (N, H, W, C) in
            [0, 1] and integers (N,).
        threat: what the adversary may do to all of them.
        path: of the HTML file.
        suite: of `evaluate`, for the table of accuracies.
        names: of the classes, by default their numbers.
        seed: of all noise.
        draws: gradients that each attack averages per step, for random models (EOT).
        dataset, sample_seed, command: where examples and report came from, to be written in it.
        tell: called with the name of each model before it is attacked.

    Raises ValueError, OSError or ImportError before anything is computed where models and data do
    not fit together, `path` cannot be written to, or matplotlib is missing.
    """
    path = _checked(path, threat)
    images, labels = _arrays(models, data)
    names = names or [str(c) for c in range(next(iter(models.values())).output_shape[-1])]
    origin = f"Made by `{command}`." if command else "Made by robustzoo.evaluation.write_report."
    gallery = Gallery(models, images, labels, threat, names, origin, batch_size, seed, draws)
    attacks = attacks_of(threat, suite, len(names), draws=draws)
    facts = dict(dataset=dataset, sample_seed=sample_seed, cascade=suite in CASCADES)
    reports, distances = _attacked(gallery, attacks, facts, tell)
    parts = (
        *accuracy_tables(reports, origin),
        *_drawn(gallery, distances),
        distance_table(distances, origin),
        attack_table(gallery.attacks | attacks, origin),
    )
    return _write(_page(reports, suite, command, parts), path)


def _page(reports, suite, command, parts):
    first, *_ = reports.values()
    summary = (
        f"{counted(reports, 'model')} under attack on the same {counted(first.robust, 'image')}"
        f"{first.dataset and ' of ' + first.dataset}, within {first.threat}."
    )
    title = f"{TITLE} {', '.join(reports)}"
    return Page(title, summary, _facts(reports, suite, command), parts)


def _checked(path, threat):
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise ImportError("a report needs matplotlib: pip install 'robustzoo[report]'") from None
    path = Path(path)
    if path.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"the report is a file .html. Received: {path}")
    writable(path)
    _check_beside(path)
    if not threat.eps > 0:
        raise ValueError(f"a report needs a budget of eps > 0. Received: {threat}")
    return path


def _arrays(models, data):
    if not models:
        raise ValueError("a report needs at least one model. Received: none")
    (first, model), *others = models.items()
    for name, other in others:
        for kind in ("input_shape", "output_shape"):
            shapes = getattr(model, kind)[1:], getattr(other, kind)[1:]
            if shapes[0] != shapes[1]:
                raise ValueError(
                    f"models of one report must have the same {kind}. Received: {shapes[0]} of "
                    f"{first}, {shapes[1]} of {name}"
                )
    return checked_data(model, data)


def _attacked(gallery, attacks, facts, tell):
    """Reports of `attacks` by model; results of the gallery's searches by attack and model."""
    searches = {k: v for k, v in gallery.searches.items() if k not in attacks}
    facts = facts | {"batch_size": gallery.batch_size, "seed": gallery.seed}
    reports, distances = {}, {label: {} for label in gallery.searches}
    for name, model in gallery.models.items():
        tell(name)
        attack = functools.partial(
            evaluate, model, (gallery.images, gallery.labels), gallery.threat
        )
        reports[name] = attack(attacks, **facts)
        results = reports[name].results
        if searches:
            results += attack(searches, **facts | {"cascade": False, "checks": False}).results
        for result in results:
            if result.label in distances:
                distances[result.label][name] = result
    return reports, distances


def _drawn(gallery, distances):
    """Yields the pictures, with a bar that says which is being made."""
    stages = {
        "accuracy against eps": lambda: gallery.eps_curves(distances),
        "accuracy against steps": gallery.steps_curves,
        **{f"examples of {n}": functools.partial(gallery.grid, n) for n in gallery.models},
        "loss surfaces": gallery.surfaces,
        "minimal norms": lambda: gallery.histograms(distances),
    }
    if len(gallery.models) > 1:
        stages["transfer"] = gallery.transfer
    for name in gallery.members:
        stages[f"members of {name}"] = functools.partial(gallery.member_transfer, name)
    with progress_bar(24) as bar:
        task = bar.add_task("", total=len(stages))
        for description, draw in stages.items():
            bar.update(task, description=description)
            yield draw()
            bar.advance(task)


def _facts(reports, suite, command):
    report, made = next(iter(reports.values())), provenance()
    drawn = "" if report.sample_seed is None else f", drawn with seed {report.sample_seed}"
    versions = ", ".join(f"{name} {version}" for name, version in made["versions"].items())
    facts = {
        "command": command,
        "examples": f"{len(report.robust)} of {report.dataset or 'unnamed data'}{drawn}",
        "threat": str(report.threat),
        "suite": suite,
        "seed": str(report.seed),
        **{f"weights of {name}": f"sha256 {r.model}" for name, r in reports.items()},
        "made with": f"{versions}; {made['backend']} on {made['device']}",
        "commit": made["commit"] or "",
    }
    return tuple((name, fact) for name, fact in facts.items() if fact)


def _beside(path):
    """The Markdown of a page, and the folder of its pictures."""
    return path.with_suffix(".md"), path.with_name(f"{path.stem}_files")


def _check_beside(path):
    """Markdown and pictures can be written, and take no other file's place."""
    markdown, folder = _beside(path)
    if markdown.is_file() and not markdown.read_bytes().startswith(f"# {TITLE}".encode()):
        raise ValueError(f"{markdown} is there and no report: give another --output")
    writable(markdown)
    if folder.is_dir():
        writable(folder / "a.png")
    elif folder.exists():
        raise ValueError(f"{folder} is there and no folder for pictures: give another --output")


def _write(page, path):
    markdown, folder = _beside(path)
    folder.mkdir(exist_ok=True)
    for part in page.parts:
        if isinstance(part, Picture):
            write_whole(folder / f"{part.name}.png", part.png)
    write_whole(path, to_html(page))
    write_whole(markdown, to_markdown(page, folder.name))
    return [path, markdown]
