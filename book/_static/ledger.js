// A search field and a choice of grades above each table of class "ledger". Without this script
// the table is complete and readable.
document.addEventListener("DOMContentLoaded", () => {
  for (const table of document.querySelectorAll("table.ledger")) {
    const rows = [...table.tBodies[0].rows];
    const column = [...table.tHead.rows[0].cells].findIndex((c) => c.textContent === "grade");
    const grades = [...new Set(rows.map((row) => row.cells[column].textContent))];
    const search = Object.assign(document.createElement("input"), {
      type: "search", placeholder: "Search the claims", ariaLabel: "Search the claims" });
    const choice = document.createElement("select");
    choice.ariaLabel = "Grade";
    choice.append(new Option("all grades", ""), ...grades.map((g) => new Option(g, g)));
    const shown = document.createElement("span");
    const filter = () => {
      const wanted = search.value.toLowerCase();
      for (const row of rows) {
        row.dataset.grade = row.cells[column].textContent;
        row.hidden = !row.textContent.toLowerCase().includes(wanted)
          || (choice.value !== "" && row.dataset.grade !== choice.value);
      }
      shown.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length}`;
    };
    for (const control of [search, choice]) control.addEventListener("input", filter);
    const bar = document.createElement("div");
    bar.className = "ledger-bar";
    bar.append(search, choice, shown);
    table.before(bar);
    filter();
  }
});
