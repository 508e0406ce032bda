// A search field and a choice of grades above each table of class "ledger". Without this script
// the table is complete and readable.
document.addEventListener("DOMContentLoaded", () => {
  for (const table of document.querySelectorAll("table.ledger")) {
    const rows = [...table.querySelectorAll("tr[data-grades]")];
    const gradesOf = (row) => row.dataset.grades.split("|"); // one a claim; a row may hold several
    const search = filters.search("Search the claims");
    const choice = filters.choice("Grade", "all grades", [...new Set(rows.flatMap(gradesOf))]);
    const count = (kind) => {
      const found = rows.filter((row) => row.closest(`.ledger-${kind}`));
      const all = found.flatMap(gradesOf).length;
      const shown = found.filter((row) => !row.hidden).flatMap(gradesOf)
        .filter((grade) => choice.value === "" || grade === choice.value).length;
      return all && `${shown} of ${all} ${kind}`;
    };
    table.before(filters.bar([search, choice], () => {
      const wanted = search.value.toLowerCase();
      for (const row of rows) {
        row.hidden = !row.textContent.toLowerCase().includes(wanted)
          || (choice.value !== "" && !gradesOf(row).includes(choice.value));
      }
      for (const body of table.tBodies) {
        body.hidden = rows.every((row) => row.hidden || row.closest("table.ledger > tbody") !== body);
      }
      return ["statements", "questions"].map(count).filter(Boolean).join(", ");
    }));
  }
});
