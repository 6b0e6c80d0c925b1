
"use strict";
(() => {
  const tip = document.getElementById("tip");
  let lit = [];

  const light = (layer) => {
    for (const element of lit) element.classList.remove("lit");
    lit = layer === null ? [] : [...document.querySelectorAll(`[data-layer="${layer}"]`)];
    for (const element of lit) element.classList.add("lit");
    document.body.classList.toggle("tracing", lit.length > 0);
  };

  const place = (x, y) => {
    const box = tip.getBoundingClientRect();
    const left = Math.min(Math.max(8, x + 14), innerWidth - box.width - 8);
    const below = y + 18 + box.height < innerHeight;
    tip.style.left = `${left}px`;
    tip.style.top = `${below ? y + 18 : Math.max(8, y - box.height - 12)}px`;
  };

  const show = (target, x, y) => {
    const source = target.closest("[data-tip]");
    const layer = target.closest("[data-layer]");
    light(layer ? layer.dataset.layer : null);
    tip.hidden = !source;
    if (!source) return;
    tip.textContent = source.dataset.tip;
    place(x, y);
  };

  const hide = () => { tip.hidden = true; light(null); };

  addEventListener("pointermove", (event) => {
    if (event.target instanceof Element) show(event.target, event.clientX, event.clientY);
  });
  document.addEventListener("pointerleave", hide);
  addEventListener("scroll", () => { tip.hidden = true; }, { passive: true, capture: true });
  addEventListener("focusin", (event) => {
    const box = event.target.getBoundingClientRect();
    show(event.target, box.left + box.width / 2, box.bottom - 10);
  });
  addEventListener("focusout", hide);
  addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
})();
