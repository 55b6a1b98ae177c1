// The reading room: one film, its readings, and the rule that the screen never mixes two films.

function startRoom(element, server) {
  const room = element.querySelector(".pn-room");
  const viewer = new Viewer(room.querySelector(".pn-panes"));
  const answer = room.querySelector(".pn-answer");
  const visit = crypto.getRandomValues(new Uint32Array(3)).join("-");
  const first = usableCards().at(-1);
  const state = { turn: 0, source: null, token: "", film: null, readings: [], examples: [] };
  const choice = {
    model: first?.name ?? "", point: "balanced", prevalence: 0.5,
    threshold: first?.points.find((point) => point.name === "balanced")?.threshold ?? 0.5,
  };

  function take(source) {
    Object.assign(state, { source, token: "", forced: false });
    // On a phone the examples are below the pictures.
    const stage = room.querySelector(".pn-stage");
    if (stage.getBoundingClientRect().top < 0) stage.scrollIntoView();
    return read();
  }

  // Every request has its turn; what comes back for an older one is dropped.
  async function read() {
    const turn = ++state.turn;
    if (!choice.model) return fail(t("model.none"));
    room.dataset.state = "busy";
    room.setAttribute("aria-busy", "true");
    let reply, shown;
    try {
      reply = await ask(turn);
      if (turn === state.turn && reply.status === "forgotten") {
        state.token = "";
        reply = await ask(turn);
      }
    } catch (error) {
      console.error(error);
      reply = { status: "error", reason: t("error.offline") };
    }
    if (turn !== state.turn) return;
    if (reply.status !== "ok") return fail(reply.reason ?? t("error.server"), reply.token);
    try {
      shown = {
        film: reply.film ? await Viewer.prepareFilm(reply.film) : state.film,
        readings: await Promise.all(reply.readings.map(Viewer.prepareHeat)),
      };
    } catch (error) {
      console.error(error);
      if (turn === state.turn) fail(t("error.display"));
      return;
    }
    if (turn !== state.turn) return;
    Object.assign(state, shown, { token: reply.token });
    settle("ready");
    viewer.show(state.film, state.readings, filmTitle());
    render();
  }

  function modelsChosen() {
    return choice.model === "all" ? usableCards().map((card) => card.name).join() : choice.model;
  }

  function ask(turn) {
    const data = { models: modelsChosen(), visit, turn, token: state.token };
    if (state.forced) data.guard = "off";
    data.picture = state.token && state.film ? "no" : "yes";
    if (state.token) return server.read(data);
    if (state.source.film) {
      // The file goes under a name of ours: a film's own name often is the patient's.
      const film = new File([state.source.film], "film");
      return server.read({ binary: true, data: { ...data, film } });
    }
    return server.read({ ...data, example: String(state.source.example) });
  }

  function settle(how) {
    room.dataset.state = how;
    room.dataset.turn = state.turn;
    room.removeAttribute("aria-busy");
  }

  // A token says that the film itself is sound and may be read all the same.
  function fail(reason, token = "") {
    Object.assign(state, { token, film: null, readings: [] });
    if (!token) state.source = null;
    settle("error");
    viewer.show(null, []);
    const force = () => {
      state.forced = true;
      read();
    };
    answer.replaceChildren(errorOf(reason, token ? force : null));
  }

  function refuse(reason) {
    state.turn += 1;
    fail(reason);
  }

  function filmTitle() {
    const example = state.examples.find(({ id }) => id === state.source.example);
    return example?.title ?? t("view.film");
  }

  function render() {
    if (!state.readings.length) return;
    answer.replaceChildren(...answersOf(state.readings, choice));
    describe();
  }

  function describe() {
    if (state.film) describePanes(viewer, (reading) => wordsOf(reading, choice));
  }

  function change(changes) {
    Object.assign(choice, changes);
    render();
  }

  function chooseModel(model) {
    choice.model = model;
    if (state.source) read();
  }

  function next(name) {
    const inputs = [...room.querySelectorAll(`input[name=${name}]:not(:disabled)`)];
    const now = inputs.findIndex((input) => input.checked);
    inputs[(now + 1) % inputs.length]?.click();
  }

  // A film of the table is shown with the network that read it there.
  function openFilm({ film, model }) {
    const option = room.querySelector(`input[name=pn-model][value="${model}"]`);
    if (option) {
      option.checked = true;
      choice.model = model;
    }
    room.querySelector(".pn-stage").focus({ preventScroll: true });
    take({ film });
  }

  const open = () => room.querySelector(".pn-file").click();
  room.querySelector("[data-do=open]").addEventListener("click", open);
  startIntake(room, take, refuse);
  document.addEventListener("pneumo-open", (event) => openFilm(event.detail));
  startPointer(room.querySelector(".pn-panes"), viewer);
  const report = startReport(room, server, () => state.readings.length && {
    models: modelsChosen(), token: state.token, guard: state.forced ? "off" : "on",
    point: choice.point, threshold: choice.threshold, prevalence: choice.prevalence,
    sign: viewer.heat.sign,
    opacity: viewer.heat.on ? viewer.heat.opacity : 0,
  });
  const refresh = startToolbar(room, viewer, {
    open, report, nextModel: () => next("pn-model"), nextPoint: () => next("pn-point"),
  });
  viewer.onchange = () => {
    refresh();
    describe();
  };
  refresh();
  fillGallery(room, server, take).then((examples) => { state.examples = examples; },
    (error) => console.error(error));
  room.querySelector(".pn-controls").replaceChildren(
    modelChoice(choice.model, chooseModel), ...pointChoice(choice, change),
    prevalenceChoice(choice, change));
  answer.replaceChildren(h("p.pn-empty", {}, first ? t("answer.none") : t("model.none")));
}
