"""robustzoo download | verify | export | push"""

import click

import robustzoo
from robustzoo.cli._open import import_keras
from robustzoo.cli._show import notice, table


@click.command()
@click.argument("name")
@click.option("--revision", help="Branch, tag or commit in place of the pinned release.")
@click.option("--cache-dir", type=click.Path(), help="In place of the Hub client's cache.")
@click.option("--local-files-only", is_flag=True, help="Never ask the Hub.")
def download(name, **options):
    """Fetch a model, check every hash, and print its folder."""
    click.echo(robustzoo.download(name, **options))


@click.command()
@click.argument("name", required=False)
@click.option("--all", "every", is_flag=True, help="All released models.")
def verify(name, every):
    """Check every hash, record and weight of a model."""
    if (name is None) == (not every):
        raise click.UsageError("give either NAME or --all")
    import_keras()
    names, failures = robustzoo.list_models() if every else [name], 0
    rows = []
    for each in names:
        try:
            about = robustzoo.verify(each)
        except (ValueError, OSError) as error:
            if not every:
                raise
            failures += 1
            notice(f"{each}: {' '.join(str(error).split())}")
        else:
            rows.append([each, "ok", about["files"], about["bytes"], about["manifest_sha256"]])
    if rows:
        table(["name", "state", "files", "bytes", "manifest sha256"], rows)
    if failures:
        raise click.ClickException(f"{failures} of {len(names)} models are not as they should be")


@click.command()
@click.argument("name")
@click.argument("path", type=click.Path(dir_okay=False))
def export(name, path):
    """Write a model as PATH, a .keras file that plain Keras loads."""
    import_keras()
    click.echo(robustzoo.export(name, path))


@click.command()
@click.argument("folder", type=click.Path(file_okay=False))
@click.argument("repo_id", metavar="ORG/NAME")
@click.option("--tag", help="For the new commit.")
@click.option("--private", is_flag=True, help="Where the repository is new.")
def push(folder, repo_id, **options):
    """Publish a model folder on the Hub and print the commit."""
    import_keras()
    click.echo(robustzoo.push_to_hub(folder, repo_id, **options))
