// The reading room: one film, its readings, and the rule that the screen never mixes two films.

function startRoom(element, server) {
  const room = element.querySelector(".pn-room");
  const viewer = new Viewer(room.querySelector(".pn-panes"));
  const answer = room.querySelector(".pn-answer");
  const visit = crypto.getRandomValues(new Uint32Array(3)).join("-");
  const state = { turn: 0, source: null, token: "", film: null, readings: [], models: "" };
  state.models = usableCards().at(-1)?.name ?? "";

  function take(source) {
    state.source = source;
    state.token = "";
    return read();
  }

  // Every request has its turn; what comes back for an older one is dropped.
  async function read() {
    const turn = ++state.turn;
    if (!state.models) return fail(t("model.none"));
    room.dataset.state = "busy";
    room.setAttribute("aria-busy", "true");
    const fresh = !state.token;
    let reply;
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
    let film, readings;
    try {
      film = reply.film ? await Viewer.prepareFilm(reply.film) : state.film;
      readings = await Promise.all(reply.readings.map(Viewer.prepareHeat));
    } catch (error) {
      console.error(error);
      if (turn === state.turn) fail(t("error.display"));
      return;
    }
    if (turn !== state.turn) return;
    Object.assign(state, { token: reply.token, film, readings });
    room.dataset.state = "ready";
    room.removeAttribute("aria-busy");
    viewer.show(film, readings);
    render();
    if (fresh) room.dataset.film = turn;
  }

  function ask(turn) {
    const data = { models: state.models, visit, turn, token: state.token };
    data.picture = state.token && state.film ? "no" : "yes";
    if (state.token) return server.read(data);
    if (state.source.film) {
      // The file goes under a name of ours: a film's own name often is the patient's.
      const film = new File([state.source.film], "film");
      return server.read({ binary: true, data: { ...data, film } });
    }
    return server.read({ ...data, example: String(state.source.example) });
  }

  function fail(reason) {
    Object.assign(state, { token: "", film: null, readings: [], source: null });
    room.dataset.state = "error";
    room.removeAttribute("aria-busy");
    viewer.show(null, []);
    answer.replaceChildren(errorOf(reason));
  }

  function refuse(reason) {
    state.turn += 1;
    fail(reason);
  }

  function render() {
    answer.replaceChildren(...state.readings.map(answerOf));
    describePanes(viewer, wordsOf);
  }

  function choose(models) {
    state.models = models;
    if (state.source) read();
  }

  room.addEventListener("click", (event) => {
    if (event.target.closest("[data-do=open]")) room.querySelector(".pn-file").click();
  });
  startIntake(room, take, refuse);
  fillGallery(room, server, take).catch((error) => console.error(error));
  room.querySelector(".pn-controls").replaceChildren(modelChoice(state.models, choose));
  answer.replaceChildren(h("p.pn-empty", {}, state.models ? t("answer.none") : t("model.none")));
}

function modelChoice(chosen, choose) {
  const options = FACTS.cards.map((card) => {
    const input = h("input", { type: "radio", name: "pn-model", value: card.name,
      checked: card.name === chosen, disabled: Boolean(card.broken),
      onchange: () => choose(card.name) });
    const reason = card.broken ? t("model.broken", { title: card.title, reason: card.broken }) : null;
    return h("label", { title: reason }, input, h("span", {}, card.title));
  });
  return h("fieldset.pn-segments", {}, h("legend", {}, t("model.title")), options);
}
