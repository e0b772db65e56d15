"""Solves Burgers' equation with DeepXDE on PyTorch, with the settings of its documentation, or the transport equation of
examples/equations with the same network and optimizers, and prints the course as JSON: seconds (of training alone) and the
relative L2 error, every hundred steps of Adam and after each block of L-BFGS. In double precision, as the documentation advises
for L-BFGS; in single precision, the default, it ends after a few steps.

    python deepxde_solve.py transport|burgers [--threads 2] [--float float32] [--data ../shared/data/pinn]
"""
import argparse, json, os, pathlib, time

os.environ.setdefault("DDE_BACKEND", "pytorch")
import deepxde as dde
import numpy as np
import torch

ADAM_STEPS = 15000
EVERY = 100


def burgers(data):
    geometry = dde.geometry.GeometryXTime(dde.geometry.Interval(-1, 1), dde.geometry.TimeDomain(0, 0.99))

    def equation(x, u):
        u_x, u_t = (dde.grad.jacobian(u, x, i=0, j=j) for j in (0, 1))
        return u_t + u * u_x - 0.01 / np.pi * dde.grad.hessian(u, x, i=0, j=0)

    ends = dde.icbc.DirichletBC(geometry, lambda x: 0, lambda _, on: on)
    start = dde.icbc.IC(geometry, lambda x: -np.sin(np.pi * x[:, 0:1]), lambda _, on: on)
    problem = dde.data.TimePDE(geometry, equation, [ends, start], num_domain=2540, num_boundary=80, num_initial=160)
    x, t, u = (np.load(data / f"burgers_shock_{name}.npy") for name in "xtu")
    places = np.stack([a.ravel() for a in np.meshgrid(x.ravel(), t.ravel(), indexing="ij")], axis=1)
    return problem, places, u.ravel()


def transport(data):
    geometry = dde.geometry.GeometryXTime(dde.geometry.Interval(0, 1), dde.geometry.TimeDomain(0, 1))

    def equation(x, u):
        return dde.grad.jacobian(u, x, i=0, j=1) + dde.grad.jacobian(u, x, i=0, j=0)

    ends = dde.icbc.PeriodicBC(geometry, 0, lambda _, on: on)
    start = dde.icbc.IC(geometry, lambda x: np.sin(2 * np.pi * x[:, 0:1]), lambda _, on: on)
    problem = dde.data.TimePDE(geometry, equation, [ends, start], num_domain=10000, num_boundary=500, num_initial=500)
    axis = np.linspace(0, 1, 101)
    places = np.stack([a.ravel() for a in np.meshgrid(axis, axis, indexing="ij")], axis=1)
    return problem, places, np.sin(2 * np.pi * (places[:, 0] - places[:, 1]))


class Course(dde.callbacks.Callback):
    """Notes seconds and error; what this takes is not counted."""

    def __init__(self, places, exact):
        super().__init__()
        self.places, self.exact, self.course = places, exact, []
        self.begun, self.away, self.count = time.perf_counter(), 0.0, 0

    def note(self):
        before = time.perf_counter()
        off = self.model.predict(self.places).ravel() - self.exact
        self.course.append([before - self.begun - self.away, float(np.linalg.norm(off) / np.linalg.norm(self.exact))])
        self.away += time.perf_counter() - before

    def on_epoch_end(self):
        self.count += 1
        if self.count > ADAM_STEPS or self.count % EVERY == 0:
            self.note()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("name", choices=["transport", "burgers"])
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--float", choices=["float32", "float64"], default="float64")
    p.add_argument("--data", type=pathlib.Path, default=pathlib.Path("../shared/data/pinn"))
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    dde.config.set_default_float(a.float)
    dde.config.set_random_seed(a.seed)
    problem, places, exact = globals()[a.name](a.data)
    model = dde.Model(problem, dde.nn.FNN([2] + [20] * 3 + [1], "tanh", "Glorot normal"))
    course = Course(places.astype(a.float), exact)
    model.compile("adam", lr=1e-3)
    model.train(iterations=ADAM_STEPS, callbacks=[course], display_every=5000)
    model.compile("L-BFGS")
    model.train(callbacks=[course], display_every=5000)
    course.note()
    print(json.dumps({"version": dde.__version__, "course": course.course}))


main()
