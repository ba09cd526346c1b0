"""From model folders to released models.

    python -m training.publish trades-mnist art-mnist     # card, manifest, registry, header
    python -m training.publish --push trades-mnist        # and the Hub, pinned to the new commit

A folder is released only if its training record is that of the recipe as it stands.
"""

import click

from robustzoo import zoo
from robustzoo.zoo.card import read_facts
from robustzoo.zoo.folder import write_json
from training.header import write_header
from training.train import CARDS, find_recipe, fingerprint, plain, read_recipe, settings

ORGANISATION = "robustzoo"


@click.command()
@click.argument("names", nargs=-1, required=True)
@click.option("--push", is_flag=True, help="Upload to the Hub with the token of HF_TOKEN.")
def main(names, push):
    """Releases model_cards/NAME for each of NAMES."""
    for name in names:
        try:
            folder = refresh(name)
            revision = zoo.push_to_hub(folder, f"{ORGANISATION}/{name}") if push else None
            entry = zoo.register(folder, revision)
            write_header(find_recipe(name), folder)
        except (ValueError, OSError) as error:
            raise click.ClickException(f"{name}: {error}") from error
        click.echo(f"{name}  manifest {entry['manifest_sha256']}  revision {entry['revision']}")


def refresh(name: str):
    """Brings what the recipe says beside its settings into model_cards/<name>; returns the folder.

    Raises ValueError if the recipe has changed since the model was trained.
    """
    folder = CARDS / name
    config, training = (read_facts(folder, f) for f in ("config.json", "training.json"))
    if not config or not training:
        raise ValueError(f"{folder} holds no config.json and training.json")
    recipe = read_recipe(find_recipe(config["recipe"]))
    now = settings(recipe)
    then = training["settings"]
    differing = [key for key in {**now, **then} if now.get(key) != then.get(key)]
    if differing:
        raise ValueError(
            f"the recipe {config['recipe']} has changed since the training: {', '.join(differing)}"
        )
    told = {"published": plain(recipe.published), "remark": recipe.remark}
    training |= {"recipe_sha256": fingerprint(now)} | told
    write_json(folder / "training.json", training)
    zoo.register(folder)
    return folder


if __name__ == "__main__":
    main()
