// Many films: a few requests at a time, a table that fills, a stop that keeps what is done.

// Two films are in the network while the next is decoded and sent.
const WORKERS = 3;

// Drawing takes the cores that the networks need; so often is enough to watch. Milliseconds.
const DRAW_EVERY = 250;

function startMany(element, server) {
  const room = element.querySelector(".pn-many");
  const find = (what) => room.querySelector(what);
  const state = { rows: [], fresh: new Set(), timer: 0, run: 0, workers: 0,
    running: false, started: 0, before: 0, order: { column: "", down: false } };
  let model = usableCards().at(-1)?.name ?? "";

  async function add(files) {
    const trouble = find(".pn-trouble");
    trouble.textContent = "";
    const items = [];
    for (const file of files) {
      if (!isZip(file)) {
        items.push({ name: file.pneumoPath ?? file.name, content: async () => file });
        continue;
      }
      try {
        items.push(...await unzip(file, FACTS.most + 1));
      } catch (error) {
        const reason = t(typeof error === "string" ? error : "many.zip.broken");
        trouble.textContent = t("many.zip", { reason });
      }
    }
    if (!items.length) trouble.textContent ||= t("many.nothing");
    const free = FACTS.most - state.rows.length;
    if (items.length > free) trouble.textContent = t("many.too", { most: FACTS.most });
    for (const item of items.slice(0, free)) {
      const row = { ...item, record: null, png: "" };
      row.element = rowOf(row, open);
      state.rows.push(row);
    }
    draw();
    start();
  }

  // Begins, or brings the workers back to their number when films came while the last were read.
  function start() {
    if (!state.rows.some(waiting)) return;
    if (!model) {
      find(".pn-trouble").textContent = t("model.none");
      return;
    }
    if (!state.running) {
      state.run += 1;
      Object.assign(state, { running: true, workers: 0, started: performance.now(),
        before: done() });
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
      const reply = await ask(row);
      if (run !== state.run) return;
      Object.assign(row, reply, { taken: false });
      state.fresh.add(row);
      state.timer ||= setTimeout(drawFresh, DRAW_EVERY);
    }
    state.workers -= 1;
    if (!state.workers) finish("many.done");
  }

  function drawFresh() {
    clearTimeout(state.timer);
    state.timer = 0;
    state.fresh.forEach(redraw);
    state.fresh.clear();
    progress();
  }

  function redraw(row) {
    const fresh = rowOf(row, open);
    row.element.replaceWith(fresh);
    row.element = fresh;
  }

  // Answers of two networks in one table would be taken for one's: all films are read again.
  function choose(name) {
    model = name;
    Object.assign(state, { run: state.run + 1, running: false });
    for (const row of state.rows) {
      Object.assign(row, { record: null, taken: false });
      redraw(row);
    }
    start();
  }

  async function ask(row) {
    const failed = (reason) => ({ record: { status: "error", reason }, png: "" });
    try {
      const content = await row.content();
      if (content.size > FACTS.limit) {
        return failed(t("error.large", { limit: Math.floor(FACTS.limit / 1048576) }));
      }
      const film = new File([content], "film");
      return await server.read_one({ binary: true, data: { models: model, film } });
    } catch (error) {
      if (typeof error === "string") return failed(t("many.zip", { reason: t(error) }));
      console.error(error);
      return failed(t("error.offline"));
    }
  }

  const waiting = (row) => !row.record && !row.taken;
  const done = () => state.rows.filter((row) => row.record).length;
  const duration = (seconds) => (seconds < 90 ? t("many.seconds", { count: Math.ceil(seconds) })
    : t("many.minutes", { count: Math.ceil(seconds / 60) }));

  function progress() {
    const [ready, total] = [done(), state.rows.length];
    const read = ready - state.before;
    const left = (performance.now() - state.started) / 1000 / read * (total - ready);
    // Before the first film of a run nothing is known of its pace.
    find(".pn-progress-text").textContent = state.running && read > 0
      ? t("many.progress", { done: ready, total, left: duration(left) })
      : t("many.progress.first", { done: ready, total });
    find("progress").value = total ? ready / total : 0;
    find(".pn-counts").textContent = t("many.counts", countsOf(state.rows));
  }

  function finish(key, total = state.rows.length) {
    state.running = false;
    room.dataset.rows = state.rows.length;
    room.dataset.running = "no";
    drawFresh();
    if (state.order.column) draw();
    const time = duration((performance.now() - state.started) / 1000);
    const says = t(key, { done: done(), total, time });
    find(".pn-progress-text").textContent = says;
    find(".pn-told").textContent = says; // a screen reader is not told of every single film
  }

  function stop() {
    if (!state.running) return;
    state.run += 1;
    const total = state.rows.length;
    state.rows = state.rows.filter((row) => {
      if (!row.record) row.element.remove();
      return row.record;
    });
    finish("many.stopped", total);
  }

  function clear() {
    state.run += 1;
    Object.assign(state, { rows: [], running: false });
    room.dataset.running = "no";
    for (const words of [".pn-trouble", ".pn-told"]) find(words).textContent = "";
    draw();
  }

  function draw() {
    room.dataset.rows = state.rows.length;
    const rows = state.order.column ? sortedRows(state.rows, state.order) : state.rows;
    const sort = (column) => {
      const down = state.order.column === column ? !state.order.down : column === "probability";
      state.order = { column, down };
      draw();
    };
    find(".pn-table").replaceChildren(state.rows.length
      ? h("table", {}, h("thead", {}, headOf(state.order, sort)),
        h("tbody", {}, rows.map((row) => row.element))) : "");
    progress();
  }

  async function open(row) {
    const film = await row.content();
    showTab(0);
    document.dispatchEvent(
      new CustomEvent("pneumo-open", { detail: { film, model: row.record.model } }));
  }

  const rows = () => (state.order.column ? sortedRows(state.rows, state.order) : state.rows);
  const commands = {
    choose: () => find(".pn-file").click(),
    stop, clear,
    csv: () => saveAs("pneumo.csv", "text/csv", csvOf(rows())),
    summary: () => saveAs("pneumo.html", "text/html", summaryOf(rows())),
  };
  room.addEventListener("click", (event) => {
    commands[event.target.closest("[data-do]")?.dataset.do]?.();
  });
  find(".pn-file").addEventListener("change", (event) => {
    add([...event.target.files]).then(() => { event.target.value = ""; });
  });
  startDrop(room, add);
  find(".pn-drop-title").textContent = t("many.drop", { most: FACTS.most });
  const choice = modelChoice(model, choose, "pn-many-model");
  choice.querySelector("input[value=all]")?.closest("label").remove();
  find(".pn-model").append(choice);
  draw();
}

function startDrop(room, add) {
  const welcome = (event) => room.offsetParent !== null && holdsFiles(event);
  document.addEventListener("dragover", (event) => {
    if (!welcome(event)) return;
    event.preventDefault();
    room.classList.add("pn-dragging");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) room.classList.remove("pn-dragging");
  });
  document.addEventListener("drop", (event) => {
    room.classList.remove("pn-dragging");
    if (!welcome(event)) return;
    event.preventDefault();
    droppedFiles(event.dataTransfer, FACTS.most).then(add, (error) => {
      console.error(error);
      add([]);
    });
  });
  // What was dropped on the first tab and belongs here.
  const fetch = () => {
    const films = document.pneumoFilms;
    document.pneumoFilms = null;
    if (films) add(films);
  };
  document.addEventListener("pneumo-many", fetch);
  fetch();
}
