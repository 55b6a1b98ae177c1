// Hands on the stage: legends and descriptions of the pictures.

function legendOf(reading, heat) {
  const { sign, style } = heat;
  const card = reading.card;
  const picture = reading.heat[sign];
  if (!picture.peak) return [h("span.pn-legend-none", {}, t(`heat.none.${sign}`))];
  const number = (value) => value.toFixed(Math.abs(card.scale) < 1 ? 2 : 1);
  if (style === "contour") {
    const level = number(sign === "for" ? card.contour : -card.contour);
    return [h("span", {}, t(`legend.contour.${sign}`, { level }))];
  }
  const legend = card.legend[sign];
  const stops = legend.colours.map((colour, i) => {
    const alpha = Math.round(255 * legend.opacities[i]).toString(16).padStart(2, "0");
    return colour + alpha;
  });
  const [first, middle, last] = legend.ticks.map(number);
  return [
    h("span", {}, t(`legend.${sign}`)),
    h("span.pn-tick", {}, first),
    h("span.pn-ramp", { style: `background-image: linear-gradient(90deg, ${stops.join()})` }),
    h("span.pn-tick", {}, t("legend.end", { value: last })),
    h("span.pn-visually-hidden", {}, middle),
  ];
}

function describePanes(viewer, words) {
  for (const pane of viewer.panes) {
    const { reading } = pane;
    const { stored_width: width, stored_height: height, source } = viewer.film;
    let says = t("view.film.alt", { width, height, source });
    if (reading) {
      const where = reading.heat[viewer.heat.sign].where;
      says = t("view.heat.alt", { model: reading.card.title, words: words(reading), where });
      pane.note.replaceChildren(...legendOf(reading, viewer.heat));
    }
    pane.canvas.setAttribute("aria-label", says);
  }
}
