// The third tab: rounds in which the student commits before the models speak. A round lives in the
// browser's own memory, so that a reload goes on with it; the server never hears an answer.

const STORED = "pneumo-teach";
// What a link may say, and the field of a round that it is about.
const LINKED = { teach: "set", n: "n", model: "model", cases: "kind" };
const MARK = "#7cc4ee", PLACE = "#8ee0b3";

// Opens the tab for a link with ?teach=SET; the tab itself does the rest when it is drawn.
function openByLink() {
  if (new URLSearchParams(location.search).has("teach")) showTab(2);
}

function remembered() {
  try {
    return JSON.parse(localStorage.getItem(STORED));
  } catch {
    return null;
  }
}

function remember(round) {
  try {
    if (round) localStorage.setItem(STORED, JSON.stringify(round));
    else localStorage.removeItem(STORED);
  } catch (error) {
    console.warn("The round cannot be kept over a reload.", error);
  }
}

// Names the files of a folder without holding their names.
function printOf(files) {
  let sum = 0;
  for (const letter of [...files].sort().join("\n")) sum = (31 * sum + letter.codePointAt(0)) | 0;
  return `${files.length}:${sum}`;
}

// A set with the truths of its folders and lists, where its cases have none of their own.
function labelled(set) {
  if (set.cases.some(({ truth }) => TRUTHS.includes(truth))) return set;
  const images = set.cases.filter(({ file }) => !/\.(csv|json|txt|md)$/i.test(file));
  if (!images.length) return { ...set, cases: [] };
  const { truths, problems } = truthsOf(images.map(({ file }) => file), set.lists);
  const cases = images.map((one) => ({ ...one, truth: truths.get(one.file) }));
  return { ...set, problems, cases: cases.filter(({ truth }) => truth) };
}

