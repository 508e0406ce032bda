// The page "Try it": a picture, an example or the camera; a square over the face; seven bars.
import { asker } from "../ask.js";
import { MIN_FACE, turned } from "./detect.js";
import { about, fetched } from "./model.js";
import { LARGEST_CUT_OUT, gray } from "./preprocess.js";

const page = document.getElementById("try");
const part = (name) => page.querySelector(`[data-part="${name}"]`);
const [status, view, canvas, square, size, table, camera] =
  ["status", "view", "canvas", "square", "size", "answers", "camera"].map(part);

const MAX_FILE_BYTES = 100e6, MAX_PIXELS = 50e6; // as of `ferbook predict`
const STEP = 0.02; // of the picture's shorter side, for each press of an arrow
const PAUSE = 150; // ms between two looks through the camera
const SEARCHED = 800, SEARCHED_LIVE = 320; // px a side at most, where faces are looked for

const models = asker(new URL("./worker.js", import.meta.url));

let source = null; // ImageBitmap or video
let box = null; // x, y, width, height in px of the picture; turn in degrees
let name = "";
let drawn = ""; // what an example was drawn as
let byHand = false; // whether the reader has put the square somewhere
let stream = null;
let request = 0; // the latest choice of a picture or the camera; what an earlier one finds is dropped

function say(text, isError = false) {
  if (status.textContent !== text) status.textContent = text; // or it would be read out again
  status.classList.toggle("try-error", isError);
}

const fail = (error) => say(error.message ?? String(error), true);

// Pictures

async function open(chosen, drawnAs = "") {
  stopCamera();
  const own = ++request;
  let picture = null;
  try {
    const file = await chosen;
    picture = await read(file);
    if (own !== request) return;
    show(picture, picture.width, picture.height, file.name ?? "picture", drawnAs);
    const found = square.hidden || await findFace(SEARCHED);
    if (own !== request) return;
    if (found) await answer();
    else say(`${name}: no face of ${leastFace()} px or more was found. Put the square over it.`);
  } catch (error) {
    if (own !== request) return;
    if (!picture) clear(); // else the square can be put by hand
    fail(error);
  }
}

// As the file has its pixels: no color management, and upright, where the browser knows how.
async function read(file) {
  if (file.size > MAX_FILE_BYTES) throw new Error(`${file.name}: the file is too large.`);
  const picture = await createImageBitmap(file, {
    colorSpaceConversion: "none", premultiplyAlpha: "none", imageOrientation: "from-image",
  }).catch(() => { throw new Error(`${file.name}: this browser cannot read it as a picture.`); });
  if (picture.width * picture.height > MAX_PIXELS) throw new Error(`${file.name}: too many pixels.`);
  return picture;
}

function show(found, width, height, called, drawnAs = "") {
  source = found;
  name = called;
  drawn = drawnAs;
  const shown = Math.min(1, 640 / Math.max(width, height));
  const enlarged = Math.max(1, Math.floor(240 / Math.max(width, height)));
  canvas.width = Math.max(1, Math.round(width * (shown < 1 ? shown : enlarged)));
  canvas.height = Math.max(1, Math.round(height * (shown < 1 ? shown : enlarged)));
  const whole = Math.max(width, height) <= LARGEST_CUT_OUT;
  const side = Math.round(0.6 * Math.min(width, height));
  box = whole ? { x: 0, y: 0, width, height, turn: 0 }
    : { x: (width - side) >> 1, y: (height - side) >> 1, width: side, height: side, turn: 0 };
  view.hidden = false;
  square.hidden = whole;
  part("sizing").hidden = whole;
  size.value = 60;
  byHand = false;
  table.hidden = true;
  table.dataset.of = "";
  paint();
}

function clear() {
  source = null;
  view.hidden = true;
  table.hidden = true;
}

const dimensions = () => [source.videoWidth ?? source.width, source.videoHeight ?? source.height];

function paint() {
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = canvas.width < dimensions()[0];
  context.fillStyle = "#fff"; // behind transparent pixels, as for the models
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  place();
}

// By how much a picture is shrunk for the search, and the px of the least face that it then finds.
const shrunk = (most) => Math.min(1, most / Math.max(...dimensions()));
const leastFace = () => Math.ceil(MIN_FACE / shrunk(SEARCHED));

