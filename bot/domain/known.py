"""Lets msgspec learn our structs while a module is imported, which one thread does at a time.

msgspec 0.22 notes that it knows a struct before it has its fields' types. A second thread that reads the same struct
for the first time meanwhile follows a null pointer, and the process dies without a word.
"""

import msgspec


def known(*kinds: object) -> None:
    """Learn these types and all that they are made of; for the end of each module that reads them."""
    for kind in kinds:
        msgspec.json.Decoder(kind)
