// What scrolls in a box of its own can be reached, and so scrolled, with the keyboard.
(() => {
  const SHARE = 0.6; // of a figure's own width, below which its smallest words cannot be read
  const reach = () => {
    for (const image of document.querySelectorAll(".bd-article figure img")) {
      image.style.minWidth = innerWidth <= 600 ? `${SHARE * image.naturalWidth}px` : "";
    }
    for (const box of document.querySelectorAll(".bd-article :is(table.table, figure)")) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  };
  addEventListener("load", reach);
  addEventListener("resize", reach);
})();
