"""What is proved of test images."""

import robustzoo


def certificate_of(model, test, threat, methods, seconds=60.0):
    """The `Certificate` of test images; a bar per method shows the images done."""
    from robustzoo import datasets
    from robustzoo.evaluation._bar import progress_bar

    with progress_bar(max(map(len, methods))) as bar:
        tasks = {name: bar.add_task(name, total=None) for name in methods}

        def advance(name, done, total):
            bar.update(tasks[name], completed=done, total=total)

        return robustzoo.certify(
            model, test.images, test.labels, threat, methods,
            cascade=True, seconds=seconds, journal=datasets.cache_folder("certificates"),
            advance=advance,
        )  # fmt: skip