// Puts the square over the largest face, unless the reader has put it somewhere.
async function findFace(most) {
  if (byHand) return true;
  const looked = source, [width, height] = dimensions();
  if (table.hidden && !stream) { // not at each look through the camera
    say("Loading the search for faces …");
    await models.ask("load", "finder");
    if (source !== looked) return false;
    say("Looking for a face …");
  }
  const scale = shrunk(most);
  const [w, h] = [width, height].map((side) => Math.max(1, Math.round(side * scale)));
  const small = new OffscreenCanvas(w, h).getContext("2d", { willReadFrequently: true });
  small.drawImage(source, 0, 0, w, h);
  const pixels = gray(small.getImageData(0, 0, w, h).data);
  const [face] = await models.ask("search", pixels, w, h);
  if (!face || byHand || source !== looked) return byHand;
  settle(face.x / scale, face.y / scale, face.width / scale, face.turn);
  return true;
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Answers

// The gray pixels under the square, taken one to one; a turned face is turned back.
function cutOut() {
  const { x, y, width, height, turn } = box;
  if (!turn) return grayOf(x, y, width, height);
  const [w, h] = dimensions(), more = Math.ceil(width / 4); // a corner leaves the square by a fifth
  const left = Math.max(x - more, 0), top = Math.max(y - more, 0);
  const part = { width: Math.min(x + width + more, w) - left,
    height: Math.min(y + height + more, h) - top };
  part.pixels = grayOf(left, top, part.width, part.height);
  const middle = [x + (width - 1) / 2 - left, y + (width - 1) / 2 - top];
  return turned(part, middle, width, turn, width);
}

function grayOf(x, y, width, height) {
  const cut = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  cut.drawImage(source, x, y, width, height, 0, 0, width, height);
  return gray(cut.getImageData(0, 0, width, height).data);
}

let busy = false, again = false;

// One answer at a time; what has changed meanwhile is answered next.
async function answer() {
  again = busy;
  if (busy || !source) return;
  busy = true;
  const own = request;
  try {
    if (table.hidden) say("Loading the model …");
    await models.ask("load", "model");
    if (own === request && source) {
      const probabilities = await models.ask("classify", cutOut(), box.width, box.height);
      if (own === request) report(probabilities, name);
    }
  } catch (error) {
    stopCamera();
    fail(error);
  } finally {
    busy = false;
  }
  if (again) await answer();
}

function report(probabilities, asked) {
  const best = probabilities.indexOf(Math.max(...probabilities));
  [...table.tBodies[0].rows].forEach((row, k) => {
    row.dataset.value = probabilities[k];
    row.classList.toggle("try-best", k === best);
    row.cells[1].firstChild.style.width = `${100 * probabilities[k]}%`;
    row.cells[2].textContent = percent(probabilities[k]);
  });
  const first = table.dataset.of === "";
  table.hidden = false;
  table.dataset.of = asked;
  if (first) {
    if (table.getBoundingClientRect().bottom > innerHeight) page.scrollIntoView();
    models.ask("load", "finder").catch(() => {}); // for what is chosen without a connection later
  }
  const word = table.tBodies[0].rows[best].cells[0].textContent;
  const sure = `${word} (${Math.round(100 * probabilities[best])}%)`;
  if (stream) say(`It looks ${word}.`);
  else say(drawn ? `Drawn as ${drawn}; the model says ${sure}.` : `${asked}: the model says ${sure}.`);
}

const percent = (share) => `${(100 * share).toFixed(1)}%`;

function buildTable(classes) {
  for (const word of classes) {
    const row = table.tBodies[0].insertRow();
    const head = document.createElement("th");
    Object.assign(head, { scope: "row", textContent: word });
    row.append(head);
    row.insertCell().append(document.createElement("div"));
    row.insertCell();
  }
}

// The square: dragged, or moved by arrows and sized by + and -

function place() {
  const [width, height] = dimensions();
  Object.assign(square.style, {
    left: `${(100 * box.x) / width}%`, top: `${(100 * box.y) / height}%`,
    width: `${(100 * box.width) / width}%`, height: `${(100 * box.height) / height}%`, transform: `rotate(${box.turn}deg)` });
}

// By the reader.
function move(x, y, side = box.width) {
  byHand = true;
  settle(x, y, side, box.turn);
  answer();
}

function settle(x, y, side, turn = 0) {
  const [width, height] = dimensions();
  side = Math.round(Math.min(Math.max(side, 16), width, height));
  box = { width: side, height: side, turn,
    x: Math.round(Math.min(Math.max(x, 0), width - side)),
    y: Math.round(Math.min(Math.max(y, 0), height - side)) };
  size.value = Math.round((100 * side) / Math.min(width, height));
  place();
}

// About its center.
const resizeTo = (side) => move(box.x + (box.width - side) / 2, box.y + (box.width - side) / 2, side);

square.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return; // the browser's own
  const step = Math.max(1, STEP * Math.min(...dimensions()));
  const { x, y, width } = box;
  const act = {
    ArrowLeft: () => move(x - step, y), ArrowRight: () => move(x + step, y),
    ArrowUp: () => move(x, y - step), ArrowDown: () => move(x, y + step),
    "+": () => resizeTo(width + 2 * step), "-": () => resizeTo(width - 2 * step) }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

square.addEventListener("pointerdown", (event) => {
  const scale = dimensions()[0] / canvas.clientWidth;
  const start = { ...box }, { clientX, clientY } = event;
  const sizing = event.target !== square;
  const drag = (to) => {
    const across = (to.clientX - clientX) * scale, down = (to.clientY - clientY) * scale;
    if (sizing) move(start.x, start.y, start.width + Math.max(across, down));
    else move(start.x + across, start.y + down);
  };
  square.setPointerCapture(event.pointerId);
  square.addEventListener("pointermove", drag);
  square.addEventListener("lostpointercapture",
    () => square.removeEventListener("pointermove", drag), { once: true });
});

size.addEventListener("input", () => resizeTo((size.value / 100) * Math.min(...dimensions())));

// The camera

const CAMERA_ERRORS = {
  NotAllowedError: "The browser was not allowed to use the camera. Allow it and try again.",
  NotFoundError: "No camera was found.",
  NotReadableError: "The camera is in use by another program.",
};

async function startCamera() {
  const own = ++request;
  clear(); // an old answer is not the camera's
  if (!navigator.mediaDevices) {
    return say("The browser gives the camera only to pages from https or localhost.", true);
  }
  try {
    say("Waiting for the camera …");
    const started = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user" } });
    if (own !== request) return end(started); // something else was chosen while it was waited for
    stream = started;
    camera.textContent = "Stop the camera";
    started.getVideoTracks()[0].addEventListener("ended", () => endCamera("The camera was lost."));
    const video = Object.assign(document.createElement("video"), {
      srcObject: started, muted: true, playsInline: true });
    await video.play();
    const start = () => {
      show(video, video.videoWidth, video.videoHeight, "camera");
      say("Looking for a face …");
    };
    if (stream === started) start();
    video.addEventListener("resize", () => { if (source === video) start(); }); // a turned phone
    while (stream === started) {
      paint();
      const found = await findFace(SEARCHED_LIVE);
      if (stream !== started) break;
      if (found) await answer();
      else {
        table.hidden = true;
        say("No face is in sight. You can put the square over it.");
      }
      await pause(PAUSE);
    }
  } catch (error) {
    if (own !== request) return;
    endCamera(CAMERA_ERRORS[error.name] ?? `The camera did not start (${error.message}).`);
  }
}

function endCamera(reason) {
  stopCamera();
  clear();
  fail(new Error(reason));
}

const end = (some) => some.getTracks().forEach((track) => track.stop());

function stopCamera() {
  if (!stream) return;
  end(stream);
  stream = null;
  camera.textContent = "Open the camera";
}

camera.addEventListener("click", () => {
  if (!stream) return startCamera();
  request += 1;
  again = false;
  stopCamera();
  say("The camera is stopped.");
});
addEventListener("pagehide", stopCamera);

// The way in: a chosen file, a dropped one, an example

part("file").addEventListener("change", (event) => {
  const [file] = event.target.files;
  event.target.value = ""; // the same file may be chosen again
  if (file) open(file);
});
for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
  page.addEventListener(kind, (event) => {
    event.preventDefault();
    page.classList.toggle("try-drop", kind === "dragenter" || kind === "dragover");
    const [file] = event.dataTransfer.files;
    if (kind === "drop" && file) open(file);
  });
}

for (const kind of ["dragover", "drop"]) { // beside the box, the browser would leave for the file
  addEventListener(kind, (event) => {
    if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
  });
}

function buildExamples(examples) {
  for (const { file, drawn } of examples) {
    const address = new URL(file, import.meta.url).href;
    const picture = Object.assign(document.createElement("img"), {
      src: address, alt: `Face drawn by a program: ${drawn}`, width: 64, height: 64 });
    const button = Object.assign(document.createElement("button"), { type: "button" });
    button.append(picture, drawn);
    const content = async () => new File([await (await fetched(file)).blob()], file);
    button.addEventListener("click", () => open(content(), drawn));
    part("examples").append(button);
  }
}

try {
  const found = await about();
  buildTable(found.classes);
  buildExamples(found.examples);
  const accuracy = percent(found.correct / found.total);
  table.caption.textContent += `. This file classifies ${accuracy} of the test images correctly.`;
  part("controls").disabled = false;
  say(`Ready. The first answer loads ${(found.bytes / 1e6).toFixed(0)} MB from this book’s server.`);
} catch (error) {
  fail(error);
}
