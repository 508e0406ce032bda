// A table that scrolls in its own box can be reached, and so scrolled, with the keyboard.
(() => {
  const reach = () => {
    for (const table of document.querySelectorAll(".bd-article table.table")) {
      if (table.scrollWidth > table.clientWidth) table.tabIndex = 0;
      else table.removeAttribute("tabindex");
    }
  };
  addEventListener("load", reach);
  addEventListener("resize", reach);
})();
