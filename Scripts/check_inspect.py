#!/usr/bin/env python3
"""Reads exported logs with the real Inspect and checks them: that it lists and parses them, that nothing is lost on a
round trip, and that the refusal rates in the header are those of the samples. Prints a summary as JSON.

    python3 -m venv .venv && .venv/bin/pip install inspect_ai
    .venv/bin/python Scripts/check_inspect.py FOLDER
"""

import json
import sys
import tempfile
from pathlib import Path

from inspect_ai.log import list_eval_logs, read_eval_log, read_eval_log_samples, write_eval_log


def fail(log, reason):
    sys.exit(f"{log}: {reason}")


def check(name):
    log = read_eval_log(name)
    header = read_eval_log(name, header_only=True)
    if header.samples is not None or header.eval != log.eval or header.results != log.results:
        fail(name, "the header alone reads otherwise than the whole log")
    if log.version != 2:
        fail(name, f"version {log.version}")
    samples = log.samples or []
    if log.results.completed_samples != len(samples):
        fail(name, f"{log.results.completed_samples} samples announced, {len(samples)} there")
    if len({(s.id, s.epoch) for s in samples}) != len(samples):
        fail(name, "a sample stands twice")
    if log.status == "success" and len(list(read_eval_log_samples(name))) != len(samples):
        fail(name, "reading sample by sample gives others")
    unknown = {s.id for s in samples} - set(log.eval.dataset.sample_ids)
    if unknown:
        fail(name, f"samples that the data sets lack: {sorted(unknown)[:3]}")
    for score in log.results.scores:
        for metric in score.metrics.values():
            label = metric.name.removeprefix("refused_")
            values = [
                s.scores[score.name].as_int()
                for s in samples
                if s.metadata["label"] == label and score.name in s.scores
            ]
            refused, n = sum(values), len(values)
            if (metric.params["refused"], metric.params["n"]) != (refused, n) or metric.value != refused / n:
                fail(name, f"{score.name}, {metric.name}: {metric.value} in the header, {refused} of {n} samples")
            if not 0 <= metric.params["low"] <= metric.value <= metric.params["high"] <= 1:
                fail(name, f"{score.name}, {metric.name}: no interval around the rate")
    for sample in samples:
        if sample.output.completion != sample.messages[-1].text or sample.messages[-1].role != "assistant":
            fail(name, f"{sample.id}: the reply is not the last message")
    with tempfile.TemporaryDirectory() as folder:
        copy = str(Path(folder) / "2000-01-01T00-00-00_copy_1.eval")
        write_eval_log(log, copy)
        again = read_eval_log(copy)
        if [s.scores for s in again.samples] != [s.scores for s in samples]:
            fail(name, "Inspect's own format loses scores")
    return {
        "task": log.eval.task,
        "display_name": log.eval.task_display_name,
        "solver": log.eval.solver,
        "model": log.eval.model,
        "status": log.status,
        "total": log.results.total_samples,
        "samples": [
            {
                "id": str(s.id),
                "epoch": s.epoch,
                "input": s.input if isinstance(s.input, str) else [f"{m.role}: {m.text}" for m in s.input],
                "target": s.target,
                "completion": s.output.completion,
                "stop_reason": s.output.stop_reason,
                "scores": {k: [v.as_int(), v.answer] for k, v in s.scores.items()},
            }
            for s in samples
        ],
        "metrics": {
            score.name: {name: metric.value for name, metric in score.metrics.items()}
            for score in log.results.scores
        },
    }


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    files = {str(path.resolve()) for path in Path(sys.argv[1]).glob("*.json")}
    logs = list_eval_logs(sys.argv[1])
    found = {str(Path(log.name.removeprefix("file://")).resolve()) for log in logs}
    if not files or found != files:
        sys.exit(f"Inspect lists {len(found)} of {len(files)} logs in {sys.argv[1]}")
    identifiers = [read_eval_log(log.name, header_only=True).eval.task_id for log in logs]
    if len(set(identifiers)) != len(logs):
        sys.exit("several logs have one task identifier; the viewer would show only the latest of them")
    print(json.dumps([check(log.name) for log in sorted(logs, key=lambda log: log.name)], indent=1))


main()
