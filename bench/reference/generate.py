#!/usr/bin/env python3
"""Writes steps.json: what one gradient and five Adam steps of each reference workload must give, computed by PyTorch in float64.

Parameters and data come from a formula (see README.md), so that another program can make the same ones without reading any.
Parameters are kept in the layouts of this project (dense [in, out], convolution [kh, kw, in, out], images NHWC) and permuted
on the way into PyTorch's functions, so that gradients come back in those layouts too.

Usage: python generate.py           writes steps.json beside this file
       python generate.py --check   writes nothing; prints how far a float32 run strays from the float64 one
"""
import argparse, json, math, pathlib
import numpy as np
import torch
import torch.nn.functional as F

LR, STEPS, DATA, DIRECTION = 1e-3, 5, 1000, 2000


def u(stream, n, start=0):
    """Numbers `start .. start + n` of a stream, each a multiple of 2^-24 in [0, 1), exact in float32."""
    with np.errstate(over="ignore"):
        z = np.uint64(stream) * np.uint64(0x9E3779B97F4A7C15) + np.arange(start + 1, start + n + 1, dtype=np.uint64) * np.uint64(0xD1342543DE82EF95)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return (z >> np.uint64(40)).astype(np.float64) / 2.0**24


class Net:
    """Hands out parameters (streams 0, 1, …) and data arrays (streams 1000, 1001, …) in the order they are asked for."""

    def __init__(self, dtype):
        self.dtype, self.names, self.params, self.arrays = dtype, [], [], 0

    def parameter(self, name, shape, of):
        p = torch.tensor(of(u(len(self.params), math.prod(shape))).reshape(shape), dtype=self.dtype, requires_grad=True)
        self.names.append(name)
        self.params.append(p)
        return p

    def layer(self, name, shape):
        bound = 1 / math.sqrt(math.prod(shape[:-1]))
        return (self.parameter(name + ".weight", shape, lambda v: (2 * v - 1) * bound),
                self.parameter(name + ".bias", shape[-1:], lambda v: 0.2 * (v - 0.5)))

    def dense(self, name, i, o):
        w, b = self.layer(name, (i, o))
        return lambda x: x @ w + b

    def conv(self, name, i, o, k, pad=0):
        w, b = self.layer(name, (k, k, i, o))
        return lambda x: F.conv2d(x.permute(0, 3, 1, 2), w.permute(3, 2, 0, 1), b, padding=pad).permute(0, 2, 3, 1)

    def array(self, *shape):
        self.arrays += 1
        return torch.tensor(u(DATA + self.arrays - 1, math.prod(shape)).reshape(shape), dtype=self.dtype)

    def integers(self, classes, *shape):
        v = self.array(*shape)
        whole = torch.floor(v.double() * classes)
        assert torch.equal(whole, torch.floor(v.float() * classes).double()), "float32 and float64 must pick the same integers"
        return whole.long()


def chain(*layers):
    def run(x):
        for f in layers:
            x = f(x)
        return x
    return run


flat = lambda x: x.reshape(x.shape[0], -1)
pool = lambda x: F.max_pool2d(x.permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)


def tiny(n, batch=32):
    net = chain(n.dense("1", 3, 4), torch.sigmoid, n.dense("2", 4, 3), torch.sigmoid, n.dense("3", 3, 2))
    x, y = n.array(batch, 3), n.array(batch, 2)
    return batch, lambda: F.mse_loss(net(x), y)


def mlp(n, batch=32):
    net = chain(n.dense("1", 784, 128), F.relu, n.dense("2", 128, 10))
    x, y = n.array(batch, 784), n.integers(10, batch)
    return batch, lambda: F.cross_entropy(net(x), y)


