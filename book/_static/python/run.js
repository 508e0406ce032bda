// The page "Reproducibility": its lines of Python, edited by the reader, run here in Pyodide.
import { asker } from "../ask.js";

const part = (name) => document.querySelector(`#run-python [data-part="${name}"]`);
const [button, status, output] = ["run", "status", "output"].map(part);
const code = document.querySelector(".run-python pre");
const here = (name) => new URL(name, import.meta.url).href;

function say(text, isError = false) {
  status.textContent = text;
  status.classList.toggle("run-error", isError);
}

const python = asker(here("worker.js"), (text) => output.append(text));

async function run() {
  button.textContent = "Stop";
  output.hidden = false;
  output.textContent = "";
  try {
    say("Loading Python …");
    await python.ask("load", about.stored);
    say("Python is running …");
    const version = await python.ask("run", code.innerText); // textContent has no line of a <br>
    say(`Python ${version} printed:`);
  } catch (error) {
    say(error.message.trim().split("\n").at(-1), true); // the last line of Python's traceback
  } finally {
    button.textContent = RUN;
  }
}

const RUN = button.textContent;
let about;
try {
  const answer = await fetch(here("about.json"));
  if (!answer.ok) throw new Error("Python was left out when this book was built. Run make book.");
  about = await answer.json();
  if (about.missing) throw new Error(about.missing);
  Object.assign(code, { contentEditable: "plaintext-only", spellcheck: false });
  code.setAttribute("aria-label", "Lines of Python, which you can edit");
  code.setAttribute("role", "textbox");
  code.setAttribute("aria-multiline", "true");
  button.addEventListener("click",
    () => (button.textContent === RUN ? run() : python.end("Python was stopped.")));
  button.disabled = false;
  say(`Loads ${(about.bytes / 1e6).toFixed(0)} MB from this book’s server.`);
} catch (error) {
  say(error.message, true);
}
