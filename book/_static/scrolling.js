// What scrolls in a box of its own can be reached with the keyboard; the dark theme is not printed.
(() => {
  // Figures up to 5.5 inches, 790 px with their labels, are made for a phone. Below this share of
  // the width it is made for, the smallest words of a wider one cannot be read.
  const NARROW = 790, SHARE = 0.75;
  const reach = () => {
    for (const image of document.querySelectorAll(".bd-article figure img")) {
      const width = parseFloat(image.style.width) || image.naturalWidth;
      const wide = innerWidth <= 600 && width > NARROW;
      image.style.minWidth = wide ? `${SHARE * width}px` : "";
    }
    for (const box of document.querySelectorAll(".bd-article :is(table.table, figure)")) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  };
  // Paper is white, also for who reads in the dark.
  const { dataset } = document.documentElement;
  let theme;
  addEventListener("beforeprint", () => { theme = dataset.theme; dataset.theme = "light"; });
  addEventListener("afterprint", () => { dataset.theme = theme; });
  addEventListener("load", reach);
  addEventListener("resize", reach);
})();
