"""How often Python looks for garbage in cycles, in a process that serves."""

import gc

# Objects made beyond those dropped until the youngest are looked at; Python's own 700 are a few calls' worth, and what a
# call leaves behind is dropped at once by its reference counts.
YOUNGEST = 10_000


def settle() -> None:
    """Keep what start-up has made out of every later search: it stays for as long as the process does.

    Call it once everything is loaded and wired. What it saves is little, and was not measured by itself.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNGEST, *gc.get_threshold()[1:])
