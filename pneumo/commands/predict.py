"""pneumo predict: analyze radiographs and folders of radiographs, one record each."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from itertools import zip_longest
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from pneumo.commands.output import OutputError, free_stem, printable, refuse_inputs, stem_key
from pneumo.commands.records import Records, is_records, partial_of
from pneumo.files import cores, write_whole
from pneumo.imaging.overlay import blend, colour_layer, encode_png
from pneumo.imaging.radiograph import Radiograph
from pneumo.models.checkpoint import HUB, available_models, default_model, open_checkpoint
from pneumo.reading.decision import DEFAULT_POLICY, PRESETS, Policy
from pneumo.reading.reader import Reader, Reading

COLUMNS = (
    "path", "status", "reason", "model", "probability", "label", "confidence", "threshold",
    "operating_point", "prevalence", "rule_out", "rule_in", "strongest_zone", "warnings",
    "source", "seconds", "weights_sha256",
)  # fmt: skip
NOTHING_MORE = argparse.Namespace(heatmaps=None, dicom_out=None, keep_identifiers=False)
UNWRITTEN = "heatmap-not-written", "dicom-not-written"  # warnings
OVERLAY, EVIDENCE = ".heatmap.png", ".evidence.npy"
DICOM = (".sc.dcm", ".sr.dcm")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-command's arguments."""
    parser.set_defaults(usage_error=parser.error)
    add = parser.add_argument
    add("paths", nargs="+", metavar="PATH", help="images, or folders whose files are all analyzed")
    add_model(parser)
    add("--preset", choices=PRESETS, help=f"thresholds of the card; default: {DEFAULT_POLICY}")
    add("--threshold", type=_share, metavar="T", help="one custom threshold, 0 to 1")
    add("--rule-out", type=_share, metavar="T", help="custom: NORMAL below it")
    add("--rule-in", type=_share, metavar="T", help="custom: PNEUMONIA at or above it")
    text = "share with pneumonia among the radiographs; default: that of the training data"
    add("--prevalence", type=_prevalence, metavar="P", help=text)
    add("--no-input-check", action="store_true", help="analyze also what the check refuses")
    add("--format", choices=("table", "jsonl", "csv"), default="table", help="default: table")
    add("--output", type=Path, metavar="FILE", help="grows as FILE.partial until it is complete")
    text = "on this machine, or on the Ray cluster of RAY_ADDRESS; default: local"
    add("--engine", choices=("local", "ray"), default="local", help=text)
    text = "records of what was not analyzed go there and not to --output"
    add("--errors", type=Path, metavar="FILE", help=text)
    add("--resume", action="store_true", help="keep the records that --output has already")
    text = f"write STEM{EVIDENCE} (signed evidence) and STEM{OVERLAY} (overlay) there"
    add("--heatmaps", type=Path, metavar="DIR", help=text)
    text = f"write STEM{DICOM[0]} (overlay) and, of a DICOM file, STEM{DICOM[1]} (report) there"
    add("--dicom-out", type=Path, metavar="DIR", help=text)
    text = "copy patient and study of a DICOM file into what --dicom-out writes"
    add("--keep-identifiers", action="store_true", help=text)


def add_model(parser: argparse.ArgumentParser, default: str = "resnet18 if there") -> None:
    """Declare --model: a network of the checkpoints folder, or one on the Hugging Face Hub."""

    def known(text: str) -> str:
        if not names or text in names or text.startswith(HUB):
            return text
        raise argparse.ArgumentTypeError(f"'{text}' is none of {', '.join(names)}")

    names = available_models()
    text = f"{' or '.join(names)}, or hf://OWNER/NAME@REVISION; default: {default}"
    parser.add_argument("--model", type=known, metavar="NAME", help=text)


