"""Weights between neurona and PyTorch, both ways, by their predictions.

    torch_check.py NEURONA FOLDER

Ours: a network that the binary NEURONA trained and exported as safetensors is read and run with PyTorch's operations.
Theirs: the state_dict of a PyTorch module, written by the package safetensors, is imported and predicted with.
Where torch is not installed, NumPy computes the same operations by their definitions, in PyTorch's layouts.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import safetensors.numpy

try:
    import torch
except ImportError:
    torch = None

TOLERANCE = 1e-5


class Numpy:
    """The operations on arrays [batch, channels, height, width]."""

    name = "numpy"

    def conv(self, x, w, b):
        h, k = x.shape[2] - w.shape[2] + 1, x.shape[3] - w.shape[3] + 1
        out = np.zeros((x.shape[0], w.shape[0], h, k))
        for i in range(w.shape[2]):
            for j in range(w.shape[3]):
                out += np.einsum("nchw,oc->nohw", x[:, :, i : i + h, j : j + k], w[:, :, i, j])
        return out + b[None, :, None, None]

    def norm(self, x, mean, var, w, b):
        wide = lambda v: v[None, :, None, None]
        return (x - wide(mean)) / np.sqrt(wide(var) + 1e-5) * wide(w) + wide(b)

    def pool(self, x):
        n, c, h, w = x.shape
        return x[:, :, : h // 2 * 2, : w // 2 * 2].reshape(n, c, h // 2, 2, w // 2, 2).max(axis=(3, 5))

    def linear(self, x, w, b):
        return x @ w.T + b

    def relu(self, x):
        return np.maximum(x, 0)

    def softmax(self, x):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def tensor(self, x):
        return np.asarray(x, np.float64)

    def array(self, x):
        return x


class Torch:
    """The same with PyTorch."""

    name = "torch"

    def conv(self, x, w, b):
        return torch.nn.functional.conv2d(x, w, b)

    def norm(self, x, mean, var, w, b):
        return torch.nn.functional.batch_norm(x, mean, var, w, b, training=False, eps=1e-5)

    def pool(self, x):
        return torch.nn.functional.max_pool2d(x, 2)

    def linear(self, x, w, b):
        return torch.nn.functional.linear(x, w, b)

    def relu(self, x):
        return torch.relu(x)

    def softmax(self, x):
        return torch.softmax(x, 1)

    def tensor(self, x):
        return torch.tensor(np.ascontiguousarray(x), dtype=torch.float64)

    def array(self, x):
        return x.numpy()


OPS = Torch() if torch else Numpy()


def run(p, x):
    """The network of NET for images [batch, height, width, channels], with weights in PyTorch's layouts."""
    t = {name: OPS.tensor(value) for name, value in p.items() if value.dtype.kind == "f"}
    h = OPS.tensor(np.transpose(x, (0, 3, 1, 2)))
    h = OPS.relu(OPS.conv(h, t["0.weight"], t["0.bias"]))
    h = OPS.norm(h, t["2.running_mean"], t["2.running_var"], t["2.weight"], t["2.bias"])
    h = OPS.pool(h).reshape(len(x), -1)
    h = OPS.relu(OPS.linear(h, t["5.weight"], t["5.bias"]))
    return OPS.array(OPS.softmax(OPS.linear(h, t["7.weight"], t["7.bias"])))


NET = """
epochs = 3
batch = 16
seed = 2
[data]
kind = "npy"
x = "x.npy"
y = "y.npy"
[[layers]]
type = "conv2d"
filters = 5
kernel = 3
activation = "relu"
[[layers]]
type = "batch_norm"
[[layers]]
type = "max_pool2d"
size = 2
[[layers]]
type = "flatten"
[[layers]]
type = "dense"
units = 8
activation = "relu"
[[layers]]
type = "dense"
units = 3
"""


def ours_as_theirs(path):
    """Our file in PyTorch's names and layouts: what the documentation says of both, written out once more."""
    w = safetensors.numpy.load_file(path)
    flat = w["dense_1/weight"].reshape(3, 4, 5, 8).transpose(3, 2, 0, 1).reshape(8, 60)
    return {
        "0.weight": w["conv2d_1/weight"].transpose(3, 2, 0, 1),
        "0.bias": w["conv2d_1/bias"],
        "2.weight": w["batch_norm_1/scale"],
        "2.bias": w["batch_norm_1/offset"],
        "2.running_mean": w["batch_norm_1/mean"],
        "2.running_var": w["batch_norm_1/variance"],
        "5.weight": flat,
        "5.bias": w["dense_1/bias"],
        "7.weight": w["dense_2/weight"].T,
        "7.bias": w["dense_2/bias"],
    }


def theirs():
    """A module's state_dict."""
    if torch:
        n = torch.nn
        torch.manual_seed(3)
        module = n.Sequential(
            n.Conv2d(2, 5, 3), n.ReLU(), n.BatchNorm2d(5), n.MaxPool2d(2), n.Flatten(), n.Linear(60, 8), n.ReLU(), n.Linear(8, 3)
        )
        module(torch.randn(32, 2, 9, 10))  # running values of its own
        return {name: value.detach().numpy() for name, value in module.state_dict().items()}
    random = np.random.default_rng(3)
    shapes = {
        "0.weight": (5, 2, 3, 3), "0.bias": (5,), "2.weight": (5,), "2.bias": (5,), "2.running_mean": (5,), "2.running_var": (5,),
        "5.weight": (8, 60), "5.bias": (8,), "7.weight": (3, 8), "7.bias": (3,),
    }  # fmt: skip
    state = {name: random.normal(size=shape).astype(np.float32) * 0.3 for name, shape in shapes.items()}
    state["2.running_var"] = np.abs(state["2.running_var"]) + np.float32(0.5)
    state["2.num_batches_tracked"] = np.array(1, np.int64)
    return state


def check(what, got, want):
    worst = float(np.abs(got - want).max())
    print(f"{what} ({OPS.name}): largest difference {worst:.1e}")
    if not worst <= TOLERANCE:
        sys.exit(f"{what}: {worst} is more than {TOLERANCE}")


def main(neurona, folder):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    call = lambda *args: subprocess.run([neurona, *args], cwd=folder, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE).stdout
    x = np.random.default_rng(1).normal(size=(96, 8, 10, 2)).astype(np.float32)
    np.save(folder / "x.npy", x)
    np.save(folder / "y.npy", (x[:, :4].sum(axis=(1, 2, 3)) > 0).astype(np.int64) + (x[:, 0, 0, 0] > 1))
    (folder / "net.toml").write_text(NET)

    call("train", "net.toml", "--out", "run")
    call("export", "run", "--to", "safetensors", "--out", "ours.safetensors")
    call("predict", "run", "x.npy", "--out", "ours.npy")
    check("ours, read by others", np.load(folder / "ours.npy"), run(ours_as_theirs(folder / "ours.safetensors"), x))

    state = theirs()
    safetensors.numpy.save_file({name: np.ascontiguousarray(value) for name, value in state.items()}, folder / "theirs.safetensors")
    names = json.loads(call("import", "theirs.safetensors", "--config", "net.toml", "--out", "imported", "--json"))["weights"]
    assert names["batch_norm_1/variance"] == "2.running_var", names
    call("predict", "imported", "x.npy", "--out", "theirs.npy")
    check("theirs, imported", np.load(folder / "theirs.npy"), run(state, x))


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), sys.argv[2])
