"""A headless Chromium under the DevTools protocol, as far as tests need it.

https://chromedevtools.github.io/devtools-protocol/
"""

import functools
import http.server
import itertools
import json
import subprocess
import threading
import time
import urllib.request
from contextlib import contextmanager

from ferbook.paper.pdf import find_browser


@contextmanager
def serving(folder, asked=None):
    """The folder behind Python's plain static server; yields the address.

    What is asked for, once it has been sent, goes to the list `asked`.
    """

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            super().do_GET()
            if asked is not None:
                asked.append(self.path)

    handler = functools.partial(Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def until(holds, seconds, what="it"):
    """Ask `holds` until it says yes. Raises TimeoutError."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not come true")
        time.sleep(0.02)


class NavigatedError(RuntimeError):
    """The page that was asked is left for another."""


class Page:
    """One tab."""

    def __init__(self, socket):
        self.socket, self.numbers = socket, itertools.count(1)

    def send(self, method, **parameters):
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self.socket.recv())
            if answer.get("id") == number:
                if "error" in answer:
                    left = "navigated" in answer["error"]["message"]
                    raise (NavigatedError if left else RuntimeError)(f"{method}: {answer['error']}")
                return answer["result"]

    def run(self, script):
        """The value of a JavaScript expression, awaited."""
        found = self.send("Runtime.evaluate", expression=script, awaitPromise=True,
                          returnByValue=True)  # fmt: skip
        if "exceptionDetails" in found:
            raise RuntimeError(json.dumps(found["exceptionDetails"])[:2000])
        return found["result"].get("value")

    def open(self, address):
        self.send("Page.enable")
        self.send("Page.navigate", url=address)
        self.wait(f"location.href === {json.dumps(address)} && document.readyState === 'complete'")

    def wait(self, condition, seconds=20):
        """Until the JavaScript condition holds, on this page or on the one that follows it."""

        def holds():
            try:
                return self.run(f"Boolean({condition})")
            except NavigatedError:
                return False

        until(holds, seconds, condition)

    def choose(self, selector, *files):
        """Put files into a file input, as a reader would."""
        root = self.send("DOM.getDocument")["root"]["nodeId"]
        node = self.send("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.send("DOM.setFileInputFiles", nodeId=node, files=[str(file) for file in files])


@contextmanager
def browser(folder, *flags):
    """A `Page` of a new Chromium with its profile in `folder`."""
    import websocket

    here_alone = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"  # workers as well
    command = [find_browser(), "--headless", "--no-sandbox", "--remote-debugging-port=0",
               "--remote-allow-origins=*", f"--user-data-dir={folder}",
               here_alone, *flags]  # fmt: skip
    program = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        port = _port(folder)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json") as answer:
            tabs = json.load(answer)
        address = next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")
        socket = websocket.create_connection(address, timeout=60)
        yield Page(socket)
        socket.close()
    finally:
        program.kill()
        program.wait()


def _port(folder, seconds=30):
    """What Chromium writes there once it listens."""
    path = folder / "DevToolsActivePort"
    until(lambda: path.exists() and path.read_text().count("\n"), seconds, "Chromium's start")
    return int(path.read_text().split()[0])
