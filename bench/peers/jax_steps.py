#!/usr/bin/env python3
"""Median time of one training step (loss, gradients, Adam, lr 1e-3, float32) of a reference workload in JAX on CPU:
the whole step in one jit with donated buffers, the residual of the PINN in forward mode.

Usage: python jax_steps.py WORKLOAD [--threads N] [--seconds S]
Prints one JSON line like torch_steps.py. XLA has no setting for its threads: it takes as many as there are processors it may run on.
Each workload is a function giving (parameters, data, loss(parameters, data, key)); key draws the dropout of the step.
"""
import argparse, json, math, os, statistics, time

NAMES = ("tiny", "mlp", "pinn", "pinn_wide", "connect4", "doodle", "stego", "stego_conv")
args = argparse.ArgumentParser()
args.add_argument("workload", choices=NAMES)
args.add_argument("--threads", type=int, default=2)
args.add_argument("--seconds", type=float, default=5)
a = args.parse_args() if __name__ == "__main__" else args.parse_args(["tiny"])
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:a.threads])
import jax, jax.numpy as jnp, optax  # noqa: E402  (XLA counts processors when it is loaded)
from jax import nn, random  # noqa: E402

keys = (random.fold_in(random.key(0), k) for k in range(1000))
rand = lambda *shape: random.uniform(next(keys), shape)
whole = lambda classes, *shape: random.randint(next(keys), shape, 0, classes)


def layer(*shape):
    bound = 1 / math.sqrt(math.prod(shape[:-1]))
    return (2 * rand(*shape) - 1) * bound, (2 * rand(shape[-1]) - 1) * bound


def layers(*sizes, k=None):
    return [layer(*((k, k) if k else ()), i, o) for i, o in zip(sizes, sizes[1:])]


def dense(q, x):
    return x @ q[0] + q[1]


def conv(q, x, pad="SAME"):
    if q[0].shape[:2] == (1, 1):  # a plain product is the faster way in XLA
        return dense((q[0][0, 0], q[1]), x)
    return jax.lax.conv_general_dilated(x, q[0], (1, 1), pad, dimension_numbers=("NHWC", "HWIO", "NHWC")) + q[1]


def chain(q, x, act=nn.relu):
    for l in q[:-1]:
        x = act(dense(l, x))
    return dense(q[-1], x)


def pool(x):
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


mse = lambda a, b: ((a - b) ** 2).mean()
cross = lambda logits, y: optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()


def tiny():
    return layers(3, 4, 3, 2), (rand(32, 3), rand(32, 2)), lambda q, d, _: mse(chain(q, d[0], nn.sigmoid), d[1])


def mlp():
    return layers(784, 128, 10), (rand(32, 784), whole(10, 32)), lambda q, d, _: cross(chain(q, d[0]), d[1])


def pinn(*widths):
    def loss(q, d, _):
        inside, tb, x0 = d
        net = lambda p: chain(q, 2 * p - 1, jnp.tanh)
        at = lambda t, x: net(jnp.concatenate([t, x], 1))
        _, residual = jax.jvp(net, (inside,), (jnp.ones_like(inside),))
        zero = jnp.zeros_like(tb)
        return (residual**2).mean() + mse(at(tb, zero), at(tb, zero + 1)) + mse(at(zero, x0), jnp.sin(2 * math.pi * x0))
    return layers(2, *(widths or (20,) * 8), 1), (rand(10000, 2), rand(500, 1), rand(500, 1)), loss


def pinn_wide():
    return pinn(64, 64, 64, 64)


def connect4():
    def loss(q, d, _):
        x = d[0]
        for l in q[0]:
            x = nn.relu(conv(l, x, "VALID"))
        return cross(chain(q[1], x.reshape(x.shape[0], -1)), d[1])
    return (layers(1, 64, 128, 32, k=2), layers(384, 128, 64, 7)), (whole(3, 64, 6, 7, 1) - 1.0, whole(7, 64)), loss


