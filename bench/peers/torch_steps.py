#!/usr/bin/env python3
"""Median time of one training step (loss, gradients, fused Adam, lr 1e-3, float32) of a reference workload in PyTorch on CPU.

Usage: python torch_steps.py WORKLOAD [--compile] [--threads N] [--seconds S]
Prints one JSON line: {"peer", "workload", "threads", "step_ms", "steps", "loss", "first_ms", "peak_bytes"}: first_ms is the time of the
first step with the compilation in it, peak_bytes the most memory the process has had (null where the system does not say).
Each workload is a function giving (module, loss without arguments); jax_steps.py holds the same networks.
"""
import argparse, json, math, statistics, time
import torch
from torch import nn
import torch.nn.functional as F


def dense(*sizes, act=nn.ReLU):
    """Dense layers with an activation between them (none after the last)."""
    layers = [m for i, o in zip(sizes, sizes[1:]) for m in (nn.Linear(i, o), act())]
    return nn.Sequential(*layers[:-1])


def nhwc(x):
    """Channels last in memory, oneDNN's better layout for all of these networks."""
    return x.to(memory_format=torch.channels_last)


def classifier(net, x, classes):
    y = torch.randint(0, classes, x.shape[:1])
    return net, lambda: F.cross_entropy(net(x), y)


def tiny():
    net, x, y = dense(3, 4, 3, 2, act=nn.Sigmoid), torch.rand(32, 3), torch.rand(32, 2)
    return net, lambda: F.mse_loss(net(x), y)


def mlp():
    return classifier(dense(784, 128, 10), torch.rand(32, 784), 10)


def pinn(*widths):
    net = dense(2, *(widths or (20,) * 8), 1, act=nn.Tanh)
    inside, ahead = torch.rand(10000, 2), torch.ones(10000, 2)
    tb, x0 = torch.rand(500, 1), torch.rand(500, 1)
    zero, one, wave = torch.zeros(500, 1), torch.ones(500, 1), torch.sin(2 * math.pi * x0)
    f = lambda p: net(2 * p - 1)
    phi = lambda t, x: f(torch.cat([t, x], 1))

    def loss():
        if torch.compiler.is_compiling():  # which knows no double backward, but forward mode
            _, residual = torch.func.jvp(f, (inside,), (ahead,))
        else:  # where forward mode is the slower way
            p = inside.clone().requires_grad_()
            slope, = torch.autograd.grad(f(p).sum(), p, create_graph=True)
            residual = slope.sum(1)
        return (residual**2).mean() + F.mse_loss(phi(tb, zero), phi(tb, one)) + F.mse_loss(phi(zero, x0), wave)
    return net, loss


def pinn_wide():
    return pinn(64, 64, 64, 64)


def connect4():
    convs = [m for i, o in ((1, 64), (64, 128), (128, 32)) for m in (nn.Conv2d(i, o, 2), nn.ReLU())]
    net = nn.Sequential(*convs, nn.Flatten(), dense(384, 128, 64, 7))
    return classifier(net, nhwc(torch.randint(-1, 2, (64, 1, 6, 7)).float()), 7)


def doodle():
    convs, i = [], 1
    for o, pool in ((32, 1), (64, 1), (128, 0), (128, 1), (128, 0), (128, 1)):
        convs += [nn.Conv2d(i, o, 3, padding=1), nn.ReLU()] + [nn.MaxPool2d(2)] * pool
        i = o
    net = nn.Sequential(*convs, nn.Flatten(), nn.Dropout(0.3), dense(128, 128, 64, 32, 32))
    return classifier(net, nhwc(torch.rand(64, 1, 28, 28)), 32)


def stego():
    embed, read = nn.Embedding(256, 512), nn.Linear(512, 256)
    into, out, plane = nn.Conv2d(3, 16, 1), nn.Conv2d(17, 3, 1), nn.Conv2d(3, 1, 1)
    image, text = nhwc(torch.rand(64, 3, 256, 256)), torch.randint(0, 256, (64, 128))

    def loss():
        hidden = embed(text).view(-1, 1, 256, 256)
        s = F.relu(out(torch.cat([F.relu(into(image)), hidden], 1)))
        logits = read(plane(s).view(-1, 128, 512))
        return F.mse_loss(s, image) + F.cross_entropy(logits.flatten(0, 1), text.flatten())
    return nn.ModuleList([embed, into, out, plane, read]), loss


def stego_conv():
    def body(i, o):
        convs = [m for k in (i, 64, 64) for m in (nn.Conv2d(k, 64, 3, padding=1), nn.ReLU())]
        return nn.Sequential(*convs, nn.Conv2d(64, o, 1))
    enc, dec = body(52, 48), body(48, 4)
    image, bits = nhwc(torch.rand(16, 3, 64, 64)), nhwc(torch.randint(0, 2, (16, 4, 16, 16)).float())

    def loss():
        code = torch.tanh(enc(torch.cat([F.pixel_unshuffle(image, 4), 2 * bits - 1], 1)))
        s = image + 12 / 255 * F.pixel_shuffle(code, 4)
        return F.mse_loss(s, image) + F.binary_cross_entropy_with_logits(dec(F.pixel_unshuffle(s, 4)), bits)
    return nn.ModuleList([enc, dec]), loss


WORKLOADS = {f.__name__: f for f in (tiny, mlp, pinn, pinn_wide, connect4, doodle, stego, stego_conv)}


def peak():
    try:
        lines = open("/proc/self/status").read().splitlines()
        return 1024 * int(next(l for l in lines if l.startswith("VmHWM")).split()[1])
    except (OSError, StopIteration):
        return None


def main():
    args = argparse.ArgumentParser()
    args.add_argument("workload", choices=WORKLOADS)
    args.add_argument("--compile", action="store_true")
    args.add_argument("--threads", type=int, default=2)
    args.add_argument("--seconds", type=float, default=5)
    a = args.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(a.threads)
    net, loss = WORKLOADS[a.workload]()
    nhwc(net)
    opt = torch.optim.Adam(net.parameters(), lr=1e-3, fused=True)
    if a.compile:
        loss = torch.compile(loss)

    def step():
        opt.zero_grad(set_to_none=True)
        value = loss()
        value.backward()
        opt.step()
        return value.item()
    start = time.perf_counter()
    step()
    first = (time.perf_counter() - start) * 1e3
    for _ in range(4):
        step()
    times, end = [], time.perf_counter() + a.seconds
    while time.perf_counter() < end or len(times) < 5:
        start = time.perf_counter()
        value = step()
        times.append((time.perf_counter() - start) * 1e3)
    print(json.dumps({"peer": "torch-compile" if a.compile else "torch", "workload": a.workload, "threads": a.threads,
                      "step_ms": round(statistics.median(times), 4), "steps": len(times), "loss": value,
                      "first_ms": round(first, 2), "peak_bytes": peak()}))


if __name__ == "__main__":
    main()
