// A search field and a choice of grades above each table of class "ledger". Without this script
// the table is complete and readable.
document.addEventListener("DOMContentLoaded", () => {
  for (const table of document.querySelectorAll("table.ledger")) {
    const rows = [...table.querySelectorAll("tr[data-grades]")];
    const gradesOf = (row) => row.dataset.grades.split("|");
    const search = filters.search("Search the claims");
    const choice = filters.choice("Grade", "all grades", [...new Set(rows.flatMap(gradesOf))]);
    table.before(filters.bar([search, choice], () => {
      const wanted = search.value.toLowerCase();
      for (const row of rows) {
        row.hidden = !row.textContent.toLowerCase().includes(wanted)
          || (choice.value !== "" && !gradesOf(row).includes(choice.value));
      }
      for (const body of table.tBodies) {
        body.hidden = rows.every((row) => row.hidden || row.closest("table.ledger > tbody") !== body);
      }
      return `${rows.filter((row) => !row.hidden).length} of ${rows.length} rows`;
    }));
  }
});
