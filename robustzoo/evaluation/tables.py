"""The tables of a report."""

from collections.abc import Callable, Iterator, Mapping

from robustzoo.evaluation._words import counted, percent
from robustzoo.evaluation.checks import checks_not_made
from robustzoo.evaluation.describe import describe
from robustzoo.evaluation.measures import norm_summary
from robustzoo.evaluation.page import Table
from robustzoo.evaluation.report import Report, Result, interval


def accuracy_tables(reports: Mapping[str, Report], origin: str) -> Iterator[Table]:
    """Accuracies by attack and model and, if there are any, the reasons to doubt them.

    Args:
        reports: by model, of the same attacks on the same examples.
        origin: the end of every caption, on how it was made.
    """
    yield _accuracies(reports, origin)
    doubts = [
        (name, finding.name, finding.text)
        for name, report in reports.items()
        for finding in report.findings or ()
    ]
    if doubts:
        yield Table(
            "doubts",
            "Reasons to doubt these numbers",
            ("model", "check", "what it found"),
            tuple(doubts),
            f"What the automatic checks found. {origin}",
        )


def _accuracies(reports, origin):
    first, *_ = reports.values()
    rows = [
        (result.label, *(percent(report.results[i].accuracy) for report in reports.values()))
        for i, result in enumerate(first.results)
    ]
    worst = [percent(report.worst_case_accuracy) for report in reports.values()]
    bounds = [map(percent, interval(report.robust)) for report in reports.values()]
    rows += [("worst case", *worst), ("95% interval", *(" to ".join(pair) for pair in bounds))]
    stages = [result.label for result in first.results if result.cascade]
    each = f"Of {', '.join(stages)}, each saw only what those before it had left. " * bool(stages)
    # None would say that nobody checked.
    sound = all(r.findings is not None and not r.findings for r in reports.values())
    missing = {
        check
        for report in reports.values()
        for check in checks_not_made(
            report.results, _random(report), abstains=report.rejected is not None
        )
    }
    missing = f" Not checked: {'; '.join(sorted(missing))}." if missing else ""
    praise = f"The checks found nothing wrong with these numbers.{missing} " if sound else ""
    return Table(
        "accuracy",
        "Accuracy in %",
        ("attack", *reports),
        tuple(rows),
        f"Share of {counted(first.robust, 'example')} that are classified correctly and stay so "
        f"within {first.threat}. In the worst case an example counts only if no attack "
        "broke it; the interval is for the population behind the sample. "
        f"{each}{praise}{origin}",
    )


def _random(report):
    """Whether a model is, by that attacks averaged over its noise."""
    return any(result.arguments.get("draws", 1) > 1 for result in report.results)


def distance_table(distances: Mapping[str, Mapping[str, Result]], origin: str) -> Table:
    """How far the nearest adversarial examples are; `distances` by attack and model."""
    rows = []
    for attack, results in distances.items():
        for name, result in results.items():
            rate, mean, median = norm_summary(result.distance)
            rows.append((name, attack, result.norm, percent(rate), f"{mean:.4f}", f"{median:.4f}"))
    return Table(
        "distances",
        f"Distances of {' and '.join(distances)}",
        ("model", "attack", "norm", "success in %", "mean", "median"),
        tuple(rows),
        "How often an adversarial example was found, however far away, among the images that are "
        f"classified correctly, and how far those found are. {origin}",
    )


def attack_table(attacks: Mapping[str, Callable], origin: str) -> Table:
    """What each label stands for."""
    rows = []
    for label, attack in attacks.items():
        about = describe(attack)
        options = {k: v for k, v in about["arguments"].items() if k != "threat"}
        told = ", ".join(f"{key} {value}" for key, value in options.items())
        rows.append((label, about["attack"], told))
    return Table(
        "attacks",
        "The attacks",
        ("label", "attack", "arguments"),
        tuple(rows),
        f"Everything that decides what the attacks above did, beside threat and seed. {origin}",
    )