def doodle():
    def loss(q, d, key):
        x = d[0]
        for l, pooled in zip(q[0], (1, 1, 0, 1, 0, 1)):
            x = nn.relu(conv(l, x))
            x = pool(x) if pooled else x
        x = x.reshape(x.shape[0], -1)
        if key is not None:
            x = jnp.where(random.bernoulli(key, 0.7, x.shape), x / 0.7, 0)
        return cross(chain(q[1], x), d[1])
    q = layers(1, 32, 64, 128, 128, 128, 128, k=3), layers(128, 128, 64, 32, 32)
    return q, (rand(64, 28, 28, 1), whole(32, 64)), loss


def stego():
    def loss(q, d, _):
        table, into, out, plane, read = q
        image, text = d
        hidden = table[text].reshape(-1, 256, 256, 1)
        s = nn.relu(conv(out, jnp.concatenate([nn.relu(conv(into, image)), hidden], 3)))
        return mse(s, image) + cross(dense(read, conv(plane, s).reshape(-1, 128, 512)), text)
    q = rand(256, 512), layer(1, 1, 3, 16), layer(1, 1, 17, 3), layer(1, 1, 3, 1), layer(512, 256)
    return q, (rand(64, 256, 256, 3), whole(256, 64, 128)), loss


def stego_conv():
    def body(q, x):
        for l in q[:-1]:
            x = nn.relu(conv(l, x))
        return conv(q[-1], x)

    def loss(q, d, _):
        image, bits = d
        down = lambda x: x.reshape(-1, 16, 4, 16, 4, 3).transpose(0, 1, 3, 2, 4, 5).reshape(-1, 16, 16, 48)
        up = lambda x: x.reshape(-1, 16, 16, 4, 4, 3).transpose(0, 1, 3, 2, 4, 5).reshape(-1, 64, 64, 3)
        s = image + 12 / 255 * up(jnp.tanh(body(q[0], jnp.concatenate([down(image), 2 * bits - 1], 3))))
        return mse(s, image) + optax.sigmoid_binary_cross_entropy(body(q[1], down(s)), bits).mean()
    q = [layers(i, 64, 64, 64, k=3) + [layer(1, 1, 64, o)] for i, o in ((52, 48), (48, 4))]
    return q, (rand(16, 64, 64, 3), whole(2, 16, 16, 16, 4) * 1.0), loss


def peak():
    try:
        lines = open("/proc/self/status").read().splitlines()
        return 1024 * int(next(l for l in lines if l.startswith("VmHWM")).split()[1])
    except (OSError, StopIteration):
        return None


def main():
    q, data, loss = globals()[a.workload]()
    opt = optax.adam(1e-3)

    def step(q, state, key, data):
        key, drop = random.split(key) if a.workload == "doodle" else (key, None)
        value, g = jax.value_and_grad(loss)(q, data, drop)
        change, state = opt.update(g, state)
        return optax.apply_updates(q, change), state, key, value

    step = jax.jit(step, donate_argnums=(0, 1, 2))
    carry = q, opt.init(q), random.key(1)
    jax.block_until_ready(data)
    start = time.perf_counter()
    *carry, value = step(*carry, data)
    jax.block_until_ready((carry[0], value))
    first = (time.perf_counter() - start) * 1e3
    for _ in range(4):
        *carry, value = step(*carry, data)
        value.block_until_ready()
    times, end = [], time.perf_counter() + a.seconds
    while time.perf_counter() < end or len(times) < 5:
        start = time.perf_counter()
        *carry, value = step(*carry, data)
        jax.block_until_ready((carry[0], value))
        times.append((time.perf_counter() - start) * 1e3)
    print(json.dumps({"peer": "jax", "workload": a.workload, "threads": a.threads,
                      "step_ms": round(statistics.median(times), 4), "steps": len(times), "loss": float(value),
                      "first_ms": round(first, 2), "peak_bytes": peak()}))


if __name__ == "__main__":
    main()
