#!/usr/bin/env python3
"""Checks that TensorBoard reads the event files that the example `tensorboard` writes.

    pip install tensorboard==2.21.0
    cargo run -p neurona --example tensorboard -- FOLDER > LOSSES
    .ci/tensorboard_check.py FOLDER LOSSES
"""
import sys
from pathlib import Path

import numpy
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def read(folder):
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0, "histograms": 0})
    events.Reload()
    return events


def check(what, got, want):
    if got != want:
        sys.exit(f"{what}: TensorBoard reads {got}, expected {want}")
    print(f"ok  {what}")


def main():
    folder, lines = sys.argv[1], Path(sys.argv[2]).read_text().split("\n")
    losses = [(int(e), float(numpy.float32(x))) for e, x in (line.split() for line in lines if line)]

    known = read(Path(folder, "known"))
    check("file version", known.file_version, 2.0)
    check("tags", (known.Tags()["scalars"], known.Tags()["histograms"]), (["square"], ["ramp"]))
    check("scalars", [(e.step, e.value) for e in known.Scalars("square")], [(s, s * s / 4) for s in range(5)])
    for event in known.Histograms("ramp"):
        h, top = event.histogram_value, event.step + 1
        check(f"histogram of step {event.step}", (h.min, h.max, h.num, sum(h.bucket)), (0.0, top, 101.0, 101.0))
        values = numpy.arange(101, dtype=numpy.float32) / numpy.float32(100) * numpy.float32(top)
        counts, edges = numpy.histogram(values.astype(float), bins=30, range=(0, top))
        check("  its limits", numpy.allclose(h.bucket_limit, edges[1:], rtol=1e-12), True)
        # A value on an edge may fall to either side by rounding.
        check("  its counts", bool(numpy.abs(numpy.cumsum(h.bucket) - numpy.cumsum(counts)).max() <= 1), True)

    training = read(Path(folder, "training"))
    check("losses of the training", [(e.step, e.value) for e in training.Scalars("loss/train")], losses)
    tags = {"loss/train", "loss/validation", "binary_accuracy/train", "binary_accuracy/validation", "learning_rate", "seconds"}
    check("tags of the training", set(training.Tags()["scalars"]), tags)
    weights = {f"dense_{i}/{name}" for i in (1, 2) for name in ("weight", "bias")}
    check("histograms of the training", set(training.Tags()["histograms"]), weights)


if __name__ == "__main__":
    main()