def pinn(n, widths=(20,) * 8, batch=(1000, 100, 100)):
    sizes = (2, *widths, 1)
    layers = [n.dense(str(k + 1), i, o) for k, (i, o) in enumerate(zip(sizes, sizes[1:]))]
    inside, tb, x0 = n.array(batch[0], 2), n.array(batch[1], 1), n.array(batch[2], 1)
    net = chain(lambda p: 2 * p - 1, *(f for layer in layers[:-1] for f in (layer, torch.tanh)), layers[-1])
    at = lambda t, x: net(torch.cat([t, x], 1))

    def loss():
        p = inside.clone().requires_grad_()
        slope, = torch.autograd.grad(net(p).sum(), p, create_graph=True)
        residual = slope.sum(1)
        edges = at(tb, torch.zeros_like(tb)) - at(tb, torch.ones_like(tb))
        start = at(torch.zeros_like(x0), x0) - torch.sin(2 * math.pi * x0)
        return (residual**2).mean() + (edges**2).mean() + (start**2).mean()
    return batch, loss


def pinn_wide(n):
    return pinn(n, (64,) * 4)


def connect4(n, batch=16):
    net = chain(n.conv("conv1", 1, 64, 2), F.relu, n.conv("conv2", 64, 128, 2), F.relu, n.conv("conv3", 128, 32, 2), F.relu, flat,
                n.dense("dense1", 384, 128), F.relu, n.dense("dense2", 128, 64), F.relu, n.dense("dense3", 64, 7))
    x, y = n.integers(3, batch, 6, 7, 1).to(n.dtype) - 1, n.integers(7, batch)
    return batch, lambda: F.cross_entropy(net(x), y)


def doodle(n, batch=8):
    """Without its dropout: a mask drawn at random cannot be compared."""
    parts, i = [], 1
    for k, (o, pooled) in enumerate(((32, 1), (64, 1), (128, 0), (128, 1), (128, 0), (128, 1))):
        parts += [n.conv(f"conv{k + 1}", i, o, 3, 1), F.relu] + [pool] * pooled
        i = o
    net = chain(*parts, flat, n.dense("dense1", 128, 128), F.relu, n.dense("dense2", 128, 64), F.relu,
                n.dense("dense3", 64, 32), F.relu, n.dense("dense4", 32, 32))
    x, y = n.array(batch, 28, 28, 1), n.integers(32, batch)
    return batch, lambda: F.cross_entropy(net(x), y)


def stego(n, batch=2):
    table = n.parameter("embedding", (256, 512), lambda v: 2 * v - 1)
    into, out, plane = n.conv("image", 3, 16, 1), n.conv("out", 17, 3, 1), n.conv("plane", 3, 1, 1)
    read = n.dense("read", 512, 256)
    image, text = n.array(batch, 256, 256, 3), n.integers(256, batch, 128)

    def loss():
        hidden = table[text].reshape(batch, 256, 256, 1)
        s = F.relu(out(torch.cat([F.relu(into(image)), hidden], 3)))
        logits = read(plane(s).reshape(batch, 128, 512))
        return F.mse_loss(s, image) + F.cross_entropy(logits.reshape(-1, 256), text.reshape(-1))
    return batch, loss


def stego_conv(n, batch=4):
    body = lambda name, i, o: chain(n.conv(name + "1", i, 64, 3, 1), F.relu, n.conv(name + "2", 64, 64, 3, 1), F.relu,
                                    n.conv(name + "3", 64, 64, 3, 1), F.relu, n.conv(name + "4", 64, o, 1))
    enc, dec = body("enc", 52, 48), body("dec", 48, 4)
    image, bits = n.array(batch, 64, 64, 3), n.integers(2, batch, 16, 16, 4).to(n.dtype)
    # channel of a 4×4 cell: (row in cell, column in cell, colour), row-major
    down = lambda x: x.reshape(batch, 16, 4, 16, 4, 3).permute(0, 1, 3, 2, 4, 5).reshape(batch, 16, 16, 48)
    up = lambda x: x.reshape(batch, 16, 16, 4, 4, 3).permute(0, 1, 3, 2, 4, 5).reshape(batch, 64, 64, 3)

    def loss():
        s = image + 12 / 255 * up(torch.tanh(enc(torch.cat([down(image), 2 * bits - 1], 3))))
        return F.mse_loss(s, image) + F.binary_cross_entropy_with_logits(dec(down(s)), bits)
    return batch, loss


