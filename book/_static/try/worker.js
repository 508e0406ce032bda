// What the page "Try it" has done in another thread: loading, searching, classifying.
import { answerWith } from "../ask.js";
import { detect } from "./detect.js";
import { classify, finder, session } from "./model.js";

answerWith({
  load: async (name) => { await session(name); }, // a session cannot be sent
  search: (pixels, width, height) => detect(pixels, width, height, finder),
  classify,
});
