// Many films: two requests at a time, a table that fills, a stop that keeps what is done.

function startMany(element, server) {
  const room = element.querySelector(".pn-many");
  const find = (what) => room.querySelector(what);
  const state = { rows: [], run: 0, running: false, started: 0, order: { column: "", down: false } };
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
    const free = FACTS.most - state.rows.length;
    if (items.length > free) trouble.textContent = t("many.too", { most: FACTS.most });
    for (const item of items.slice(0, free)) {
      const row = { ...item, record: null, png: "" };
      row.element = rowOf(row, open);
      state.rows.push(row);
    }
    draw();
    if (!state.running && state.rows.some((row) => !row.record)) start();
  }

  async function start() {
    if (!model) {
      find(".pn-trouble").textContent = t("model.none");
      return;
    }
    const run = ++state.run;
    Object.assign(state, { running: true, started: performance.now(), before: done() });
    room.dataset.running = "yes";
    await Promise.all([work(run), work(run)]);
    if (run !== state.run) return;
    finish("many.done");
  }

  async function work(run) {
    for (;;) {
      const row = state.rows.find((one) => !one.record && !one.taken);
      if (!row || run !== state.run) return;
      row.taken = true;
      const reply = await ask(row);
      row.taken = false;
      if (run !== state.run) return;
      Object.assign(row, reply);
      const fresh = rowOf(row, open);
      row.element.replaceWith(fresh);
      row.element = fresh;
      progress();
    }
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

  const done = () => state.rows.filter((row) => row.record).length;
  const duration = (seconds) => (seconds < 90 ? t("many.seconds", { count: Math.ceil(seconds) })
    : t("many.minutes", { count: Math.ceil(seconds / 60) }));

  function progress() {
    const [ready, total] = [done(), state.rows.length];
    const each = (performance.now() - state.started) / 1000 / Math.max(1, ready - state.before);
    const left = duration(each * (total - ready));
    find(".pn-progress-text").textContent = t("many.progress", { done: ready, total, left });
    find("progress").value = total ? ready / total : 0;
    find(".pn-counts").textContent = t("many.counts", countsOf(state.rows));
  }

  function finish(key) {
    state.running = false;
    room.dataset.running = "no";
    if (state.order.column) draw();
    progress();
    const time = duration((performance.now() - state.started) / 1000);
    find(".pn-progress-text").textContent = t(key, { done: done(), total: state.rows.length, time });
  }

  function stop() {
    if (!state.running) return;
    state.run += 1;
    state.rows = state.rows.filter((row) => {
      if (!row.record) row.element.remove();
      return row.record;
    });
    finish("many.stopped");
  }

  function clear() {
    state.run += 1;
    Object.assign(state, { rows: [], running: false });
    room.dataset.running = "no";
    find(".pn-trouble").textContent = "";
    draw();
  }

  function draw() {
    room.dataset.rows = state.rows.length;
    const rows = state.order.column ? sortedRows(state.rows, state.order) : state.rows;
    const choose = (column) => {
      const down = state.order.column === column ? !state.order.down : column === "probability";
      state.order = { column, down };
      draw();
    };
    find(".pn-table").replaceChildren(state.rows.length
      ? h("table", {}, h("thead", {}, headOf(state.order, choose)),
        h("tbody", {}, rows.map((row) => row.element))) : "");
    progress();
  }

  async function open(row) {
    const film = await row.content();
    document.querySelector("#tabs [role=tab]").click();
    document.dispatchEvent(new CustomEvent("pneumo-open", { detail: { film } }));
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
  const choose = (name) => { model = name; };
  const choice = modelChoice(model, choose, "pn-many-model");
  choice.querySelector("input[value=all]")?.closest("label").remove();
  find(".pn-model").append(choice);
  draw();
}

function startDrop(room, add) {
  const welcome = (event) => room.offsetParent !== null &&
    [...(event.dataTransfer?.types ?? [])].includes("Files");
  document.addEventListener("dragover", (event) => {
    if (welcome(event)) event.preventDefault();
  });
  document.addEventListener("drop", async (event) => {
    if (!welcome(event)) return;
    event.preventDefault();
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.());
    const loose = [...event.dataTransfer.files];
    if (!entries.some((entry) => entry?.isDirectory)) return add(loose);
    const found = [];
    for (const entry of entries) await walk(entry, found);
    add(found);
  });
}

async function walk(entry, found) {
  if (!entry || found.length > FACTS.most) return;
  if (entry.isFile) {
    const file = await new Promise((give, fail) => entry.file(give, fail));
    file.pneumoPath = entry.fullPath.replace(/^\//, "");
    if (!file.name.startsWith(".")) found.push(file);
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const some = await new Promise((give, fail) => reader.readEntries(give, fail));
    if (!some.length) return;
    for (const inner of some) await walk(inner, found);
  }
}
