// What pages share that filter rows: labeled controls in a bar that says how many rows are left.
const filters = {
  search: (label) => Object.assign(document.createElement("input"), {
    type: "search", ariaLabel: label, maxLength: 100 }),

  // A choice among values, the first of which, "", leaves everything in.
  choice(label, all, values) {
    const made = Object.assign(document.createElement("select"), { ariaLabel: label });
    made.append(new Option(all, ""), ...values.map((value) => new Option(value, value)));
    return made;
  },

  number: (label, min, max, value) => Object.assign(document.createElement("input"), {
    type: "number", min, max, value, ariaLabel: label }),

  // `update` runs now and at each change; what it returns is shown at the end of the bar.
  bar(controls, update) {
    const made = Object.assign(document.createElement("div"), { className: "filter-bar" });
    const shown = Object.assign(document.createElement("span"), { role: "status" });
    const refresh = () => { shown.textContent = update(); };
    for (const control of controls) control.addEventListener("input", refresh);
    for (const control of controls) {
      const label = document.createElement("label");
      label.append(control.ariaLabel, control);
      made.append(label);
    }
    made.append(shown);
    refresh();
    return made;
  },
};
