// The second tab: a few requests at a time, a table that fills, a stop that can be taken back.

// Two images are in the network while the next is decoded and sent.
const WORKERS = 3;

// Drawing takes the cores that the networks need; so often is enough to watch. Milliseconds.
const DRAW_EVERY = 250;

// Of a list of truths, so many are enough to see what is wrong with it.
const MOST_PROBLEMS = 3;

function startBatch(element, server) {
  const room = element.querySelector(".pn-batch");
  const find = (what) => room.querySelector(what);
  const state = { rows: [], fresh: new Set(), timer: 0, run: 0, workers: 0,
    running: false, started: 0, before: 0, lists: [], show: "all", order: { column: "", down: false } };
  const controls = new Controls(find(".pn-batch-controls"), "pn-batch", (what) => {
    if (what === "model") chooseModel();
    else decideAgain(state.rows);
  });
  const models = () => controls.models().split(",").filter(Boolean);
  // Results of the models chosen; a row keeps those of the others for when they are chosen again.
  const resultsOf = (row) => models().map((model) => row.results[model]).filter(Boolean);
  const done = (row) => resultsOf(row).length === models().length;
  const waiting = (row) => !row.taken && !done(row);
  const doneCount = () => state.rows.filter(done).length;
  const isShown = (row) => FILTERS[state.show](resultsOf(row), row.truth);

  async function add(files) {
    const trouble = find(".pn-trouble");
    trouble.textContent = "";
    const { images, lists, wrong } = await gather(files);
    if (!images.length && !lists.length && !wrong.length) wrong.push(t("batch.nothing"));
    const free = FACTS.most - state.rows.length;
    if (images.length > free) wrong.push(t("batch.too", { most: FACTS.most }));
    state.rows.push(...images.slice(0, free).map((image) =>
      ({ ...image, results: {}, png: "", taken: false })));
    state.lists.push(...lists);
    const { truths, problems } = truthsOf(state.rows.map(({ name }) => name), state.lists);
    if (lists.length) wrong.push(...problems.slice(0, MOST_PROBLEMS));
    for (const row of state.rows) {
      row.truth = truths.get(row.name) ?? "";
      redraw(row);
    }
    trouble.textContent = wrong.join(" ");
    draw();
    start();
    if (!state.running) measure();
  }

  // Begins, or brings the workers back to their number when images came while others were read.
  function start() {
    if (!models().length) {
      find(".pn-trouble").textContent = t("model.none");
      return;
    }
    if (!state.rows.some(waiting)) return;
    if (!state.running) {
      state.run += 1;
      Object.assign(state, { running: true, workers: 0, started: performance.now(),
        before: doneCount() });
      room.dataset.running = "yes";
      progress();
    }
    while (state.workers < WORKERS && state.rows.some(waiting)) {
      state.workers += 1;
      work(state.run);
    }
  }

  async function work(run) {
    for (let row; (row = state.rows.find(waiting));) {
      row.taken = true;
      const fields = controls.fields();
      const missing = models().filter((model) => !row.results[model]);
      const reply = await ask(row, { ...fields, models: missing.join() });
      row.taken = false;
      if (!reply) return breakOff(run);
      const { rows, png, reason } = reply;
      missing.forEach((model, number) => {
        row.results[model] = rows?.[number] ?? { status: "error", reason, model };
      });
      row.png ||= png ?? "";
      if (JSON.stringify({ ...fields, models: "" }) !==
          JSON.stringify({ ...controls.fields(), models: "" })) decideAgain([row]);
      state.fresh.add(row); // also when it was stopped meanwhile: the row has its results
      state.timer ||= setTimeout(drawFresh, DRAW_EVERY);
      if (run !== state.run) return;
    }
    state.workers -= 1;
    if (!state.workers) finish("batch.done");
  }

  function drawFresh() {
    clearTimeout(state.timer);
    state.timer = 0;
    state.fresh.forEach(redraw);
    state.fresh.clear();
    progress();
  }

  function redraw(row) {
    const fresh = rowOf(row, resultsOf(row), open);
    fresh.hidden = !isShown(row);
    row.element?.replaceWith(fresh);
    row.element = fresh;
  }

  function chooseModel() {
    state.run += 1;
    state.running = false;
    state.rows.forEach(redraw);
    progress();
    start();
    if (!state.running) measure();
  }

  function measure() {
    if (state.rows.some(({ truth }) => truth)) decideAgain(state.rows);
  }

  // What was analyzed before is decided anew by the server; no image is sent again.
  async function decideAgain(rows) {
    const [known, cases] = [[], []];
    for (const row of rows) {
      for (const result of Object.values(row.results)) {
        if (typeof result.balanced !== "number") continue;
        known.push(result);
        cases.push([result.model, result.balanced, TRUTHS.indexOf(row.truth)]);
      }
    }
    try {
      const reply = await server.decide_again({ ...controls.fields(), cases });
      controls.settle(reply);
      reply.rows?.forEach((fields, number) => Object.assign(known[number], fields));
      rows.forEach(redraw);
      progress();
      if (rows === state.rows) {
        find(".pn-measured").replaceChildren(...(reply.measured ?? []).map(measuredOf));
      }
    } catch (error) {
      console.error(error);
      find(".pn-trouble").textContent = t("failure.offline");
    }
  }

  // Nothing when the app does not answer.
  async function ask(row, fields) {
    let content;
    try {
      content = await row.content();
      await content.slice(0, 1).arrayBuffer();
    } catch (error) {
      return { reason: typeof error === "string" ? zipError(row.name, error) : t("batch.unreadable") };
    }
    if (tooLarge(content.size)) return { reason: tooLarge(content.size) };
    const image = new File([content], "image");
    try {
      return await server.analyze_one({ binary: true, data: { ...fields, image } });
    } catch (error) {
      console.error(error);
      return null;
    }
  }

  const duration = (seconds) => (seconds < 90 ? t("batch.seconds", { count: Math.ceil(seconds) })
    : t("batch.minutes", { count: Math.ceil(seconds / 60) }));

  function progress() {
    const [ready, total] = [doneCount(), state.rows.length];
    const read = ready - state.before;
    const left = (performance.now() - state.started) / 1000 / read * (total - ready);
    // Before the first image of a run nothing is known of its pace.
    find(".pn-progress-text").textContent = state.running && read > 0
      ? t("batch.progress", { done: ready, total, left: duration(left) })
      : t("batch.progress.first", { done: ready, total });
    find("progress").value = total ? ready / total : 0;
    find(".pn-counts").replaceChildren(...models().map((model) =>
      h("span", {}, countWords(state.rows.map((row) => row.results[model]), model))));
    room.dataset.left = state.running ? 0 : total - ready;
  }

  function finish(key) {
    state.running = false;
    room.dataset.running = "no";
    drawFresh();
    if (state.order.column) draw();
    const time = duration((performance.now() - state.started) / 1000);
    const says = t(key, { done: doneCount(), total: state.rows.length, time });
    find(".pn-progress-text").textContent = says;
    find(".pn-announced").textContent = says; // no screen reader should hear of every single image
    measure();
  }

  function breakOff(run) {
    if (run !== state.run) return;
    state.run += 1;
    finish("batch.broken");
  }

  function stop() {
    if (!state.running) return;
    state.run += 1;
    finish("batch.stopped");
  }

  function clear() {
    state.run += 1;
    Object.assign(state, { rows: [], running: false, lists: [] });
    find(".pn-measured").replaceChildren();
    room.dataset.running = "no";
    for (const words of [".pn-trouble", ".pn-announced"]) find(words).textContent = "";
    draw();
  }

  const ordered = () => (state.order.column
    ? sortedRows(state.rows, state.order, resultsOf) : state.rows);

  function draw() {
    room.dataset.rows = state.rows.length;
    room.dataset.labelled = state.rows.some(({ truth }) => truth) ? "yes" : "no";
    const sort = (column) => {
      const down = state.order.column === column ? !state.order.down : column === "probability";
      state.order = { column, down };
      draw();
    };
    find(".pn-table").replaceChildren(state.rows.length
      ? h("table", {}, h("thead", {}, headOf(state.order, sort)),
        h("tbody", {}, ordered().map((row) => row.element))) : "");
    progress();
  }

  function open(row) {
    const list = ordered().filter(isShown);
    const detail = { list, at: list.indexOf(row), model: controls.choice.model };
    showTab(0);
    document.dispatchEvent(new CustomEvent("pneumo-open", { detail }));
  }

  const table = () => ordered().map((row) => ({ ...row, results: resultsOf(row) }));
  const commands = {
    choose: () => find(".pn-file").click(),
    stop, clear, continue: start,
    csv: () => saveAs("pneumo.csv", "text/csv", csvOf(table())),
    summary: () => saveAs("pneumo.html", "text/html",
      summaryOf(table(), find(".pn-counts").textContent, find(".pn-measured").cloneNode(true))),
  };
  room.addEventListener("click", (event) => {
    commands[event.target.closest("[data-do]")?.dataset.do]?.();
  });
  find(".pn-file").addEventListener("change", (event) => {
    add([...event.target.files]).then(() => { event.target.value = ""; });
  });
  startDrop(room, add);
  // What was dropped on the first tab and belongs here.
  const fetch = () => {
    const files = document.pneumoFiles;
    document.pneumoFiles = null;
    if (files) add(files);
  };
  document.addEventListener("pneumo-batch", fetch);
  find(".pn-show").replaceChildren(segments("pn-batch-show", t("batch.show"),
    Object.keys(FILTERS).map((value) => ({ value, label: t(`batch.show.${value}`) })), "all",
    (show) => {
      state.show = show;
      state.rows.forEach((row) => { row.element.hidden = !isShown(row); });
    }));
  find(".pn-drop-title").textContent = t("batch.drop", { most: FACTS.most });
  draw();
  fetch();
}
