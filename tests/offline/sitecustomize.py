"""No test reaches a network: this process and every Python process that a test starts.

`conftest.py` puts this folder on PYTHONPATH. An audit hook cannot be taken away again.
"""

import sys


def refuse_network(event, arguments):
    if event == "socket.connect" and isinstance(arguments[1], tuple):  # else a Unix socket
        place = str(arguments[1][0])
    elif event == "socket.getaddrinfo":
        place = str(arguments[0])
    else:
        return
    if place not in ("localhost", "::1", "None", "") and not place.startswith("127."):
        raise PermissionError(f"no network in tests: {place}")


sys.addaudithook(refuse_network)
