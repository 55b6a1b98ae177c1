// An experiment on one radiograph: what is changed by hand, the server applies and reads anew.

const LINES = ["var(--pn-accent)", "var(--pn-warn)"];
// Values at which a whole curve is read.
const CURVE = 9;

// page: canvas, server, models (names with commas), sliders, and cases() that have a number of the
// server's. Gives open({title, token | example, synthetic}), click(point) and panel.
function startExperiment(page) {
  const { canvas, server, models, sliders } = page;
  const lab = { source: null, token: "", changes: {}, last: "blur", points: {}, tool: "none",
    first: [], busy: false, again: false, turn: 0 };
  const inputs = {};
  const says = h("div.pn-lab-says", { role: "status" });
  const plot = h("div.pn-plot");
  const verdict = h("div.pn-believe", { role: "status" });

  async function ask(call, changes, pictures) {
    const fields = { models, check: "off", pictures, changes };
    const { source } = lab;
    for (;;) {
      const reply = await server[call]({ ...fields, ...(lab.token ? { token: lab.token }
        : { example: String(source.example) }) });
      if (reply.status !== "forgotten" || !lab.token) return reply;
      lab.token = source.file ? await page.send(source.file) : "";
    }
  }

  // While one answer is under way only the newest wish waits.
  async function follow() {
    if (lab.busy) {
      lab.again = true;
      return;
    }
    lab.busy = true;
    try {
      do {
        lab.again = false;
        const { turn } = lab;
        const changes = { ...lab.changes };
        const reply = await ask("change_case", changes, "yes");
        if (!lab.source) return;
        if (turn !== lab.turn) lab.again = true;
        else if (reply.status === "ok") await show(reply, changes);
        else page.trouble(reply.reason ?? t("failure.server"));
      } while (lab.again);
    } catch (error) {
      console.error(error);
      page.trouble(t("failure.offline"));
    } finally {
      lab.busy = false;
    }
  }

  async function show(reply, changes) {
    page.trouble("");
    const image = await Canvas.prepareImage(reply.image);
    const maps = await Promise.all(reply.maps.map(Canvas.prepareMap));
    const results = reply.results.map((result) => ({ ...result, map_on: result.label !== "NORMAL" }));
    lab.token = reply.base;
    const view = { ...canvas.view };
    canvas.outlines = reply.truth;
    canvas.show(image, results, maps, reply.lungs, lab.source.title);
    canvas.set(view);
    if (!lab.first.length) lab.first = results;
    note(changes, results);
    says.replaceChildren(...results.map((result, number) => h("p", { "data-label": result.label,
      "data-model": result.model, "data-probability": result.probability },
    h("strong", { style: `color: ${LINES[number % 2]}` }, result.title), " ",
    h("span", {}, `${result.says}, ${result.percent}`), " ",
    h("small", {}, t("experiment.before", { percent: lab.first[number].percent })))));
    draw();
  }

  // The points of a slider hold for the other changes as they were.
  function note(changes, results) {
    const others = JSON.stringify({ ...changes, [lab.last]: null });
    if (lab.points.others !== others) lab.points = { others, values: new Map() };
    const value = changes[lab.last] ?? sliders[lab.last][2];
    lab.points.values.set(value, results.map(({ probability }) => probability));
  }

  function draw() {
    const [low, high] = sliders[lab.last];
    const points = [...lab.points.values].sort(([one], [other]) => one - other);
    const at = (value, share) => `${(30 + 260 * (value - low) / (high - low)).toFixed(1)},` +
      `${(8 + 64 * (1 - share)).toFixed(1)}`;
    const line = (number) => `<polyline fill="none" stroke="${LINES[number % 2]}" stroke-width="2" ` +
      `points="${points.map(([value, shares]) => at(value, shares[number])).join(" ")}"/>` +
      points.map(([value, shares]) => {
        const [x, y] = at(value, shares[number]).split(",");
        return `<circle cx="${x}" cy="${y}" r="2.5" fill="${LINES[number % 2]}"/>`;
      }).join("");
    const title = t("experiment.plot", { slider: t(`experiment.${lab.last}`) });
    plot.innerHTML = `<svg viewBox="0 0 300 90" role="img"><title></title>` +
      `<path d="M30 8V72H290" fill="none" stroke="var(--pn-soft)"/><g font-size="9" ` +
      `fill="var(--pn-soft)"><text x="2" y="12">100 %</text><text x="12" y="75">0 %</text>` +
      `<text x="30" y="86">${low}</text><text x="275" y="86">${high}</text></g>` +
      `${lab.first.map((_, number) => line(number)).join("")}</svg>`;
    plot.querySelector("title").textContent = title;
    plot.append(h("p.pn-hint", {}, title));
  }

  async function curve() {
    const [low, high] = sliders[lab.last];
    const { turn } = lab;
    for (let step = 0; step < CURVE && turn === lab.turn; step++) {
      const value = Number((low + (high - low) * step / (CURVE - 1)).toFixed(3));
      const changes = { ...lab.changes, [lab.last]: value };
      const reply = await ask("change_case", changes, "no");
      if (turn !== lab.turn || reply.status !== "ok") return;
      note(changes, reply.results);
      draw();
    }
  }

  async function compare() {
    const { turn } = lab;
    verdict.replaceChildren(t("experiment.comparing"));
    const reply = await ask("cover_case", lab.changes, "no");
    if (turn !== lab.turn) return;
    if (reply.status !== "ok") verdict.replaceChildren(reply.reason ?? t("failure.server"));
    else verdict.replaceChildren(h("table", {}, h("thead", {}, h("tr", {}, ["", "now", "hottest", "random"]
      .map((name) => h("th", { scope: "col" }, name && t(`experiment.column.${name}`))))),
    h("tbody", {}, reply.rows.map((row) => h("tr", {}, h("th", { scope: "row" }, row.title),
      [row.before, row.hottest, row.random].map((words) => h("td", {}, words)))))),
    ...reply.rows.map((row) => h("p", {}, `${row.title}: ${row.verdict}`)));
  }

  function set(changes, name = lab.last) {
    Object.assign(lab.changes, changes);
    Object.assign(lab, { turn: lab.turn + 1, last: name });
    verdict.replaceChildren();
    follow();
  }

  function slider(name) {
    const [low, high, rest, pace] = sliders[name];
    const output = h("output", {}, rest);
    const input = h("input", { type: "range", min: low, max: high, step: pace, value: rest, name,
      oninput: () => {
        output.textContent = input.value;
        set({ [name]: Number(input.value) }, name);
      } });
    inputs[name] = { input, output, rest };
    return h("label.pn-slider", {}, h("span", {}, t(`experiment.${name}`)), input, output);
  }

  const check = (name) => {
    const input = h("input", { type: "checkbox", name, onchange: () => set({ [name]: input.checked }) });
    inputs[name] = { input };
    return h("label.pn-check", {}, input, t(`experiment.${name}`));
  };

  function reset() {
    for (const { input, output, rest } of Object.values(inputs)) {
      if (output) output.textContent = input.value = rest;
      else if (input.type === "checkbox") input.checked = false;
      else input.value = "";
    }
    Object.assign(lab, { changes: {}, points: {}, last: "blur" });
    set({});
  }

  function panel() {
    const other = h("select", { "aria-label": t("experiment.swap"), onchange: () =>
      set({ swap: other.value ? Number(other.value) : null }) },
    h("option", { value: "" }, t("experiment.swap.none")),
    page.cases().map(({ id, title, truth }) =>
      h("option", { value: id }, `${title}, ${truth && t(`teach.answer.${truth}`)}`)));
    inputs.swap = { input: other };
    const tools = ["none", "cover", ...(lab.source.synthetic ? ["opacity"] : [])].map((value) =>
      ({ value, label: t(`experiment.tool.${value}`) }));
    return [says, plot,
      h("div.pn-run-line", {}, h("button.pn-button", { type: "button", "data-do": "curve",
        onclick: curve }, t("experiment.curve")),
      h("button.pn-button", { type: "button", "data-do": "reset", onclick: reset },
        t("experiment.reset"))),
      segments("pn-lab-tool", t("experiment.tool"), tools, lab.tool, (tool) => { lab.tool = tool; }),
      slider("cover"), lab.source.synthetic && [slider("size"), slider("density")],
      ["blur", "sharpen", "jpeg", "contrast", "rotate"].map(slider),
      h("div.pn-checks", {}, check("mirror"), check("marker")),
      h("label.pn-set", {}, h("span", {}, t("experiment.swap")), other), check("left"),
      h("button.pn-button", { type: "button", "data-do": "compare", onclick: compare },
        t("experiment.compare")), verdict].flat().filter(Boolean);
  }

  // A click covers a place, or puts the opacity there.
  function click(point) {
    if (lab.tool === "cover") set({ covers: [...(lab.changes.covers ?? []), point] }, "cover");
    if (lab.tool === "opacity") set({ opacity: point }, "density");
  }

  async function open(source) {
    Object.assign(lab, { source, changes: {}, points: {}, last: "blur", tool: "none", first: [],
      turn: lab.turn + 1, token: source.token ?? "" });
    if (source.file) lab.token = await page.send(source.file);
    says.replaceChildren(t("result.busy"));
    plot.replaceChildren();
    verdict.replaceChildren();
    follow();
    return panel();
  }

  // What is under way is not shown any more.
  function close() {
    Object.assign(lab, { source: null, turn: lab.turn + 1 });
  }

  return { open, click, close };
}
