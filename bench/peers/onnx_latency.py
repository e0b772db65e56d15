#!/usr/bin/env python3
"""Median time of an answer of an ONNX file in ONNX Runtime on CPU, as `neurona bench --latency` times its own.

Usage: python onnx_latency.py FILE.onnx [--batch N] [--threads N] [--seconds S] [--levels]
Prints one JSON line: {"peer", "workload", "batch", "threads", "latency_ms", "p99_ms", "runs", "mean_square"}; mean_square, of the
logits, must be neurona's: the same weights are in the file, and the rows come from the same formula. --levels: inputs -1, 0, 1.
"""
import argparse, json, pathlib, statistics, time
import numpy as np
import onnxruntime


def main():
    args = argparse.ArgumentParser()
    args.add_argument("file", type=pathlib.Path)
    args.add_argument("--batch", type=int, default=1)
    args.add_argument("--threads", type=int, default=1)
    args.add_argument("--seconds", type=float, default=1)
    args.add_argument("--levels", action="store_true")
    a = args.parse_args()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = a.threads, 1
    session = onnxruntime.InferenceSession(str(a.file), options, providers=["CPUExecutionProvider"])
    entry, = session.get_inputs()
    shape = [a.batch, *entry.shape[1:]]
    u = (np.arange(np.prod(shape)) * 0.6180339887498949 % 1.0).astype(np.float32)
    x = (np.floor(3 * u.astype(np.float64)) - 1 if a.levels else u).astype(np.float32).reshape(shape)
    run = lambda: session.run(None, {entry.name: x})[0]
    for _ in range(20):
        run()
    times, end = [], time.perf_counter() + a.seconds
    while time.perf_counter() < end or len(times) < 5:
        start = time.perf_counter()
        logits = run()
        times.append((time.perf_counter() - start) * 1e3)
    times.sort()
    print(json.dumps({"peer": "onnxruntime", "workload": a.file.stem, "batch": a.batch, "threads": a.threads,
                      "latency_ms": statistics.median(times), "p99_ms": times[-(-99 * len(times) // 100) - 1], "runs": len(times),
                      "mean_square": float((logits.astype(np.float64) ** 2).mean())}))


if __name__ == "__main__":
    main()
