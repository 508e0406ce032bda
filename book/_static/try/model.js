// The released model and its runtime, fetched once from beside this file; nothing is sent anywhere.
import { SIDE, resize } from "./preprocess.js";

const here = (name) => new URL(name, import.meta.url).href;

// What the build wrote: files and their sizes, classes, examples; or `missing`, a reason.
export async function about() {
  const answer = await fetch(here("about.json"));
  if (!answer.ok) {
    throw new Error("The model was left out when this book was built. Build it with make book.");
  }
  const found = await answer.json();
  if (found.missing) throw new Error(found.missing);
  return found;
}

let cascading = null;

// The face detector.
export function cascade() {
  cascading ??= about().then(({ files }) => fetch(here(files.cascade))).then((answer) => answer.json());
  return cascading;
}

let loading = null;

// The session, loaded at the first call. After a failure the next call tries again.
export function session() {
  loading ??= load().catch((error) => {
    loading = null;
    throw error;
  });
  return loading;
}

async function load() {
  if (typeof WebAssembly !== "object" || typeof DecompressionStream !== "function") {
    throw new Error("This browser is too old or forbids WebAssembly, which the model needs.");
  }
  const { files } = await about();
  const [ort, binary, model] = await Promise.all([
    import(here(files.runtime)), unpacked(files.binary), unpacked(files.model)]);
  ort.env.wasm.wasmBinary = binary;
  ort.env.wasm.numThreads = 1; // more need headers that a plain server does not send
  ort.env.logLevel = "error";
  try {
    const made = await ort.InferenceSession.create(new Uint8Array(model), {
      executionProviders: ["wasm"] });
    return { ort, made };
  } catch (error) {
    throw new Error(`The model did not start (${error.message ?? error}).`);
  }
}

// A gzip file's content, whether or not the server has unpacked it on the way.
async function unpacked(name) {
  const answer = await fetch(here(name));
  if (!answer.ok) throw new Error(`The file ${name} is missing on the server. Build the book again.`);
  const bytes = await answer.arrayBuffer();
  const [first, second] = new Uint8Array(bytes, 0, 2);
  if (first !== 0x1f || second !== 0x8b) return bytes;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

// Seven probabilities for a grey cut-out of any size.
export async function classify(pixels, width, height) {
  const { ort, made } = await session();
  const image = new ort.Tensor("uint8", resize(pixels, width, height), [1, SIDE, SIDE, 1]);
  const found = await made.run({ image }, ["probabilities"]);
  return Array.from(found.probabilities.data);
}
