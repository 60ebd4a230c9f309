"""`python -m sandbox`: hands over to the simulator that is named, which is imported only then."""

import importlib
import sys

COMMANDS = {
    "amocrm": ("sandbox.amocrm.main", "the amoCRM simulator"),
    "sheets": ("sandbox.sheets.main", "the Google Sheets simulator"),
    "page": ("sandbox.page.main", "the page that plays amoCRM and hosts a widget"),
    "generate": ("sandbox.generate.main", "write a generated account as a snapshot directory"),
}


def usage() -> str:
    """The commands with a line each."""
    lines = [f"  {name:9} {text}" for name, (_, text) in COMMANDS.items()]
    return "usage: python -m sandbox COMMAND [arguments] (COMMAND --help tells them)\n\n" + "\n".join(lines)


def main(argv: list[str]) -> int:
    """Run the named simulator; 2 for wrong usage, else what the simulator answers."""
    if argv[:1] in (["-h"], ["--help"]):
        print(usage())
        return 0
    if not argv or argv[0] not in COMMANDS:
        print(usage(), file=sys.stderr)
        return 2
    module = importlib.import_module(COMMANDS[argv[0]][0])
    return int(module.main(argv[1:]))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
