"use strict";
// Paper cannot be opened: what is folded is printed in full, and folded again.
const folded = [];
addEventListener("beforeprint", () => {
  document.querySelectorAll("details:not([open])").forEach((one) => { one.open = true; folded.push(one); });
});
addEventListener("afterprint", () => { folded.splice(0).forEach((one) => { one.open = false; }); });
// Turns the headings of each table into buttons that sort it; without this script the table is simply not sortable.
document.querySelectorAll("table.sortable").forEach((table) => {
  const heads = Array.from(table.tHead.rows[0].cells);
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.textContent = "";
    head.append(button);
    head.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const downwards = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", downwards ? "descending" : "ascending");
      const isNumber = head.classList.contains("number");
      const key = (row) => row.cells[column].dataset.sort;
      const rows = Array.from(table.tBodies[0].rows);
      rows.sort((a, b) => {
        const x = key(a), y = key(b);
        if (x === "" || y === "") return (x === "") - (y === "");  // what is not known stays at the end
        const order = isNumber ? Number(x) - Number(y) : x.localeCompare(y, undefined, { numeric: true });
        return downwards ? -order : order;
      });
      table.tBodies[0].append(...rows);
    });
  });
});
