#!/usr/bin/env python3
"""Checks exported models with the ONNX checker and compares onnxruntime's outputs with Neurona's.

    pip install onnx==1.23.2 onnxruntime==1.32.0
    cargo run --release -p neurona-onnx --example export_all -- FOLDER
    .ci/onnx_check.py FOLDER

A difference is measured by max |a - b| / max(1, max |b|) of each output, since a gradient or a loss may be large.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

TOLERANCE = 1e-5


def compare(folder, session):
    """The largest difference of one batch."""
    feeds = {x.name: np.load(folder / f"input_{k}.npy") for k, x in enumerate(session.get_inputs())}
    worst = 0.0
    for k, got in enumerate(session.run(None, feeds)):
        want = np.load(folder / f"output_{k}.npy")
        if got.shape != want.shape:
            raise ValueError(f"output {k}: shape {got.shape}, expected {want.shape}")
        got = got.astype(np.float64)
        if not np.array_equal(np.isnan(got), np.isnan(want)):
            raise ValueError(f"output {k}: NaN where Neurona has none, or the other way round")
        same = (got == want) | np.isnan(want)
        off = np.max(np.where(same, 0.0, np.abs(got - want)), initial=0.0) / max(1.0, np.max(np.abs(want), initial=0.0, where=np.isfinite(want)))
        if not off <= TOLERANCE:
            raise ValueError(f"output {k}: differs by {off:.1e}")
        worst = max(worst, off)
    return worst


def check(folder):
    """The largest difference over all batches, and the operators of the file."""
    path = folder / "model.onnx"
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    batches = sorted((f for f in folder.iterdir() if f.is_dir()), key=lambda f: int(f.name))
    return max(compare(batch, session) for batch in batches), [n.op_type for n in model.graph.node]


def main():
    folders = sorted(path.parent for path in Path(sys.argv[1]).glob("*/model.onnx"))
    if not folders:
        sys.exit(f"no models in {sys.argv[1]}: run the example export_all first")
    failed, worst = 0, 0.0
    for folder in folders:
        try:
            off, ops = check(folder)
            worst = max(worst, off)
            print(f"ok      {folder.name:24} {off:.1e}  {' '.join(ops[:14])}{' …' if len(ops) > 14 else ''}")
        except Exception as e:  # any failure of the checker or the runtime is a failure of the export
            failed += 1
            print(f"FAILED  {folder.name:24} {type(e).__name__}: {str(e)[:600]}")
    print(f"{len(folders) - failed} of {len(folders)} models pass; largest difference {worst:.1e}")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
