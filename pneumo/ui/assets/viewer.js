// The first tab: one image, its results, and the rule that the screen never mixes two images.

function startViewer(element, server) {
  const room = element.querySelector(".pn-room");
  const canvas = new Canvas(room.querySelector(".pn-panes"));
  const card = room.querySelector(".pn-answer");
  const visit = crypto.getRandomValues(new Uint32Array(3)).join("-");
  const state = { turn: 0, source: null, token: "", image: null, reply: null, examples: [],
    list: [], at: 0 }; // the list that the image came from, and its place there
  const controls = new Controls(room.querySelector(".pn-controls"), "pn", (what) => {
    if (state.source) analyze(what !== "model");
    else server.analyze(controls.fields()).then((reply) => controls.settle(reply), console.error);
  });

  function take(source, list = [], at = 0) {
    Object.assign(state, { source, token: "", forced: false, list, at });
    showWalk();
    if (source.image && tooLarge(source.image.size)) return refuse(tooLarge(source.image.size));
    // On a phone the examples are below the images.
    const stage = room.querySelector(".pn-stage");
    if (stage.getBoundingClientRect().top < 0) stage.scrollIntoView();
    return analyze();
  }

  // Every request has its turn; what comes back for an older one is dropped. `again` asks for
  // words only: the image and the models stay.
  async function analyze(again = false) {
    const turn = ++state.turn;
    if (!controls.choice.model) return fail(t("model.none"));
    const words = again && room.dataset.state === "ready";
    if (!words) {
      room.dataset.state = "busy";
      room.setAttribute("aria-busy", "true");
    }
    let reply;
    try {
      reply = await ask(words);
      if (turn === state.turn && reply.status === "forgotten") {
        state.token = "";
        reply = await ask(words);
      }
    } catch (error) {
      console.error(error);
      reply = { status: "error", reason: t("failure.offline") };
    }
    if (turn !== state.turn) return;
    controls.settle(reply);
    if (reply.status === "invalid" && words) return;
    try {
      await show(reply, turn, words);
    } catch (error) {
      console.error(error);
      if (turn === state.turn) fail(t("failure.display"));
    }
  }

  async function show(reply, turn, words) {
    const image = reply.image ? await Canvas.prepareImage(reply.image) : state.image;
    if (turn !== state.turn) return;
    if (reply.status !== "ok") {
      fail(reply.reason ?? t("failure.server"), reply.token, image);
      return;
    }
    if (words) {
      canvas.update(reply.results);
    } else {
      const maps = await Promise.all(reply.maps.map(Canvas.prepareMap));
      if (turn !== state.turn) return;
      canvas.show(image, reply.results, maps, reply.lungs, imageTitle());
    }
    const open = Boolean(card.querySelector("details[open]"));
    Object.assign(state, { image, reply, token: reply.token });
    document.pneumoToken = reply.token; // for an experiment on it
    settle("ready");
    card.replaceChildren(...cardOf(reply, open, report));
  }

  function ask(words) {
    const data = { ...controls.fields(), visit, turn: state.turn, token: state.token,
      check: state.forced ? "off" : "on", pictures: words ? "no" : "yes" };
    if (state.token) return server.analyze(data);
    if (state.source.image) {
      // The file goes under a name of ours: a file's own name often is the patient's.
      const image = new File([state.source.image], "image");
      return server.analyze({ binary: true, data: { ...data, image } });
    }
    return server.analyze({ ...data, example: String(state.source.example) });
  }

  function settle(how) {
    room.dataset.state = how;
    room.dataset.turn = state.turn;
    room.removeAttribute("aria-busy");
  }

  // With a token the image itself is sound: it is shown, and can be analyzed all the same.
  function fail(reason, token = "", image = null) {
    Object.assign(state, { token, image: token ? image : null, reply: null });
    if (!token) state.source = null;
    settle(token ? "refused" : "error");
    canvas.show(state.image, [], [], [], token ? imageTitle() : "");
    const force = () => {
      state.forced = true;
      analyze();
    };
    card.replaceChildren(errorOf(reason, token ? force : null));
  }

  function refuse(reason) {
    state.turn += 1;
    fail(reason);
  }

  function imageTitle() {
    const example = state.examples.find(({ id }) => id === state.source.example);
    return example?.title ?? state.list[state.at]?.name ?? t("view.image");
  }

  function next(name) {
    const inputs = [...room.querySelectorAll(`input[name=pn-${name}]:not(:disabled)`)];
    inputs[(inputs.findIndex((input) => input.checked) + 1) % inputs.length]?.click();
  }

  async function openAt(list, at) {
    if (!list[at]) return;
    Object.assign(state, { list, at });
    const image = await list[at].content().catch(() => new Blob()); // of a damaged zip
    if (state.list === list && state.at === at) take({ image }, list, at);
  }

  const [back, on] = [["previous", "‹", -1], ["next", "›", 1]].map(([name, sign, step]) =>
    h("button.pn-tool", { type: "button", "aria-label": t(`key.${name}`), title: t(`key.${name}`),
      onclick: () => walk(step) }, sign));
  const place = h("span");
  room.querySelector(".pn-walk").append(back, place, on);
  const walk = (step) => openAt(state.list, state.at + step);
  function showWalk() {
    const { list, at } = state;
    room.dataset.walk = list.length > 1 ? "yes" : "no";
    place.textContent = t("walk.at", { number: at + 1, total: list.length });
    [back.disabled, on.disabled] = [!list[at - 1], !list[at + 1]];
  }

  // An image of the table is shown with the model that analyzed it there.
  function openImage({ list, at, model }) {
    const option = room.querySelector(`input[name=pn-model][value="${model}"]`);
    if (option) {
      option.checked = true;
      controls.choice.model = model;
    }
    room.querySelector(".pn-stage").focus({ preventScroll: true });
    openAt(list, at);
  }

  const open = () => room.querySelector(".pn-file").click();
  room.querySelector("[data-do=open]").addEventListener("click", open);
  startIntake(room, take, refuse);
  document.addEventListener("pneumo-open", (event) => openImage(event.detail));
  startPointer(room.querySelector(".pn-panes"), canvas);
  const report = startReport(room, server, () => state.reply && {
    ...controls.fields(), token: state.token, check: state.forced ? "off" : "on",
    sign: canvas.map.sign, opacity: canvas.map.opacity,
    drawn: canvas.panes.filter((pane) => canvas.mapOn(pane)).map(({ result }) => result.model).join(),
  });
  const refresh = startToolbar(room, canvas, {
    open, report, walk, nextModel: () => next("model"), nextPolicy: () => next("policy"),
  });
  canvas.onchange = () => {
    refresh();
    describePanes(canvas);
  };
  refresh();
  fillGallery(room, server, take).then((examples) => { state.examples = examples; },
    (error) => console.error(error));
  const none = controls.choice.model ? t("result.none") : t("model.none");
  card.replaceChildren(h("p.pn-empty", {}, none));
  openByLink();
}
