// Python for run.js: Pyodide with the stored files at their paths.
import { answerWith, tell } from "../ask.js";

const here = (name) => new URL(name, import.meta.url).href;
let python = null;

async function load(stored) {
  const { loadPyodide } = await import(here("pyodide.mjs"));
  const made = await loadPyodide({ indexURL: here("./") });
  for (const path of stored) {
    const answer = await fetch(here(path));
    if (!answer.ok) throw new Error(`${path} was left out when this book was built. Run make book.`);
    made.FS.mkdirTree(path.slice(0, path.lastIndexOf("/")));
    made.FS.writeFile(path, new Uint8Array(await answer.arrayBuffer()));
  }
  for (const set of [made.setStdout, made.setStderr]) {
    const decoder = new TextDecoder();
    const write = (bytes) => {
      tell(decoder.decode(bytes, { stream: true }));
      return bytes.length;
    };
    set.call(made, { write });
  }
  python = made;
}

answerWith({
  load: async (stored) => { if (!python) await load(stored); },
  // Tells what is printed; gives Python's version.
  run(code) {
    try {
      python.runPython(code, { globals: python.toPy({}) });
    } finally {
      python.runPython("import sys; sys.stdout.flush(); sys.stderr.flush()");
    }
    return python.runPython("sys.version.split()[0]");
  },
});
