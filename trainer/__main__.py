"""``python -m trainer train|evaluate|compare|predict|export``."""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Sequence

from addon.core.errors import UserError

from . import compare, evaluate, export, predict, train

COMMANDS = {
    "train": (train, "train a network on stroke packs"),
    "evaluate": (evaluate, "score a network on annotated drawings"),
    "compare": (compare, "train and score several models, in one table and plots"),
    "predict": (predict, "find the keypoints of drawings"),
    "export": (export, "write a trained network for the add-on"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        Exit status: 0, 2 for a user's mistake (one sentence on stderr), 1 for a fault of ours.
    """
    parser = argparse.ArgumentParser(prog="python -m trainer", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (module, text) in COMMANDS.items():
        module.add_arguments(commands.add_parser(name, help=text, description=module.__doc__))
    options = parser.parse_args(arguments)
    try:
        COMMANDS[options.command][0].main(options)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    except Exception:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