function startTeach(element, server) {
  const room = element.querySelector(".pn-teach");
  const find = (what) => room.querySelector(what);
  const canvas = new Canvas(find(".pn-panes"));
  const state = { sets: [], round: null, loaded: new Map(), turn: 0 };
  const wish = { set: "synthetic", n: "10", kind: "mixed", model: usableModels().length > 1 ? "all"
    : usableModels()[0]?.name ?? "" };
  const now = () => state.round.cases[state.round.at];
  let lab = null; // the experiment, once what it needs is here
  const setOf = (name) => state.sets.find((set) => set.name === name);
  const namesOf = (model) => (model === "all"
    ? usableModels().map(({ name }) => name).join() : model);

  function trouble(sentence) {
    find(".pn-trouble").textContent = sentence;
  }

  // -- The round ---------------------------------------------------------------------------------

  async function begin() {
    if (!wish.model) {
      trouble(t("model.none"));
      return;
    }
    const set = setOf(wish.set);
    const cases = wish.kind === "failures"
      ? await failures(set, namesOf(wish.model), Number(wish.n))
      : drawRound(set.cases, Number(wish.n));
    if (!cases.length) {
      trouble(t(wish.kind === "failures" ? "teach.nofailure" : "teach.empty"));
      return;
    }
    trouble("");
    // The names of a person's own files are not kept.
    state.round = { ...wish, print: set.print, at: 0, step: "ask", cases: cases.map(
      ({ id, title, truth, caption, place }) => ({ id, title: set.print ? "" : title, truth, caption,
        place, answer: "", sure: 0, mark: null })) };
    go();
  }

  // What the models are wrong about, confident mistakes first, or differ or leave open.
  async function failures(set, models, count) {
    const found = [];
    let stopped = false;
    const says = h("strong", { role: "status" });
    find(".pn-lesson-line").replaceChildren(says, h("button.pn-button", { type: "button",
      onclick: () => { stopped = true; } }, t("batch.stop")));
    for (const [number, one] of set.cases.entries()) {
      if (stopped) break;
      says.textContent = t("teach.seeking", { done: number, count: set.cases.length });
      let reply;
      try {
        reply = await send(one, models, "no");
      } catch (error) {
        console.error(error);
        break;
      }
      const results = reply.results ?? [];
      const wrong = results.filter(({ label }) => label !== "INDETERMINATE" && label !== one.truth);
      const open = results.some(({ label }) => label !== one.truth);
      const sure = Math.max(0, ...wrong.map(({ probability }) => Math.abs(probability - 0.5)));
      if (open) found.push([sure, one]);
    }
    fillLine();
    return shuffled(found.sort(([one], [other]) => other - one).slice(0, count).map(([, one]) => one));
  }

  function forget() {
    state.round = null;
    if (!setOf(wish.set)) wish.set = "synthetic";
    state.loaded.clear();
    go();
  }

  // The address names the round, so that a reload comes back to this tab.
  function address() {
    const search = new URLSearchParams(location.search);
    for (const name of Object.keys(LINKED)) search.delete(name);
    if (state.round) {
      for (const [name, field] of Object.entries(LINKED)) search.set(name, state.round[field]);
    }
    const query = search.toString();
    history.replaceState(history.state, "", location.pathname + (query && `?${query}`));
  }

  async function go() {
    const { round } = state;
    canvas.outlines = [];
    lab?.close();
    const turn = ++state.turn;
    remember(round);
    address();
    room.dataset.step = round ? round.step : "setup";
    fillLine();
    find(".pn-outcome").replaceChildren(...(round?.step === "end" ? outcome(round) : []));
    if (!round || round.step === "end") {
      canvas.show(null, [], [], [], "");
      find(".pn-task").replaceChildren();
      return;
    }
    if (round.print && setOf(round.set)?.print !== round.print) {
      canvas.show(null, [], [], [], "");
      find(".pn-task").replaceChildren(h("p", {}, t("teach.folder.again")), chooser());
      return;
    }
    room.setAttribute("aria-busy", "true");
    let shown;
    try {
      shown = await load(now());
    } catch (error) {
      console.error(error);
      if (turn === state.turn) leaveOut(typeof error === "string" ? error : t("failure.offline"));
      return;
    }
    if (turn !== state.turn) return;
    room.removeAttribute("aria-busy");
    draw(shown);
    const next = round.cases[round.at + 1];
    if (next) load(next).catch(() => {});
  }

  // An image that cannot be read leaves the round, unless the app is what does not answer.
  function leaveOut(reason) {
    room.removeAttribute("aria-busy");
    trouble(reason);
    find(".pn-task").replaceChildren(h("button.pn-button", { type: "button", onclick: () => {
      trouble("");
      state.loaded.clear();
      go();
    } }, t("teach.again")), h("button.pn-button", { type: "button", onclick: () => {
      trouble("");
      state.round.cases.splice(state.round.at, 1);
      if (!state.round.cases.length) return forget();
      if (state.round.at === state.round.cases.length) state.round.step = "end";
      else state.round.step = "ask";
      return go();
    } }, t("teach.skip")));
  }

  // Two cases are held: the one on the stage and the next.
  function load(one) {
    const { cases, at } = state.round;
    for (const known of state.loaded.keys()) {
      if (known !== cases[at] && known !== cases[at + 1]) state.loaded.delete(known);
    }
    if (!state.loaded.has(one)) {
      const loading = read(one);
      state.loaded.set(one, loading);
      loading.catch(() => state.loaded.delete(one));
    }
    return state.loaded.get(one);
  }

  // A case of a set: one with content is the person's own file.
  async function send({ id, content }, models, pictures) {
    const data = { models, check: "off", pictures };
    if (!content) return server.read_case({ ...data, example: String(id) });
    // The file goes under a name of ours, as everywhere.
    const image = new File([await content()], "image");
    return server.read_case({ binary: true, data: { ...data, image } });
  }

  async function read(one) {
    const { set, model } = state.round;
    const found = setOf(set).cases.find(({ id }) => id === one.id);
    const reply = await send(found, namesOf(model), "yes");
    if (reply.status !== "ok") throw reply.reason ?? t("failure.server");
    const image = await Canvas.prepareImage(reply.image);
    const maps = await Promise.all(reply.maps.map(Canvas.prepareMap));
    // Where a map misleads is part of the lesson, so an unreliable one is drawn as well.
    const results = reply.results.map((result) => ({ ...result, map_on: result.label !== "NORMAL" }));
    return { ...reply, results, image, maps };
  }

  // -- One radiograph ----------------------------------------------------------------------------

  function draw(shown) {
    const { step, at, cases } = state.round;
    const one = now();
    const title = t("teach.case", { number: at + 1, count: cases.length });
    if (step === "ask") canvas.show(shown.image, [], [], [], title);
    else canvas.show(shown.image, shown.results, shown.maps, shown.lungs, title);
    mark();
    const panels = { ask, advice, truth };
    find(".pn-task").replaceChildren(...panels[step](one, shown));
    // The keys work wherever the focus is; here it neither hides nor loses the radiograph.
    find(".pn-stage").focus({ preventScroll: true });
  }

  function mark() {
    const one = now();
    canvas.marks = one.mark ? [{ x: one.mark[0], y: one.mark[1], colour: MARK }] : [];
    if (state.round.step === "truth" && one.place) canvas.marks.push({ ...one.place, colour: PLACE });
    canvas.draw();
  }

  function answers(name, title, value, choose) {
    return segments(name, title, ANSWERS.map((answer) =>
      ({ value: answer, label: answerWords(answer) })), value, choose);
  }

  const primary = (words, run) =>
    h("button.pn-button.pn-primary.pn-go", { type: "button", onclick: run }, words);

  function ask(one) {
    const sure = segments("pn-teach-sure", t("teach.sure"), SURENESS.map((value) =>
      ({ value: String(value), label: t("teach.percent", { value }) })), String(one.sure || ""),
    (value) => set({ sure: Number(value) }));
    const commit = primary(t("teach.commit"), () => {
      if (!ready()) return;
      step("advice", { final: one.answer, hit: hits(one.place, one.mark) });
    });
    const ready = () => one.answer === "UNSURE" || (one.answer && one.sure);
    const refresh = () => {
      sure.disabled = one.answer === "UNSURE";
      commit.disabled = !ready();
    };
    const set = (changes) => {
      Object.assign(one, changes);
      if (one.answer === "UNSURE") one.sure = 0;
      remember(state.round);
      refresh();
    };
    refresh();
    return [h("h2", {}, t("teach.ask")),
      answers("pn-teach-answer", t("teach.answer"), one.answer, (answer) => set({ answer })), sure,
      h("p.pn-hint", {}, t("teach.mark")), commit, h("p.pn-hint", {}, t("teach.keys"))];
  }

  function advice(one, shown) {
    const cards = shown.results.map((result) => resultOf(result, false));
    const { sentence, code } = shown.agreement;
    return [sentence && h(`p.pn-agreement.pn-${code}`, {}, sentence),
      cards.length > 1 ? h("div.pn-versus", {}, cards) : cards[0],
      answers("pn-teach-final", t("teach.final", { answer: answerWords(one.answer) }), one.final,
        (final) => {
          one.final = final;
          remember(state.round);
        }),
      primary(t("teach.reveal"), () => step("truth", { results: shown.results.map((result, number) => {
        const { model, title, label, says, percent, probability } = result;
        const hit = hits(one.place, shown.hottest[number]);
        return { model, title, label, says, percent, probability, hit };
      }) }))].filter(Boolean);
  }

  function truth(one, shown) {
    const right = one.final === one.truth;
    const changed = one.final === one.answer ? "" : t("teach.changed", {
      first: answerWords(one.answer), final: answerWords(one.final) });
    const last = state.round.at + 1 === state.round.cases.length;
    return [
      h("p.pn-label", { "data-truth": one.truth }, t("teach.truth", { truth: answerWords(one.truth) })),
      h("p.pn-verdict", { "data-right": right ? "yes" : "no" }, t(right ? "teach.right"
        : one.final === "UNSURE" ? "teach.undecided" : "teach.wrong")), changed && h("p", {}, changed),
      one.hit !== null && h("p", {}, t(!one.mark ? "teach.hit.none" : one.hit ? "teach.hit" : "teach.miss")),
      h("ul.pn-said", {}, one.results.map(({ title, says, percent, label }) =>
        h("li", { "data-right": label === one.truth ? "yes" : "no" }, `${title}: ${says}, ${percent}`))),
      h("ul.pn-points", {}, pointsOf(one).map((point) => h("li", {}, point))),
      one.caption && h("p.pn-hint", {}, one.caption), one.place && h("p.pn-hint", {}, t("teach.legend")),
      primary(t(last ? "teach.results" : "teach.next"), () => {
        if (last) return step("end");
        state.round.at += 1;
        return step("ask");
      })].filter(Boolean);
  }

  function step(next, changes = {}) {
    if (next !== "ask" && next !== "end") Object.assign(now(), changes);
    state.round.step = next;
    go();
  }

  // -- Before and after --------------------------------------------------------------------------

  function fillLine() {
    const { round } = state;
    const button = (words, run, kind = "") => h(`button.pn-button${kind}`, { type: "button", onclick: run }, words);
    if (round) {
      const done = round.at + (round.step === "end" ? 1 : 0);
      find(".pn-lesson-line").replaceChildren(
        h("progress", { max: round.cases.length, value: done, "aria-label": t("teach.progress") }),
        h("strong", {}, t("teach.done", { done, count: round.cases.length })),
        button(t("teach.over"), forget, ".pn-over"));
      return;
    }
    const sets = h("select", { "aria-label": t("teach.set"), onchange: (event) => {
      wish.set = event.target.value;
      problemsOf(setOf(wish.set));
    } }, state.sets.map(({ name, title, cases }) => h("option", { value: name,
      selected: name === wish.set, disabled: !cases.length }, name === "real" && !cases.length
      ? t("teach.set.download") : t("teach.set.option", { title, count: cases.length }))));
    const models = usableModels().map(({ name, title }) => ({ value: name, label: title }));
    if (models.length > 1) models.push({ value: "all", label: t("model.both") });
    find(".pn-lesson-line").replaceChildren(
      h("p.pn-lesson-says", {}, t("teach.intro")),
      h("label.pn-set", {}, h("span", {}, t("teach.set")), sets), chooser(),
      segments("pn-teach-n", t("teach.count"), ["10", "20"].map((value) => ({ value, label: value })),
        wish.n, (n) => { wish.n = n; }),
      segments("pn-teach-kind", t("teach.kind"), ["mixed", "failures"].map((value) =>
        ({ value, label: t(`teach.kind.${value}`), hint: t(`teach.kind.${value}.hint`) })), wish.kind,
        (kind) => { wish.kind = kind; }),
      segments("pn-teach-model", t("teach.model"), models, wish.model, (model) => { wish.model = model; }),
      button(t("teach.start"), begin, ".pn-primary.pn-go"),
      button(t("experiment.title"), () => experiment(setOf(wish.set).cases[0]), ".pn-lab"));
  }

  // -- Experiment --------------------------------------------------------------------------------

  // On a case of the set, or on what stands on the first tab.
  async function experiment(one) {
    const set = setOf(wish.set);
    room.dataset.step = "experiment";
    canvas.marks = [];
    const stage = document.pneumoToken;
    const select = h("select", { "aria-label": t("experiment.radiograph"), onchange: () =>
      experiment(set.cases.find(({ id }) => String(id) === select.value)) },
    stage && h("option", { value: "stage", selected: !one }, t("experiment.stage")),
    one && !set.cases.includes(one) && h("option", { value: "file", selected: true }, one.title),
    set.cases.map((each) => h("option", { value: each.id, selected: each === one },
      `${each.title}, ${answerWords(each.truth)}`)));
    find(".pn-lesson-line").replaceChildren(
      h("p.pn-lesson-says", {}, t("experiment.intro")),
      h("label.pn-set", {}, h("span", {}, t("experiment.radiograph")), select),
      h("button.pn-button", { type: "button", onclick: go }, t("experiment.back")));
    const source = !one ? { title: t("view.image"), token: stage } : { title: one.title,
      synthetic: !one.content && set.name === "synthetic", ...(one.content ? { file: one } : { example: one.id }) };
    try {
      find(".pn-task").replaceChildren(...await lab.open(source));
    } catch (error) {
      console.error(error);
      trouble(typeof error === "string" ? error : t("failure.offline"));
    }
  }

  const titleOfCase = (one) => one.title ||
    (setOf(state.round.set)?.cases.find(({ id }) => id === one.id)?.title ?? "");

  function chooser() {
    const input = h("input.pn-file", { type: "file", multiple: true, tabindex: -1,
      "aria-label": t("teach.choose"), onchange: () => take([...input.files]) });
    return h("div.pn-chooser", {}, h("button.pn-button", { type: "button", title: t("teach.choose.hint"),
      onclick: () => input.click() }, t("teach.choose")), input);
  }

  // A teacher's own folder or zip becomes a set; its names stay in this page.
  async function take(files) {
    trouble("");
    if (room.dataset.step === "experiment" && files.length === 1 && !isZip(files[0])) {
      experiment({ title: files[0].name, content: async () => files[0] });
      return;
    }
    const { images, lists, wrong } = await gather(files);
    if (wrong.length) return trouble(wrong.join(" "));
    const cases = images.slice(0, FACTS.most).map(({ name, content }, id) => ({ id, file: name, content, caption: "",
      title: name.split("/").pop(), place: null, hard: false, truth: "" }));
    const set = labelled({ name: "folder", title: t("teach.set.folder"), cases, lists });
    set.print = printOf(set.cases.map(({ file }) => file));
    if (set.cases.length) {
      state.sets = [...state.sets.filter(({ name }) => name !== "folder"), set];
      if (!state.round) wish.set = "folder";
    }
    if (state.round && state.round.print !== set.print) trouble(t("teach.folder.other"));
    else go();
    problemsOf(set);
  }

  function problemsOf({ problems = [] }) {
    const more = problems.length - 4;
    trouble([...problems.slice(0, 4), more > 0 && t("teach.more", { count: more })].filter(Boolean).join(" "));
  }

  function outcome(round) {
    const table = ({ title, head, rows, note }) => h("section", {}, h("h2", {}, title),
      h("div.pn-scroll", { tabindex: 0, role: "region", "aria-label": title }, h("table", {},
        head && h("thead", {}, h("tr", {}, head.map((words) => h("th", { scope: "col" }, words)))),
        h("tbody", {}, rows.map(([name, ...cells]) => h("tr", {}, h("th", { scope: "row" }, name),
          cells.map((words) => h("td", {}, words))))))), note && h("p.pn-hint", {}, note));
    const cases = { title: t("teach.table.cases"), head: [t("teach.column.case"), t("teach.column.truth"),
      ...readersOf(round.cases).map(({ title }) => title)], rows: round.cases.map((one, number) => [
      `${number + 1}. ${titleOfCase(one)}`, answerWords(one.truth), ...readersOf(round.cases).map(({ said }) =>
        t(`teach.answer.${said(one)}`))]) };
    return [h("div.pn-run-line", {}, h("h2", {}, t("teach.end")),
      h("button.pn-button", { type: "button", "data-do": "csv", onclick: () =>
        saveAs("pneumo-lesson.csv", "text/csv", lessonCsv(round, titleOfCase)) }, t("batch.csv")),
      h("button.pn-button", { type: "button", "data-do": "print", onclick: () => window.print() },
        t("teach.print"))),
    ...tablesOf(round.cases).map(table), table(cases)];
  }

  // -- Hands -------------------------------------------------------------------------------------

  function place(point) {
    if (room.dataset.step === "experiment") lab.click(point);
    if (state.round?.step !== "ask" || !point.every((value) => value >= 0 && value <= 1)) return;
    now().mark = point.map((value) => Number(value.toFixed(4)));
    remember(state.round);
    mark();
  }

  startDrop(room, take);
  startPointer(find(".pn-panes"), canvas);
  let down = null;
  find(".pn-panes").addEventListener("pointerdown", (event) => { down = event; });
  find(".pn-panes").addEventListener("click", (event) => {
    const still = down && Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY) < 5;
    if (still && canvas.image && event.target.closest(".pn-canvas")) place(canvas.pointAt(event));
  });
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const cursor = () => (canvas.marks[0] ? [canvas.marks[0].x, canvas.marks[0].y] : [0.5, 0.5]);
  find(".pn-stage").addEventListener("keydown", (event) => {
    const trying = room.dataset.step === "experiment";
    const arrow = ARROWS[event.key];
    if (!["ask", "experiment"].includes(room.dataset.step) || event.target.closest("input, button")) return;
    if (!arrow && !(trying && event.key === "Enter")) return;
    event.preventDefault();
    event.stopPropagation();
    if (!arrow) return lab.click(cursor());
    const pace = event.shiftKey ? 0.05 : 0.01;
    const point = cursor().map((value, axis) => clamp(value + pace * arrow[axis], 0, 1));
    if (!trying) return place(point);
    canvas.marks = [{ x: point[0], y: point[1], colour: MARK }];
    return canvas.draw();
  });
  find(".pn-panes").addEventListener("pointerdown", () => find(".pn-stage").focus({ preventScroll: true }));

  // Nothing but the picture and the choices, for a projector; Gradio's container hides the rest.
  function project(on) {
    room.closest("#tabs").parentElement.classList.toggle("pn-projector", on);
    if (on) document.documentElement.requestFullscreen?.().catch(() => {});
    else if (document.fullscreenElement) document.exitFullscreen();
    find("[data-tool=projector]").setAttribute("aria-pressed", String(on));
    canvas.draw();
  }
  const projecting = () => room.closest(".pn-projector") !== null;
  document.addEventListener("fullscreenchange", () => {
    if (!document.fullscreenElement && projecting()) project(false);
  });

  const pick = (value) => find(`.pn-task input[value="${value}"]:not(:disabled)`)?.click();
  const tools = actionsOf(canvas, {}).filter(({ name }) => ["map", "style", "invert", "window",
    "nearer", "farther", "reset"].includes(name));
  const keys = [...tools,
    { key: "f", run: () => project(!projecting()) },
    { key: "Escape", run: () => projecting() && project(false) },
    ...["n", "p", "u"].map((key, number) => ({ key, run: () => pick(ANSWERS[number]) })),
    ...SURENESS.map((value, number) => ({ key: String(number + 1), run: () => pick(value) })),
    { key: "Enter", run: () => {
      const focused = document.activeElement;
      const pressed = focused.matches("button:not([aria-selected=true]), summary, a");
      (pressed ? focused : find(".pn-task .pn-go") ?? find(".pn-lesson-line .pn-go"))?.click();
    } }];
  startKeys(room, canvas, keys, { checked: true });
  const buttons = tools.filter(({ name }) => !["nearer", "farther"].includes(name));
  find(".pn-toolbar").append(h("div.pn-tools", {}, buttons.map(({ name, key, run }) =>
    h("button.pn-tool", { type: "button", "data-tool": name, title: `${t(`key.${name}`)} (${key})`,
      onclick: run }, t(`tools.${name}`)))),
  h("div.pn-tools.pn-end", {}, h("button.pn-tool", { type: "button", "data-tool": "projector",
    title: `${t("teach.projector.hint")} (f)`, "aria-pressed": "false",
    onclick: () => project(!projecting()) }, t("teach.projector"))));
  canvas.onchange = () => describePanes(canvas);

  // -- Start: a link, else the round of before, else the choices ------------------------------------

  server.list_sets({}).then(({ sets, sliders }) => {
    lab = startExperiment({ canvas, server, trouble, sliders, models: namesOf("all"),
      cases: () => state.sets.flatMap((set) => (set.print ? [] : set.cases)),
      send: async (one) => (await send(one, namesOf("all"), "no")).token });
    state.sets = sets.map(labelled);
    const search = new URLSearchParams(location.search);
    const allowed = { teach: sets.map(({ name }) => name).concat("folder"), n: ["10", "20"],
      model: ["all", ...usableModels().map(({ name }) => name)], cases: ["mixed", "failures"] };
    for (const [name, field] of Object.entries(LINKED)) {
      if (allowed[name].includes(search.get(name))) wish[field] = search.get(name);
    }
    let before = remembered();
    // A set may have changed since.
    const there = (one) => before.print || setOf(before.set)?.cases.some(({ id, truth }) =>
      id === one.id && truth === one.truth);
    if (!before?.cases?.every(there)) before = null;
    const linked = search.get("teach");
    const usable = setOf(linked)?.cases.length;
    if (before && (!linked || Object.values(LINKED).every((field) => before[field] === wish[field]))) {
      state.round = before;
      go();
    } else if (usable) begin();
    else {
      forget();
      if (linked) trouble(t("teach.unknown", { set: linked }));
    }
  }, (error) => {
    console.error(error);
    trouble(t("failure.offline"));
  });
}
