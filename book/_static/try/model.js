// The two models and their runtime, fetched once from beside this file; nothing is sent anywhere.
import { UNREACHABLE } from "../ask.js";
import { SIDE, resize } from "./preprocess.js";

const here = (name) => new URL(name, import.meta.url).href;

// A file from beside this one.
export const fetched = (name) => fetch(here(name)).catch(() => {
  throw new Error(UNREACHABLE);
});

// What the build wrote: files and their sizes, classes, examples; or `missing`, a reason.
export const about = () => once("about", readAbout);

async function readAbout() {
  const answer = await fetched("about.json");
  if (!answer.ok) {
    throw new Error("The model was left out when this book was built. Build it with make book.");
  }
  const found = await answer.json();
  if (found.missing) throw new Error(found.missing);
  return found;
}

const kept = new Map();

// What `load` gives for a name, loaded at the first call. After a failure the next one tries again.
function once(name, load) {
  if (!kept.has(name)) {
    kept.set(name, load(name).catch((error) => {
      kept.delete(name);
      throw error;
    }));
  }
  return kept.get(name);
}

// The runtime and the session of "model", which classifies, or of "finder", which finds faces.
export const session = (name = "model") => once(name, load);

async function load(name) {
  const { files } = await about();
  const [ort, model] = await Promise.all([once("runtime", runtime), unpacked(files[name])]);
  try {
    const made = await ort.InferenceSession.create(new Uint8Array(model), {
      executionProviders: ["wasm"], logSeverityLevel: 3 });
    return { ort, made };
  } catch (error) {
    throw new Error(`The model did not start (${error.message ?? error}).`);
  }
}

async function runtime() {
  if (typeof WebAssembly !== "object" || typeof DecompressionStream !== "function") {
    throw new Error("This browser is too old or forbids WebAssembly, which the model needs.");
  }
  const { files } = await about();
  const missing = () => { throw new Error(lacking(files.runtime)); };
  const [ort, binary] = await Promise.all(
    [import(here(files.runtime)).catch(missing), unpacked(files.binary)]);
  ort.env.wasm.wasmBinary = binary;
  ort.env.wasm.numThreads = 1; // more need headers that a plain server does not send
  ort.env.logLevel = "error";
  return ort;
}

const lacking = (name) => `The file ${name} is missing on the server. Build the book again.`;

// A gzip file's content, whether or not the server has unpacked it on the way.
async function unpacked(name) {
  const answer = await fetched(name);
  if (!answer.ok) throw new Error(lacking(name));
  const bytes = await answer.arrayBuffer();
  const [first, second] = new Uint8Array(bytes, 0, 2);
  if (first !== 0x1f || second !== 0x8b) return bytes;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

// Seven probabilities for a gray cut-out of any size.
export async function classify(pixels, width, height) {
  const { ort, made } = await session();
  const image = new ort.Tensor("uint8", resize(pixels, width, height), [1, SIDE, SIDE, 1]);
  const found = await made.run({ image }, ["probabilities"]);
  return Array.from(found.probabilities.data);
}

// The outputs of the network that finds faces, for `detect`.
export async function finder(input, shape) {
  const { ort, made } = await session("finder");
  return made.run({ pictures: new ort.Tensor("float32", input, shape) });
}
