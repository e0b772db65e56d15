#!/usr/bin/env python3
"""Checks exports with the ONNX checker and onnxruntime, and writes ONNX's own operator tests for the import.

    pip install onnx==1.23.2 onnxruntime==1.32.0
    cargo run -p neurona-onnx --example export_all -- FOLDER
    .ci/onnx_check.py models FOLDER
    .ci/onnx_check.py cases FOLDER
    cargo run -p neurona-onnx --example backend_cases -- FOLDER

`models`: the checker accepts every model, and onnxruntime's outputs are Neurona's. A difference is measured by
max |a - b| / max(1, max |b|) of each output, since a gradient or a loss may be large.
`cases`: a folder per operator test, with the model, its inputs and its outputs.
"""

import sys
import warnings
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


def models(root):
    folders = sorted(path.parent for path in root.glob("*/model.onnx"))
    if not folders:
        sys.exit(f"no models in {root}: run the example export_all first")
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


def tensors(ports, arrays):
    """The arrays as tensor files, if they all are tensors."""
    if any(not p.type.HasField("tensor_type") for p in ports):
        raise TypeError("a sequence, a map or an optional value")
    pairs = zip(ports, arrays)
    return [a if isinstance(a, onnx.TensorProto) else onnx.numpy_helper.from_array(np.asarray(a), p.name) for p, a in pairs]


def cases(root):
    from onnx.backend.test.loader import load_node_model_tests

    written, left_out = 0, []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tests divide by zero on purpose
        all_cases = load_node_model_tests()
    for case in all_cases:
        graph = case.model.graph
        try:
            sets = [[("input", tensors(graph.input, i)), ("output", tensors(graph.output, o))] for i, o in case.data_sets]
        except (TypeError, NotImplementedError) as e:
            left_out.append(f"{case.name} ({e})")
            continue
        for k, data in enumerate(sets):
            folder = root / case.name / f"test_data_set_{k}"
            folder.mkdir(parents=True, exist_ok=True)
            for kind, files in data:
                for j, tensor in enumerate(files):
                    (folder / f"{kind}_{j}.pb").write_bytes(tensor.SerializeToString())
        (root / case.name / "model.onnx").write_bytes(case.model.SerializeToString())
        written += 1
    print(f"{written} cases written; {len(left_out)} left out: sequences, maps and optional values")


def main():
    commands = {"models": models, "cases": cases}
    if len(sys.argv) != 3 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]](Path(sys.argv[2]))


if __name__ == "__main__":
    main()
