// The page "Reproducibility": its lines of Python, edited by the reader, run here in Pyodide.
const part = (name) => document.querySelector(`#run-python [data-part="${name}"]`);
const [button, status, output] = ["run", "status", "output"].map(part);
const code = document.querySelector(".run-python pre");
const here = (name) => new URL(name, import.meta.url).href;

function say(text, isError = false) {
  status.textContent = text;
  status.classList.toggle("run-error", isError);
}

async function get(name) {
  const answer = await fetch(here(name));
  if (!answer.ok) throw new Error(`${name} was left out when this book was built. Run make book.`);
  return answer;
}

let loading = null;

// Python with the stored files at their paths, loaded once. After a failure it is tried again.
function python() {
  loading ??= load().catch((error) => {
    loading = null;
    throw error;
  });
  return loading;
}

async function load() {
  const { loadPyodide } = await import(here("pyodide.mjs"));
  const made = await loadPyodide({ indexURL: here("./") });
  for (const path of about.stored) {
    made.FS.mkdirTree(path.slice(0, path.lastIndexOf("/")));
    made.FS.writeFile(path, new Uint8Array(await (await get(path)).arrayBuffer()));
  }
  return made;
}

async function run() {
  button.disabled = true;
  output.hidden = false;
  output.textContent = "";
  say("Loading Python …");
  try {
    const made = await python();
    made.setStdout({ batched: (line) => { output.textContent += `${line}\n`; } });
    made.runPython(code.textContent, { globals: made.toPy({}) });
    say(`Python ${made.runPython("import sys; sys.version.split()[0]")} printed:`);
  } catch (error) {
    say(error.message.trim().split("\n").at(-1), true); // the last line of Python's traceback
  } finally {
    button.disabled = false;
  }
}

let about;
try {
  about = await (await get("about.json")).json();
  if (about.missing) throw new Error(about.missing);
  Object.assign(code, { contentEditable: "plaintext-only", spellcheck: false });
  code.setAttribute("aria-label", "Lines of Python, which you can edit");
  code.setAttribute("role", "textbox");
  code.setAttribute("aria-multiline", "true");
  button.addEventListener("click", run);
  button.disabled = false;
  say(`Loads ${(about.bytes / 1e6).toFixed(0)} MB from this book’s server.`);
} catch (error) {
  say(error.message, true);
}