def run(args: argparse.Namespace) -> int:
    """Analyze everything; 0 when all images were read, 1 when some were not or there was none.

    Raises:
        CheckpointError: when there is no usable checkpoint.
        OutputError: when a result would overwrite an input, or cannot be written.
    """
    policy = _policy(args)
    if args.resume and (args.output is None or args.format == "table"):
        args.usage_error("--resume continues an --output in the format jsonl or csv")
    if args.keep_identifiers and not args.dicom_out:
        args.usage_error("--keep-identifiers belongs to --dicom-out")
    # Extras, missed before any work is done.
    if args.dicom_out:
        import highdicom  # noqa: F401
    if args.engine == "ray":
        import ray.data  # noqa: F401
    unopened: list[str] = []
    paths = list(walk(args.paths, _results_of_ours(args), unopened.append))
    for folder in unopened:
        print(f"{printable(folder)}: this folder cannot be opened.", file=sys.stderr)
    if not paths:
        named = ", ".join(map(printable, args.paths))
        print(f"pneumo predict: there is no file in {named}.", file=sys.stderr)
        return 1
    columns = COLUMNS + (("heatmap",) if args.heatmaps else ())
    records = errors = Records(args.format, args.output, columns, args.resume)
    if args.errors:
        errors = Records(args.format, args.errors, columns, args.resume)
    both = dict.fromkeys((records, errors))  # one, unless errors go apart
    todo = [path for path in paths if not any(one.has(path) for one in both)]
    # Names of heatmaps that an earlier run has written are not given again.
    earlier = [str(r.get("heatmap") or "").removesuffix(EVIDENCE) for r in records.earlier()]
    if args.resume and args.dicom_out and args.dicom_out.is_dir():
        earlier += [path.name.removesuffix(DICOM[0]) for path in args.dicom_out.iterdir()]
    taken = set(map(stem_key, earlier))
    stems: list[str] = []
    if args.heatmaps or args.dicom_out:
        stems = [free_stem(Path(path).stem, taken, EVIDENCE) for path in todo]
    targets = _own_files(args)
    if args.heatmaps:
        targets += [args.heatmaps / (stem + end) for stem in stems for end in (EVIDENCE, OVERLAY)]
    if args.dicom_out:
        targets += [args.dicom_out / (stem + end) for stem in stems for end in DICOM]
    refuse_inputs(targets, paths)
    model = args.model or default_model()
    threads = 1 if len(todo) > 1 else None
    reader = Reader(
        model, policy, args.prevalence, input_check=not args.no_input_check, threads=threads
    )
    unread = sum(_unread_of_ours(record, one, reader) for one in both for record in one.earlier())
    for folder in filter(None, (args.heatmaps, args.dicom_out)):
        folder.mkdir(parents=True, exist_ok=True)

    failed = bool(unopened)
    with ExitStack() as stack:
        for one in both:
            stack.enter_context(one)
        if args.engine == "ray":
            from pneumo.commands import predict_ray

            found = predict_ray.analyze_all(todo, model, reader, args, stems)
        else:
            found = analyze_all(todo, reader, args, stems)
        shown = tqdm(found, total=len(todo), unit="image", delay=2, disable=None, file=sys.stderr)
        for record in shown:
            (records if record["status"] == "ok" else errors).write(record)
            unread += record["status"] != "ok"
            failed |= any(warning in record["warnings"] for warning in UNWRITTEN)
    if args.format == "table" and len(paths) != 1:
        print(f"{len(paths) - unread} of {len(paths)} read.", file=sys.stderr)
    return 1 if failed or unread else 0


def analyze_all(
    paths: Sequence[str],
    reader: Reader,
    args: argparse.Namespace = NOTHING_MORE,
    stems: Sequence[str] = (),
) -> Iterator[dict]:
    """The records of images in their order; while some are decoded, others are analyzed."""
    with ThreadPoolExecutor(2 * cores()) as pool:
        waiting: deque[Future[dict]] = deque()
        try:
            for path, stem in zip_longest(paths, stems, fillvalue=""):
                waiting.append(pool.submit(analyze, path, reader, args, stem))
                if len(waiting) > 4 * cores():
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def analyze(path: str, reader: Reader, args: argparse.Namespace, stem: str) -> dict:
    """The record of one image, whatever happens; what was asked for beside it is written."""
    try:
        radiograph, reading = reader.examine(path)
    except Exception as error:  # of ours; the other images are analyzed all the same
        reason = f"This image could not be analyzed: {type(error).__name__} in Pneumo."
        weights = reader.checkpoint.weights_sha256
        radiograph, reading = None, Reading("", reader.name, weights, "error", reason)
    named = [check.name for check in reading.checks if check.outcome != "passed"]
    record = {"path": path, **reading.record()}
    if args.heatmaps:
        record["heatmap"] = None
    if radiograph is not None and reading.ok:
        try:
            writing, warning = "heatmap", UNWRITTEN[0]
            if args.heatmaps:
                found = write_heatmap(args.heatmaps, stem, radiograph, reading, reader)
                record["heatmap"] = found
            writing, warning = "DICOM objects", UNWRITTEN[1]
            if args.dicom_out:
                write_dicom(args.dicom_out / stem, path, radiograph, reading, reader, args)
        except (OSError, ValueError, TypeError) as error:
            if not isinstance(error, OSError) and not args.keep_identifiers:
                raise
            named.append(warning)
            why = getattr(error, "strerror", None) or "what it says of the patient is not valid"
            reason = f"its {writing} could not be written: {why}."
            print(f"{printable(path)}: {reason}", file=sys.stderr)
    record["warnings"] = " ".join(named)
    return record


def walk(
    paths: list[str],
    leave_out: Callable[[str], bool] = lambda path: False,
    unopened: Callable[[str], None] = lambda folder: None,
) -> Iterator[str]:
    """Files as given, and every file below folders, sorted, without hidden ones and those to
    `leave_out`; `unopened` is called for each folder that cannot be opened."""
    for path in paths:
        if not os.path.isdir(path):
            yield path
            continue
        for folder, folders, files in os.walk(
            path, onerror=lambda error: unopened(str(error.filename))
        ):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(files):
                found = os.path.join(folder, name)
                if not name.startswith(".") and not leave_out(found):
                    yield found


