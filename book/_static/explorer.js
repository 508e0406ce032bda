// The page "Error explorer": filters over every test image, from answers.js, which the build writes.
document.addEventListener("DOMContentLoaded", () => {
  const page = document.getElementById("explorer");
  if (!page || typeof ferbookAnswers === "undefined") return;
  const part = (name) => page.querySelector(`[data-part="${name}"]`);
  const { classes, opinions, columns } = ferbookAnswers;
  const PER_PAGE = 50;
  const images = columns.file.map((name, i) => {
    const shares = columns.shares.slice(i * classes.length, (i + 1) * classes.length);
    const label = classes[columns.label[i]], best = columns.answer[i];
    return { name, file: `test/${label}/${name}.jpg`, label, answer: classes[best], shares,
      confidence: shares[best] / 10, second: opinions[columns.second[i]],
      set: name.split("_")[0], copy: columns.copy[i] ? "copy in training" : "no copy" };
  });

  const controls = {
    label: filters.choice("Label of FER-2013", "any label", classes),
    answer: filters.choice("Answer of the network", "any answer", classes),
    second: filters.choice("Opinion of FER+", "any opinion of FER+", opinions),
    verdict: filters.choice("Right or wrong", "right and wrong",
      ["right", "wrong", "wrong, but as FER+ says"]),
    set: filters.choice("Set", "both sets", ["PrivateTest", "PublicTest"]),
    copy: filters.choice("Copy in the training folder", "with and without copy",
      ["copy in training", "no copy"]),
    low: filters.number("Confidence from, %", 0, 100, 0),
    high: filters.number("to, %", 0, 100, 100),
    order: filters.choice("Order", "surest first", ["least sure first", "by file name"]),
    search: filters.search("Search file names"),
  };
  controls.verdict.value = "wrong";
  const opened = Object.fromEntries(Object.entries(controls).map(([key, { value }]) => [key, value]));
  const chosen = (image, key) => controls[key].value === "" || image[key] === controls[key].value;
  const VERDICTS = {
    "": () => true,
    right: (image) => image.answer === image.label,
    wrong: (image) => image.answer !== image.label,
    "wrong, but as FER+ says": (i) => i.answer !== i.label && i.answer === i.second,
  };
  const ORDERS = {
    "": (a, b) => b.confidence - a.confidence,
    "least sure first": (a, b) => a.confidence - b.confidence,
    "by file name": (a, b) => (a.name < b.name ? -1 : 1),
  };

  let found = [], limit = PER_PAGE, pictures = null;

  // The address holds what differs from how the page opens; what a control refuses is passed over.
  function recall() {
    for (const [key, value] of new URLSearchParams(location.search)) {
      if (!Object.hasOwn(controls, key)) continue;
      controls[key].value = value;
      if (controls[key].value !== value) controls[key].value = opened[key];
    }
  }

  function remember() {
    const changed = Object.entries(controls).map(([key, { value }]) => [key, value])
      .filter(([key, value]) => value !== opened[key]);
    const query = changed.length ? `?${new URLSearchParams(changed)}` : "";
    history.replaceState(null, "", location.pathname + query + location.hash);
  }

  function update() {
    remember();
    found = images.filter((image) => ["label", "answer", "second", "set", "copy"]
      .every((key) => chosen(image, key)) && VERDICTS[controls.verdict.value](image)
      && image.confidence >= Number(controls.low.value)
      && image.confidence <= Number(controls.high.value || 100)
      && `${image.name}.jpg`.toLowerCase().includes(controls.search.value.trim().toLowerCase()));
    found.sort(ORDERS[controls.order.value]);
    limit = PER_PAGE;
    list();
    count();
    const right = found.filter((image) => image.answer === image.label).length;
    const share = found.length && !controls.verdict.value
      ? `, ${((100 * right) / found.length).toFixed(1)}% of them right` : "";
    return `${found.length.toLocaleString("en")} of ${images.length.toLocaleString("en")}${share}`;
  }

  function list() {
    const rows = found.slice(0, limit).map((image) => {
      const row = document.createElement("tr");
      row.append(cell(image.name, "th"), ...[image.label, image.second, image.answer,
        `${image.confidence.toFixed(1)}%`].map((text) => cell(text)), bar(image), cell(image.copy));
      row.classList.toggle("wrong", image.answer !== image.label);
      if (pictures) row.cells[0].prepend(thumbnail(image));
      return row;
    });
    part("rows").replaceChildren(...rows);
    part("more").hidden = found.length <= limit;
  }

  function cell(text, kind = "td") {
    const made = document.createElement(kind);
    if (kind === "th") made.scope = "row";
    made.textContent = text;
    return made;
  }

  // Seven probabilities as parts of one bar, in the order of the classes.
  function bar({ shares }) {
    const words = classes.map((name, k) => `${name} ${(shares[k] / 10).toFixed(1)}%`);
    const made = Object.assign(document.createElement("div"), {
      className: "shares", role: "img", ariaLabel: words.join(", "), title: words.join("\n") });
    made.append(...classes.map((name, k) => Object.assign(document.createElement("span"), {
      className: `share-${name}`, style: `width: ${shares[k] / 10}%` })));
    const holder = document.createElement("td");
    holder.append(made);
    return holder;
  }

  // Counts of labels (rows) against answers; a cell chooses both.
  function count() {
    const counts = new Map();
    for (const { label, answer } of found) {
      counts.set(`${label} ${answer}`, (counts.get(`${label} ${answer}`) ?? 0) + 1);
    }
    const most = Math.max(1, ...counts.values());
    for (const { button, label, answer } of cells) {
      const n = counts.get(`${label} ${answer}`) ?? 0;
      Object.assign(button, { textContent: n, style: `--shade: ${((45 * n) / most).toFixed(1)}%`,
        ariaLabel: `${n} of label ${label} answered ${answer}` });
    }
  }

  // Its buttons are made once, or the one that was pressed would lose the focus.
  const cells = [];
  function buildCounts() {
    part("counts").append(...classes.map((label) => {
      const row = document.createElement("tr");
      row.append(cell(label, "th"), ...classes.map((answer) => {
        const button = Object.assign(document.createElement("button"), { type: "button" });
        cells.push({ button, label, answer });
        button.addEventListener("click", () => {
          const again = controls.label.value === label && controls.answer.value === answer;
          controls.label.value = again ? "" : label;
          controls.answer.value = again ? "" : answer;
          controls.answer.dispatchEvent(new Event("input"));
        });
        const made = document.createElement("td");
        made.append(button);
        return made;
      }));
      return row;
    }));
  }

  function thumbnail({ file }) {
    const image = Object.assign(document.createElement("img"), { alt: "", width: 48, height: 48 });
    pictures.get(file)?.().then((blob) => {
      image.onload = image.onerror = () => URL.revokeObjectURL(image.src);
      image.src = URL.createObjectURL(blob);
    }).catch((error) => { image.alt = error.message; });
    return image;
  }

  for (const name of classes) {
    const entry = document.createElement("span");
    entry.append(Object.assign(document.createElement("i"), { className: `share-${name}` }), ` ${name}`);
    part("key").append(" ", entry);
    part("answers").append(Object.assign(cell(name, "th"), { scope: "col" }));
  }
  part("about").textContent = `${ferbookAnswers.run}${ferbookAnswers.synthetic ? ", synthetic faces" : ""}`;
  part("more").addEventListener("click", () => {
    limit += PER_PAGE;
    list();
    if (part("more").hidden) page.querySelector(".explorer-list").focus(); // not lost with the button
  });
  part("archive").addEventListener("change", async (event) => {
    try {
      // Some archives have folders above test/.
      pictures = new Map([...await archive.open(event.target.files[0])].map(([path, content]) =>
        [path.match(/test\/[^/]+\/[^/]+$/)?.[0], content]));
      const known = images.filter((image) => pictures.has(image.file)).length;
      part("archive-status").textContent = `${known} of the test images are in it.`;
      if (known === 0) pictures = null;
    } catch (error) {
      part("archive-status").textContent =
        error instanceof RangeError ? "Not a complete zip file." : error.message;
    }
    list();
  });
  buildCounts();
  recall();
  part("bar").append(filters.bar(Object.values(controls), update));
  part("body").hidden = false;
  part("missing").remove();
});
