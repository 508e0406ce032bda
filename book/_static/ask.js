// A worker that does tasks for a page: what takes seconds there leaves the page free meanwhile.

export const UNREACHABLE = "The server of this book cannot be reached. Is there a connection?";

// `ask` names a task and resolves to what it gives; `end` ends the worker, and whatever it was asked
// fails with the reason. The next question starts it anew. `told` gets what tasks tell on the way.
export function asker(address, told = () => {}) {
  let worker = null, number = 0;
  const waiting = new Map();

  function end(reason) {
    worker?.terminate();
    worker = null;
    for (const { reject } of waiting.values()) reject(new Error(reason));
    waiting.clear();
  }

  function start() {
    const made = new Worker(address, { type: "module" });
    made.addEventListener("error", () => end(UNREACHABLE)); // tasks catch their own
    made.addEventListener("message", ({ data: { id, value, error, note } }) => {
      if (!id) return told(note);
      const { resolve, reject } = waiting.get(id);
      waiting.delete(id);
      if (error) reject(new Error(error));
      else resolve(value);
    });
    return made;
  }

  const ask = (task, ...given) => new Promise((resolve, reject) => {
    worker ??= start();
    waiting.set(++number, { resolve, reject });
    worker.postMessage({ id: number, task, given });
  });

  return { ask, end };
}

// In the worker: answers with these functions, by their names.
export function answerWith(tasks) {
  addEventListener("message", async ({ data: { id, task, given } }) => {
    try {
      postMessage({ id, value: await tasks[task](...given) });
    } catch (error) {
      postMessage({ id, error: error.message || String(error) });
    }
  });
}

export const tell = (note) => postMessage({ note });