def write_heatmap(
    folder: Path, stem: str, radiograph: Radiograph, reading: Reading, reader: Reader
) -> str:
    """Write STEM.evidence.npy, then STEM.heatmap.png, and give the name of the first.

    The array is float32, (H, W) of the image: the reading's evidence in units of the logit,
    interpolated bilinearly. The picture is the radiograph under the evidence for pneumonia.
    """
    height, width = radiograph.pixels.shape
    assert reading.evidence is not None
    evidence = cv2.resize(reading.evidence, (width, height), interpolation=cv2.INTER_LINEAR)
    stream = io.BytesIO()
    np.save(stream, evidence)
    write_whole(folder / (stem + EVIDENCE), stream.getvalue())
    layer = colour_layer(reading.evidence, (height, width), reader.card.evidence.scale)
    write_whole(folder / (stem + OVERLAY), encode_png(blend(radiograph.pixels, layer)))
    return stem + EVIDENCE


def write_dicom(
    target: Path,
    path: str,
    radiograph: Radiograph,
    reading: Reading,
    reader: Reader,
    args: argparse.Namespace,
) -> None:
    """Write the reading's DICOM objects beside `target`, with the source's identifiers if asked."""
    from pneumo.reporting.dicom_out import objects, read_identifiers

    source = None
    if args.keep_identifiers and radiograph.source.startswith("DICOM"):
        source = read_identifiers(Path(path).read_bytes())
    for ending, content in objects(radiograph, reading, reader.card, source).items():
        write_whole(target.with_name(target.name + ending), content)


def _results_of_ours(args: argparse.Namespace) -> Callable[[str], bool]:
    """Tells results of an earlier run, that lie where this one's go, from images to be read."""
    outputs = {os.path.realpath(path) for path in _own_files(args) if is_records(path)}
    heatmaps, dicoms = (
        os.path.realpath(folder) if folder else None for folder in (args.heatmaps, args.dicom_out)
    )

    def is_result(path: str) -> bool:
        if os.path.realpath(path) in outputs:
            return True
        folder, name = os.path.split(path)
        if name.endswith(DICOM) and os.path.realpath(folder or ".") == dicoms:
            return True
        if heatmaps is None or os.path.realpath(folder or ".") != heatmaps:
            return False
        # An overlay is written after its evidence.
        for ending in (EVIDENCE, OVERLAY):
            if name.endswith(ending):
                return _is_array(os.path.join(folder, name.removesuffix(ending) + EVIDENCE))
        return False

    return is_result


def _own_files(args: argparse.Namespace) -> list[Path]:
    """The files of records, and what they are called until they are complete."""
    named = [path for path in (args.output, args.errors) if path]
    return [*named, *map(partial_of, named)]


def _is_array(path: str) -> bool:
    try:
        with open(path, "rb") as stream:
            return stream.read(6) == b"\x93NUMPY"
    except OSError:
        return False


def _unread_of_ours(record: dict, records: Records, reader: Reader) -> bool:
    """Whether an earlier record is of an image that was not analyzed; an OutputError unless the
    same weights made it, with the same decision."""
    at = reader.policy.at(reader.prevalence)
    weights = {"model": reader.name, "weights_sha256": reader.checkpoint.weights_sha256}
    decision = {
        "operating_point": at.name,
        "prevalence": reader.prevalence,
        "rule_out": at.rule_out,
        "rule_in": at.rule_in,
    }
    expected = weights | decision if record.get("status") == "ok" else weights
    for name, value in expected.items():
        if str(record.get(name)) != str(value):
            raise OutputError(
                f"{printable(str(records.output))} holds results of another model or another "
                f"decision ({name}). Please name another --output."
            )
    return record.get("status") != "ok"


def _policy(args: argparse.Namespace) -> str | Policy:
    """The decision asked for; custom thresholds are given at the prevalence."""
    pair = (args.rule_out, args.rule_in)
    given = sum((args.preset is not None, args.threshold is not None, pair != (None, None)))
    if given > 1:
        args.usage_error("--preset, --threshold and the pair --rule-out, --rule-in exclude another")
    if args.threshold is not None:
        pair = (args.threshold, args.threshold)
    if pair == (None, None):
        return args.preset or DEFAULT_POLICY
    if None in pair:
        args.usage_error("--rule-out and --rule-in belong together")
    if pair[0] > pair[1]:
        args.usage_error("--rule-out must not be above --rule-in")
    prevalence = args.prevalence
    if prevalence is None:
        prevalence = open_checkpoint(args.model or default_model()).card.prevalence
    return Policy.custom(*pair, prevalence)


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError(f"'{text}' is no number from 0 to 1")
    return value


def _prevalence(text: str) -> float:
    value = _share(text)
    if value in (0.0, 1.0):
        raise argparse.ArgumentTypeError("it must be above 0 and below 1")
    return value
