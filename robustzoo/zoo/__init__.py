"""Load, save, list, verify and publish model folders.

Nothing here imports keras or the Hub's client before a function that needs it is called.
"""

from robustzoo.zoo.card import write_card
from robustzoo.zoo.download import download
from robustzoo.zoo.export import export
from robustzoo.zoo.folder import write_manifest
from robustzoo.zoo.info import info
from robustzoo.zoo.list_models import list_models
from robustzoo.zoo.load import load
from robustzoo.zoo.push_to_hub import push_to_hub
from robustzoo.zoo.register import register
from robustzoo.zoo.save import save
from robustzoo.zoo.verify import verify

__all__ = [
    "download",
    "export",
    "info",
    "list_models",
    "load",
    "push_to_hub",
    "register",
    "save",
    "verify",
    "write_card",
    "write_manifest",
]
