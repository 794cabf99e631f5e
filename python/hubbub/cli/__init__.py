"""The command line: `hubbub serve`, `run`, `dev`, and what stands beside them.

Exit codes: 0 all went well, 1 it failed while running, 2 usage, 3 the app cannot be imported or
started, 4 an address cannot be bound, 5 and 6 it stopped before everybody had left (`running`). A
user's mistake is answered with one message, never with a traceback.
"""

import os
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import cyclopts

from hubbub import log
from hubbub._core import __version__
from hubbub.cli.mistake import FAILED, USAGE, Mistake
from hubbub.errors import Failure
from hubbub.handover import predecessor

commands: Any = cyclopts.App(
    name="hubbub",
    help="A WebSocket server whose core is Rust and whose applications are plain Python.",
    version=__version__,
    help_format="plaintext",
    # Of a flag given twice the last one holds, so that a caller can add its own to a script's.
    default_parameter=cyclopts.Parameter(allow_repeating=True),
    result_action="return_value",
)
# By name, so that `hubbub --help` imports none of them and `run` none of the others.
for _name, _place, _help in (
    ("serve", "serve:serve", "Serve the applications of a configuration; without one, the chat."),
    ("run", "run:run", "Serve one app."),
    ("dev", "dev:dev", "Serve one app, and take up its code as it changes."),
    ("check", "check:check", "Say what is wrong with a configuration, and serve nothing."),
    ("routes", "routes:routes", "Print what is answered where, and serve nothing."),
    ("config", "config:commands", "Print what a configuration can say."),
    ("status", "status:status", "Show how a running server is."),
    ("top", "top:top", "Watch a running server."),
    ("healthcheck", "healthcheck:healthcheck", "Exit with 0 if a server answers."),
    ("reload", "orders:reload", "Load the new code of a running server's modules."),
    ("bridge", "bridge:bridge", "Show and order bridges to other networks."),
    ("upgrade", "orders:upgrade", "Replace a running server by a new process."),
    ("export", "export:export", "Print what an app speaks, for other languages."),
    ("bench", "bench:bench", "Measure a WebSocket server."),
):
    commands.command(f"hubbub.cli.{_place}", name=_name, help=_help)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command and exits with its code.

    Args:
        arguments: What follows the program's name; None: what the program was given.
    """
    given = sys.argv[1:] if arguments is None else arguments
    code = execute(given)
    if given and given[0] in _LOOKING and _is_held():
        # Nothing was served: what an application's threads wait for does not come.
        log.flush()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


_LOOKING = {"check", "routes", "export"}


def _is_held() -> bool:
    """Whether a thread that an application has started keeps this process from ending."""
    ours = threading.current_thread()
    return any(not one.daemon and one is not ours for one in threading.enumerate())


def execute(arguments: Sequence[str]) -> int:
    """Runs one command, `serve` if none is named; returns its exit code."""
    try:
        code = commands(list(arguments) or ["serve"], exit_on_error=False, print_error=False)
    except cyclopts.CycloptsError as error:
        return _tell(str(error), USAGE)
    except Mistake as mistake:
        return _tell(str(mistake), mistake.code)
    except Failure as failure:
        return _tell(str(failure), FAILED)
    except KeyboardInterrupt:
        return 130
    return int(code or 0)


def _tell(message: str, code: int) -> int:
    # Who would be replaced by this process hears why it is not.
    with suppress(Failure):
        predecessor().fail(message)
    log.flush()
    print(f"hubbub: {message}", file=sys.stderr)
    return code
