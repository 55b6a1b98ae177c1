// The reading room: one film, its readings, and the rule that the screen never mixes two films.

function startRoom(element, server) {
  const room = element.querySelector(".pn-room");
  const viewer = new Viewer(room.querySelector(".pn-panes"));
  const answer = room.querySelector(".pn-answer");
  const visit = crypto.getRandomValues(new Uint32Array(3)).join("-");
  const first = usableCards().at(-1);
  const state = { turn: 0, source: null, token: "", film: null, readings: [] };
  const choice = {
    model: first?.name ?? "", point: "balanced", prevalence: 0.5,
    threshold: first?.points.find((point) => point.name === "balanced")?.threshold ?? 0.5,
  };

  function take(source) {
    state.source = source;
    state.token = "";
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
    if (reply.status !== "ok") return fail(reply.reason ?? t("error.server"));
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
    viewer.show(state.film, state.readings);
    render();
  }

  function ask(turn) {
    const models = choice.model === "all" ? usableCards().map((card) => card.name).join()
      : choice.model;
    const data = { models, visit, turn, token: state.token };
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

  function fail(reason) {
    Object.assign(state, { token: "", film: null, readings: [], source: null });
    settle("error");
    viewer.show(null, []);
    answer.replaceChildren(errorOf(reason));
  }

  function refuse(reason) {
    state.turn += 1;
    fail(reason);
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

  function nextModel() {
    const inputs = [...room.querySelectorAll("input[name=pn-model]:not(:disabled)")];
    const now = inputs.findIndex((input) => input.checked);
    inputs[(now + 1) % inputs.length]?.click();
  }

  const open = () => room.querySelector(".pn-file").click();
  room.querySelector("[data-do=open]").addEventListener("click", open);
  startIntake(room, take, refuse);
  startPointer(room.querySelector(".pn-panes"), viewer);
  const refresh = startToolbar(room, viewer, { open, nextModel });
  viewer.onchange = () => {
    refresh();
    describe();
  };
  refresh();
  fillGallery(room, server, take).catch((error) => console.error(error));
  room.querySelector(".pn-controls").replaceChildren(
    modelChoice(choice.model, chooseModel), ...pointChoice(choice, change),
    prevalenceChoice(choice, change));
  answer.replaceChildren(h("p.pn-empty", {}, first ? t("answer.none") : t("model.none")));
}
