// A search field and a choice of grades above each table of class "ledger". Without this script
// the table is complete and readable.
document.addEventListener("DOMContentLoaded", () => {
  for (const table of document.querySelectorAll("table.ledger")) {
    const rows = [...table.tBodies[0].rows];
    const column = [...table.tHead.rows[0].cells].findIndex((c) => c.textContent === "grade");
    const grades = [...new Set(rows.map((row) => row.cells[column].textContent))];
    const search = filters.search("Search the claims");
    const choice = filters.choice("Grade", "all grades", grades);
    table.before(filters.bar([search, choice], () => {
      const wanted = search.value.toLowerCase();
      for (const row of rows) {
        row.dataset.grade = row.cells[column].textContent;
        row.hidden = !row.textContent.toLowerCase().includes(wanted)
          || (choice.value !== "" && row.dataset.grade !== choice.value);
      }
      return `${rows.filter((row) => !row.hidden).length} of ${rows.length}`;
    }));
  }
});
