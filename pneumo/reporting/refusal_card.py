"""The model card's refusal table, from what `guard fit` measured and stored beside the weights."""

from __future__ import annotations

from pathlib import Path

from pneumo.reading.input_check import measured_refusals


def refusal_section(name: str, weights_sha256: str, folder: Path | None = None) -> str:
    """What the guard of a network does with pictures it never saw, as Markdown; "" without one."""
    measured = measured_refusals(name, weights_sha256, folder)
    if not measured:
        return ""
    lines = [
        "### What the guard refuses",
        "",
        "AUROC of chest against not chest, on pictures it was not fitted on: "
        f"{measured['auroc']:.4f}. Refused means no answer; warned means read with a named "
        "warning.",
        "",
        "| kind of picture | change | n | refused | warned | read |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in measured["table"]:
        change = "" if row["change"] == "plain" else row["change"]
        counts = " | ".join(str(row[key]) for key in ("n", "refused", "warned", "read"))
        lines.append(f"| {row['kind']} | {change} | {counts} |")
    return "\n".join(lines)