WORKLOADS = (tiny, mlp, pinn, pinn_wide, connect4, doodle, stego, stego_conv)


def digest(p, stream):
    v = p.detach().double().numpy().ravel()
    return {"norm": float(np.linalg.norm(v)), "dot": float(v @ (2 * u(DIRECTION + stream, v.size) - 1)), "first": v[:4].tolist()}


def train(workload, dtype):
    """Batch, the loss before each step, and per parameter the digests of the first gradient and of the value after the steps."""
    net = Net(dtype)
    batch, loss = workload(net)
    opt = torch.optim.Adam(net.params, lr=LR, betas=(0.9, 0.999), eps=1e-8)
    losses, gradients = [], None
    for _ in range(STEPS):
        opt.zero_grad()
        value = loss()
        value.backward()
        losses.append(value.item())
        gradients = gradients or [digest(p.grad, k) for k, p in enumerate(net.params)]
        opt.step()
    rows = [{"name": name, "shape": list(p.shape), "gradient": g, "after": digest(p, k)}
            for k, (name, p, g) in enumerate(zip(net.names, net.params, gradients))]
    return {"batch": batch, "losses": losses, "parameters": rows}


def rounded(x):
    if isinstance(x, dict):
        return {k: rounded(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [rounded(v) for v in x]
    return float(f"{x:.9g}") if isinstance(x, float) else x


def strays(reference, other):
    """Largest deviations: losses, gradient norm and dot by the gradient's norm, and `after` by the furthest five steps can go."""
    loss = max(abs(a - b) / abs(a) for a, b in zip(reference["losses"], other["losses"]))
    gradient = after = 0.0
    for a, b in zip(reference["parameters"], other["parameters"]):
        off = lambda part: max(abs(a[part][k] - b[part][k]) for k in ("norm", "dot"))
        gradient = max(gradient, off("gradient") / a["gradient"]["norm"])
        after = max(after, off("after") / (STEPS * LR * math.sqrt(math.prod(a["shape"]))))
    return loss, gradient, after


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--check", action="store_true", help="compare a float32 run with the float64 one, write nothing")
    check = args.parse_args().check
    results = {w.__name__: train(w, torch.float64) for w in WORKLOADS}
    if check:
        print("float32 against float64: losses (relative), gradients (of the norm), after (of steps * lr * sqrt(n))")
        for w in WORKLOADS:
            print(f"{w.__name__:12}" + "".join(f"{v:12.2e}" for v in strays(results[w.__name__], train(w, torch.float32))))
        return
    head = {"about": "gradients and five Adam steps from PyTorch in float64; see README.md", "torch": torch.__version__.split("+")[0],
            "adam": {"lr": LR, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "steps": STEPS},
            "generator_check": {f"u({s},{i})": v for s in (0, DATA) for i, v in enumerate(u(s, 4).tolist())}}
    lines = [f'  "{k}": {json.dumps(rounded(v) if k != "generator_check" else v, ensure_ascii=False)},' for k, v in head.items()]
    lines.append('  "workloads": {')
    for w in WORKLOADS:
        r = rounded(results[w.__name__])
        rows = ",\n".join("      " + json.dumps(p, separators=(",", ":")) for p in r["parameters"])
        lines.append(f'    "{w.__name__}": {{"batch": {json.dumps(r["batch"])}, "losses": {json.dumps(r["losses"])}, "parameters": [\n{rows}\n    ]}},')
    lines[-1] = lines[-1][:-1]
    text = "{\n" + "\n".join(lines) + "\n  }\n}\n"
    json.loads(text)
    path = pathlib.Path(__file__).with_name("steps.json")
    path.write_text(text)
    print(f"{path}: {len(text)} bytes")


if __name__ == "__main__":
    main()
