"""No test reaches a network: this process and every Python process that a test starts.

`conftest.py` puts this folder on PYTHONPATH. An audit hook cannot be taken away again. Programs
that fetch, and Pythons that ignore PYTHONPATH, are not started at all.
"""

import os
import sys

WITH_PLACE = {"socket.connect": 1, "socket.sendto": 1, "socket.sendmsg": 1, "socket.getnameinfo": 0}
WITH_NAME = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
FETCHING = {"npm", "npx", "yarn", "curl", "wget", "pip", "pip3", "uv", "conda"}
# What an interpreter takes for "ignore PYTHONPATH", also among other letters: -Ic, -sE.
BLIND = ("I", "E", "S")


def refuse_network(event, arguments):
    if event in WITH_PLACE:
        address = arguments[WITH_PLACE[event]]
        if not isinstance(address, tuple):  # a Unix socket, or one that is connected already
            return
        place = str(address[0])
    elif event in WITH_NAME:
        place = str(arguments[0])
    elif event in ("subprocess.Popen", "os.exec", "os.posix_spawn"):
        return refuse_program(arguments)
    else:
        return
    if place not in ("localhost", "::1", "None", "") and not place.startswith("127."):
        raise PermissionError(f"no network in tests: {place}")


def refuse_program(arguments):
    command = arguments[1]
    if isinstance(command, (str, bytes)) or not command:
        command = [command]
    words = [os.fsdecode(word) for word in command]
    name = os.path.basename(words[0])
    if name in FETCHING and not {"--version", "--offline", "--help"} & set(words):
        raise PermissionError(f"no network in tests: {name}")
    if name.startswith("python") and blind(words[1:]):
        raise PermissionError(f"no network in tests: {name} without this guard")


def blind(words):
    """Whether the options before the program of a Python make it ignore PYTHONPATH."""
    for word in words:
        if not word.startswith("-") or word.startswith("--"):
            return False
        letters = word[1:].split("c")[0].split("m")[0].split("X")[0].split("W")[0]
        if any(letter in letters for letter in BLIND):
            return True
        if len(letters) < len(word) - 1:
            return False
    return False


sys.addaudithook(refuse_network)
