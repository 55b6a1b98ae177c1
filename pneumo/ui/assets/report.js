// The report's dialog: a comment, and the page as PDF or PNG.

// what() gives the fields of the request, or nothing while there is no reading.
function startReport(room, server, what) {
  const comment = h("textarea", { rows: 5, maxlength: 1500, id: "pn-comment" });
  const says = h("p.pn-report-says", { role: "status" });
  const save = (kind, type) => async () => {
    const wish = what();
    if (!wish) return;
    says.textContent = t("report.busy");
    try {
      const reply = await server.print_report({ ...wish, comment: comment.value });
      says.textContent = reply.error ?? "";
      if (reply.error) return;
      const link = h("a", { download: `pneumo-report.${kind}`,
        href: URL.createObjectURL(new Blob([bytesOf(reply[kind])], { type })) });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    } catch (error) {
      console.error(error);
      says.textContent = t("error.offline");
    }
  };
  const dialog = h("dialog.pn-help.pn-report", { "aria-label": t("report.dialog") },
    h("h2", {}, t("report.dialog")),
    h("label", { for: "pn-comment" }, t("report.comment")), comment,
    h("p.pn-report-hint", {}, t("report.comment.hint")), says,
    h("div.pn-report-buttons", {},
      h("button.pn-button", { type: "button", "data-report": "pdf",
        onclick: save("pdf", "application/pdf") }, t("report.pdf")),
      h("button.pn-button", { type: "button", "data-report": "png",
        onclick: save("png", "image/png") }, t("report.png")),
      h("button.pn-button", { type: "button", onclick: () => dialog.close() }, t("help.close"))));
  room.append(dialog);
  return () => {
    if (what()) dialog.showModal();
  };
}
