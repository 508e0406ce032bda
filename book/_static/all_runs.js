// The list of all runs, sorted and searched by DataTables (https://datatables.net), which the build
// fetches with npm. Without it, or without this script, the table is complete and readable.
addEventListener("DOMContentLoaded", () => {
  const table = document.getElementById("tab-ledger");
  // The copy buttons' listener on the page cannot read a click that DataTables has handled.
  table.tHead.addEventListener("click", (event) => event.stopPropagation());
  const script = Object.assign(document.createElement("script"), {
    src: new URL("../_static/try/dataTables.min.js", location.href).href });
  script.addEventListener("load", () => new DataTable(table, {
    paging: false, info: false, order: [], autoWidth: false, language: { search: "Find runs with all of these words; a column header sorts:" } }));
  document.head.append(script);
});
