"""`predict --engine ray`: the same records from the processors of a Ray cluster (Ray Data)."""

from __future__ import annotations

import argparse
import itertools
import json
import logging
import os
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import ray
import ray.data

from pneumo.commands.predict import NOTHING_MORE, analyze
from pneumo.reading.decision import Policy
from pneumo.reading.reader import Reader

BATCH = 16  # images of one task, which is done again when its worker has died


def analyze_all(
    paths: Sequence[str],
    model: str,
    reader: Reader,
    args: argparse.Namespace,
    stems: Sequence[str] = (),
) -> Iterator[dict]:
    """The records of images in their order; each worker process loads `model` once.

    The cluster is that of RAY_ADDRESS, or this machine's processors. Its workers see the same
    paths. What a worker did not finish is done by another one.
    """
    options = model, reader.policy, reader.prevalence, reader.refuses
    beside = {name: getattr(args, name) for name in vars(NOTHING_MORE)}
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # else it tells its makers
    try:
        ray.init(log_to_driver=False, logging_level=logging.ERROR)
    except Exception as error:  # Ray raises many kinds, a plain Exception too
        where = os.environ.get("RAY_ADDRESS") or "this machine"
        raise ConnectionError(f"Ray does not start or answer at {where}: {error}") from None
    try:
        context = ray.data.DataContext.get_current()
        context.execution_options.preserve_order = True
        context.enable_progress_bars = False
        named = itertools.zip_longest(paths, stems, fillvalue="")
        # As bytes: a name need not be UTF-8.
        rows = [{"path": os.fsencode(path), "stem": os.fsencode(stem)} for path, stem in named]
        batches = ray.data.from_items(rows, override_num_blocks=-(-len(rows) // BATCH))
        logging.getLogger("ray.data").setLevel(logging.ERROR)  # which the first dataset has set
        work: Any = analyze_batch  # Ray's type knows no further arguments
        found = batches.map_batches(work, num_cpus=1, fn_args=(options, beside))
        for row in found.iter_rows():
            yield json.loads(row["record"])
    finally:
        ray.shutdown()


def analyze_batch(batch: dict, options: tuple, beside: dict) -> dict:
    """Records, as JSON, of the images in a batch of columns "path" and "stem"."""
    reader, args = _reader(*options), argparse.Namespace(**beside)
    named = zip(map(os.fsdecode, batch["path"]), map(os.fsdecode, batch["stem"]), strict=True)
    records = [analyze(path, reader, args, stem) for path, stem in named]
    return {"record": [json.dumps(record) for record in records]}


@cache
def _reader(model: str, policy: Policy, prevalence: float, input_check: bool) -> Reader:
    return Reader(model, policy, prevalence, input_check=input_check, threads=1)
