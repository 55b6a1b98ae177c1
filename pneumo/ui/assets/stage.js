// Words under the pictures: legends with numbers, state of the grey window, descriptions.

function legendOf(reading, heat) {
  const { sign, style } = heat;
  const card = reading.card;
  const picture = reading.heat[sign];
  if (!heat.on) return [h("span", {}, t("heat.off"))];
  if (!picture.peak) return [h("span.pn-legend-none", {}, t(`heat.none.${sign}`))];
  const digits = card.scale < 0.1 ? 3 : card.scale < 2 ? 2 : 1;
  const number = (value) => value.toFixed(digits).replace("-", "−");
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
    h("span", { title: t("legend.unit") }, t(`legend.${sign}`)),
    h("span.pn-scale", { title: t("legend.unit") },
      h("span.pn-ramp", { style: `background-image: linear-gradient(90deg, ${stops.join()})` }),
      h("span.pn-ticks", {}, [first, middle, t(`legend.end.${sign}`, { value: last })].map((tick) =>
        h("span", {}, tick)))),
  ];
}

function windowWords(view) {
  const [low, high] = [Math.round(view.low), Math.round(view.high)];
  const words = [t("view.window", { low, high }), t("view.zoom", { zoom: view.zoom.toFixed(1) })];
  if (view.invert) words.push(t("view.inverted"));
  return words.join(" · ");
}

// `words(reading)` says the verdict; both are told to screen readers with the pictures.
function describePanes(viewer, words) {
  for (const pane of viewer.panes) {
    const { reading } = pane;
    const { stored_width: width, stored_height: height, source } = viewer.film;
    let says = t("view.film.alt", { width, height, source });
    if (reading) {
      const where = reading.heat[viewer.heat.sign].where;
      says = t("view.heat.alt", { model: reading.card.title, words: words(reading), where });
      if (reading.card.tells_side === false) {
        says += ` ${t("view.heat.no_side", { model: reading.card.title })}.`;
      }
    }
    const told = [says, JSON.stringify(viewer.heat), windowWords(viewer.view)].join();
    if (pane.told === told) continue;
    pane.told = told;
    pane.canvas.setAttribute("aria-label", says);
    pane.note.replaceChildren(...(reading ? legendOf(reading, viewer.heat)
      : [h("span", {}, windowWords(viewer.view))]));
  }
}
