"""Load, save, list, verify and publish model folders.

Nothing here imports keras or the Hub's client before a function that needs it is called.
"""

from robustzoo.zoo.card import write_card
from robustzoo.zoo.folder import write_manifest
from robustzoo.zoo.load import load
from robustzoo.zoo.register import register
from robustzoo.zoo.save import save

__all__ = ["load", "register", "save", "write_card", "write_manifest"]
