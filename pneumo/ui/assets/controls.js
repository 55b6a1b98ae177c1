// The choices: model, decision preset, custom thresholds, prevalence. What they mean is the
// server's business; a field that it cannot use gets its sentence.

function segments(name, title, options, chosen, choose) {
  const labels = options.map(({ value, label, hint, disabled }) =>
    h("label", { title: hint ?? null },
      h("input", { type: "radio", name, value, checked: value === chosen, disabled,
        onchange: () => choose(value) }),
      h("span", {}, label)));
  return h("fieldset.pn-segments", {}, h("legend", {}, title), h("div", {}, labels));
}

// The controls of a tab; `change(what)` is called with "model", "policy" or "prevalence" once
// `choice` has changed. `prefix` keeps the groups of two tabs apart.
class Controls {
  constructor(host, prefix, change) {
    this.change = change;
    const first = usableModels().find(({ name }) => name === FACTS.default) ?? usableModels()[0];
    this.choice = { model: first?.name ?? "", policy: "balanced", prevalence: "", custom: null };
    this.accepted = { ...this.choice };
    this.ends = ["rule_out", "rule_in"].map((name) => this._number(name, t(`policy.${name}`)));
    this.prevalence = this._number("prevalence", t("prevalence.title"), t("prevalence.hint"));
    this.custom = h("div.pn-custom", { hidden: true }, this.ends);
    this.errors = { policy: h("p.pn-wrong", { role: "alert" }),
      prevalence: h("p.pn-wrong", { role: "alert" }) };
    const models = FACTS.models.map((model) => ({
      value: model.name, label: model.title, disabled: Boolean(model.broken),
      hint: model.broken ? t("model.broken") : null,
    }));
    const usable = usableModels();
    if (usable.length > 1) {
      const label = usable.length === 2 ? t("model.both") : t("model.all");
      models.push({ value: "all", label, hint: t("model.all.hint") });
    }
    const policies = FACTS.policies.map((value) =>
      ({ value, label: t(`policy.${value}`), hint: t(`policy.${value}.hint`) }));
    host.replaceChildren(
      segments(`${prefix}-model`, t("model.title"), models, this.choice.model,
        (model) => this._set("model", { model })),
      h("div.pn-policy", {}, segments(`${prefix}-policy`, t("policy.title"), policies,
        this.choice.policy, (policy) => this._policy(policy)), this.custom, this.errors.policy),
      h("div.pn-prior", {}, this.prevalence, this.errors.prevalence));
    if (first) this._show(first.numbers);
  }

  // Names of the models chosen, with commas between them.
  models() {
    return this.choice.model === "all"
      ? usableModels().map(({ name }) => name).join() : this.choice.model;
  }

  // The fields of a request.
  fields() {
    const { policy, prevalence, custom } = this.choice;
    return { models: this.models(), policy, prevalence, ...(policy === "custom" ? custom : {}) };
  }

  // What the server said: thresholds and prevalence in numbers, or the field that is wrong. A
  // wrong one is not sent again.
  settle({ field, reason, numbers }) {
    for (const [name, place] of Object.entries(this.errors)) {
      place.textContent = field === name ? reason : "";
    }
    if (field) this.choice = { ...this.accepted, model: this.choice.model };
    if (!numbers) return;
    this.accepted = { ...this.choice };
    this._show(numbers);
  }

  _show(numbers) {
    this.prevalence.querySelector("input").placeholder = numbers.prevalence;
    for (const end of this.ends) {
      const input = end.querySelector("input");
      if (input !== document.activeElement) input.value = numbers[input.name];
    }
  }

  _set(what, changes) {
    Object.assign(this.choice, changes);
    this.change(what);
  }

  _policy(policy) {
    this.custom.hidden = policy !== "custom";
    if (policy === "custom") this._readCustom();
    this._set("policy", { policy });
  }

  // Thresholds hold at the prevalence at which they were typed, so that labels never follow it.
  _readCustom() {
    const [rule_out, rule_in] = this.ends.map((end) => end.querySelector("input").value);
    this.choice.custom = { rule_out, rule_in, at: this.choice.prevalence };
  }

  _number(name, title, hint) {
    const input = h("input", { type: "text", inputmode: "decimal", name, maxlength: 8,
      autocomplete: "off",
      onchange: () => {
        if (name === "prevalence") this._set("prevalence", { prevalence: input.value });
        else {
          this._readCustom();
          this._set("policy", {});
        }
      } });
    return h("label.pn-entry", { title: hint ?? null },
      h("span", {}, title), input, h("span", {}, "%"));
  }
}
