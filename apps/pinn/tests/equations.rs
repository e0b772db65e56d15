//! Equations given as formulas: solved, resumed, and refused where something is wrong with them.

use pinn::solve::{Closure, File, Problem, Progress, Reference, Solver, Why};
use std::path::Path;

const FILE: &str = r#"
domain = { x = [0, 1], t = [0, 1] }
solution.u = "sin(2*pi*(x - t))"
form.u = "sin(2*pi*x) + t*N"
network = { widths = [12, 12], periodic = ["x"] }
sampling = { points = 300, adaptive = true }
stages = [{ method = "levenberg_marquardt", steps = 40, resample = 9 }]

[[equations]]
name = "pde"
formula = "d(u,t) + d(u,x) = 0"

[[conditions]]
name = "start"
on = "t = 0"
formula = "u = sin(2*pi*x)"
points = 5
"#;

fn problem(text: &str) -> Result<Problem, String> {
    let file: File = toml::from_str(text).map_err(|e| e.message().to_string())?;
    Problem::new(&file, Path::new(".")).map_err(|e| e.to_string())
}

fn solver(text: &str) -> Solver {
    Solver::new(&problem(text).unwrap(), None).unwrap()
}

#[test]
fn a_wave_is_carried_once_around() {
    let mut s = solver(FILE);
    while !s.is_done() {
        s.advance().unwrap();
    }
    let solved = s.solved().unwrap();
    let error = solved.relative_l2().unwrap();
    assert!(error < 5e-2, "{error}");
    assert!(solved.values[0].len() == 101 * 101);
}

/// A linear equation is solved by one step of least squares over random features.
#[test]
fn random_features_solve_a_linear_equation_at_once() {
    let text =
        FILE.replace("widths = [12, 12], periodic = [\"x\"]", "widths = [100], spread = 1.0").replace("form.u = \"sin(2*pi*x) + t*N\"", "");
    let text =
        text.replace("levenberg_marquardt\", steps = 40, resample = 9", "least_squares\", steps = 1").replace("points = 5", "points = 60");
    let mut s =
        solver(&format!("{text}\n[[conditions]]\nname = \"ends\"\nperiodic = \"x\"\npoints = 60").replace("points = 300", "points = 600"));
    s.advance().unwrap();
    let error = s.solved().unwrap().relative_l2().unwrap();
    assert!(s.is_done() && error < 1e-3, "{error}");
}

/// Saved and read between any two steps, a run goes on with the same bits, in every method and across draws of points.
#[test]
fn an_interrupted_run_goes_on_with_the_same_bits_in_every_method() {
    let methods = ["adam", "bfgs", "ssbroyden", "lbfgs", "levenberg_marquardt", "least_squares"];
    for (i, method) in methods.into_iter().enumerate() {
        let balance = ["fixed", "gradient_norm", "ntk"][i % 3];
        let stage = format!("stages = [{{ method = \"{method}\", steps = 7, resample = 3 }}, {{ method = \"adam\", steps = 2 }}]");
        let stage = format!("{stage}\nbalance = {{ method = \"{balance}\", every = 2 }}");
        let text = FILE.replace("stages = [{ method = \"levenberg_marquardt\", steps = 40, resample = 9 }]", &stage);
        let mut whole = solver(&text);
        while !whole.is_done() {
            whole.advance().unwrap();
        }
        for pause in [1, 3, 5, 7] {
            let mut first = solver(&text);
            (0..pause).for_each(|_| assert!(first.advance().is_ok()));
            let bytes = first.progress().to_bytes("x").unwrap();
            let (progress, note) = Progress::from_bytes(&bytes).unwrap();
            assert_eq!(note, "x");
            let mut second = Solver::resume(&problem(&text).unwrap(), None, progress, first.records().to_vec()).unwrap();
            while !second.is_done() {
                second.advance().unwrap();
            }
            assert_eq!(second.progress().weights, whole.progress().weights, "{method}, after {pause}");
            assert_eq!(second.progress().factors, whole.progress().factors);
            assert_eq!(second.progress().points, whole.progress().points);
            assert_eq!(second.progress().ends, whole.progress().ends);
        }
    }
}

/// A quick wave, which a small network does not learn, is learnt with waves among its inputs.
#[test]
fn waves_among_the_inputs_follow_quick_changes() {
    let text = r#"
        domain = { x = [0, 1] }
        solution.u = "sin(60*x)"
        network = { widths = [16], fourier = 24, fourier_scale = 5.0 }
        sampling.points = 300
        stages = [{ method = "levenberg_marquardt", steps = 30 }]
        equations = [{ name = "wave", formula = "u = sin(60*x)" }]
    "#;
    let error = |text: &str| {
        let mut s = solver(text);
        while !s.is_done() {
            s.advance().unwrap();
        }
        s.solved().unwrap().relative_l2().unwrap()
    };
    let (with, without) = (error(text), error(&text.replace(", fourier = 24, fourier_scale = 5.0", "")));
    assert!(with < 1e-2 && without > 0.5, "{with} {without}");
}

/// Where the losses are balanced, a condition with a tiny weight counts as much as the equation.
#[test]
fn balanced_losses_all_count() {
    for method in ["gradient_norm", "ntk"] {
        let text = FILE.replace("points = 5", "points = 5\nweight = 1e-6").replace("steps = 40", "steps = 1");
        let text = text.replace("form.u", "form = {} #");
        let mut s = solver(&format!("balance.method = \"{method}\"\n{text}"));
        s.advance().unwrap();
        let factors = &s.progress().factors;
        assert!(factors.len() == 2 && factors[1] > 1e3 * factors[0], "{method} {factors:?}");
    }
}

/// A closure is its formula: the same losses and weights; mistakes in it are errors, not panics.
#[test]
fn closures_over_the_graph_are_their_formulas() {
    let steps = FILE.replace("steps = 40", "steps = 12");
    let text =
        steps.replace("\n[[equations]]\nname = \"pde\"\nformula = \"d(u,t) + d(u,x) = 0\"\n", "").replace("[[conditions]]", "[[ignored]]");
    let text = text.split("[[ignored]]").next().unwrap();
    let file: File = toml::from_str(text).unwrap();
    let with = |closures: Vec<Closure>| Problem::with(&file, Path::new("."), closures);
    let pde = || Closure::equation("pde", |at| at.d(&at.unknown("u"), "t") + at.d(&at.unknown("u"), "x"));
    let start = || Closure::condition("start", "t = 0", 5, |at| at.unknown("u") - (at.variable("x") * std::f64::consts::TAU).sin());
    let mut by_closures = Solver::new(&with(vec![pde(), start()]).unwrap(), None).unwrap();
    let mut by_formulas = solver(&steps);
    while !by_formulas.is_done() {
        by_formulas.advance().unwrap();
        by_closures.advance().unwrap();
    }
    assert_eq!(by_closures.names(), by_formulas.names());
    let [a, b] = [by_closures.solved().unwrap(), by_formulas.solved().unwrap()].map(|s| s.relative_l2().unwrap());
    assert!((a - b).abs() < 1e-3 * b, "{a} {b}");
    assert!(with(vec![start()]).unwrap_err().to_string().contains("there is no equation"));
    assert!(with(vec![pde(), pde()]).unwrap_err().to_string().contains("`pde` has two meanings"));
    assert!(
        with(vec![pde(), Closure::condition("end", "y = 0", 5, |at| at.unknown("u"))]).unwrap_err().to_string().contains("closures.end.on")
    );
    for (wrong, why) in [
        (Closure::equation("pde", |at| at.unknown("w")), "there is no unknown `w`"),
        (Closure::equation("pde", |at| at.d(&at.unknown("u"), "z")), "there is no variable `z`"),
        (Closure::equation("pde", |at| at.unknown("u").sum_all()), "`pde` gives []"),
    ] {
        let error = Solver::new(&with(vec![wrong]).unwrap(), None).err().map(|e| e.to_string()).unwrap_or_default();
        assert!(error.contains(why), "{error}");
    }
}

/// Decay at an unknown rate, from 40 values with noise: over ten draws of the noise, the rate scatters about the true one as far as
/// its stated deviation says, and the solution is closer than any value measured.
#[test]
fn a_fitted_number_scatters_as_its_stated_deviation_says() {
    let text = r#"
        domain = { t = [0, 1] }
        constants.rate = 1.5
        fit = { k = 0.5 }
        form.u = "1 + t*N"
        solution.u = "exp(-rate*t)"
        network = { widths = [8] }
        sampling.points = 40
        stages = [{ method = "levenberg_marquardt", steps = 40 }]
        equations = [{ name = "decay", formula = "d(u,t) = -k*u" }]
        data = [{ name = "measured", formula = "u", points = 40, noise = 0.02 }]
    "#;
    let mut scores = vec![];
    for seed in 1..=10 {
        let mut s = solver(&format!("seed = {seed}\n{text}"));
        while !s.is_done() {
            s.advance().unwrap();
        }
        let solved = s.solved().unwrap();
        let k = &solved.fitted[0];
        let deviation = k.deviation.unwrap();
        assert!((0.003..0.1).contains(&deviation), "{k:?}");
        scores.push((k.value - 1.5) / deviation);
        assert!(solved.relative_l2().unwrap() < 0.02);
    }
    let spread = scores.iter().map(|z| z * z).sum::<f64>() / 10.0;
    assert!((0.25..2.5).contains(&spread) && scores.iter().all(|z| z.abs() < 4.0), "{spread} {scores:?}");
    let without = text.replace("solution.u = \"exp(-rate*t)\"", "");
    assert!(problem(&without).unwrap_err().contains("data.0.formula: there is neither a file nor a solution"));
}

/// Laplace's equation on a ring, with a value outside and a slope along the normal inside.
#[test]
fn a_ring_with_values_outside_and_slopes_inside() {
    let text = r#"
        domain = { x = [-1, 1], y = [-1, 1] }
        shapes.disc = { keep = "inside", centre = { x = 0, y = 0 }, radius = 1 }
        shapes.hole = { centre = { x = 0.2, y = 0 }, radius = 0.3 }
        solution.u = "x^2 - y^2 + x"
        network = { widths = [100], spread = 1.0 }
        sampling.points = 400
        stages = [{ method = "least_squares", steps = 1 }]
        equations = [{ name = "laplace", formula = "d(u,x,x) + d(u,y,y) = 0" }]
        conditions = [
            { name = "values", on = "disc", formula = "u = x^2 - y^2 + x", points = 80 },
            { name = "slopes", on = "hole", formula = "n_x*d(u,x) + n_y*d(u,y) = n_x*(2*x + 1) - n_y*2*y", points = 80 },
        ]
    "#;
    let mut s = solver(text);
    s.advance().unwrap();
    let solved = s.solved().unwrap();
    let error = solved.relative_l2().unwrap();
    assert!(error < 1e-4, "{error}");
    assert!(solved.values[0][0].is_nan() && solved.values[0].iter().any(|v| v.is_finite()));
    let wrong = text.replace("radius = 0.3", "radius = 0.3, range = { x = [0, 1] }");
    assert!(problem(&wrong).unwrap_err().contains("shapes.hole: a shape needs `centre` and `radius`"));
    assert!(problem(&text.replace("radius = 0.3", "radius = 3")).unwrap_err().contains("shapes: the shapes leave too little"));
    assert!(problem(&text.replace("u = x^2 - y^2 + x\"", "u = n_z\"")).unwrap_err().contains("use n_x, n_y, u"));
}

/// The gallery's square with four holes, against the reference of others.
#[test]
fn a_square_with_four_holes_agrees_with_finite_elements() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/equations");
    let file: File = toml::from_str(&std::fs::read_to_string(folder.join("holes.toml")).unwrap()).unwrap();
    let problem = Problem::new(&file, &folder).unwrap();
    let Some(reference) = Reference::read(&problem, &folder).unwrap() else {
        return println!("skipped: there is no {}", file.reference.unwrap().file);
    };
    let mut s = Solver::new(&problem, Some(&reference)).unwrap();
    while !s.is_done() {
        s.advance().unwrap();
    }
    let error = s.solved().unwrap().relative_l2().unwrap();
    assert!(error < 1.2e-2, "{error}");
}

/// A swinging pendulum over a time that one small network does not follow: windows hand over place and speed; interrupted in
/// the third of them, the run goes on with the same bits.
#[test]
fn windows_of_time_are_solved_one_after_another() {
    let text = r#"
        windows = 6
        domain = { t = [0, 12] }
        solution.u = "cos(2*t)"
        network = { widths = [24], spread = 1.0 }
        sampling.points = 60
        stages = [{ method = "least_squares", steps = 1 }, { method = "levenberg_marquardt", steps = 2 }]
        equations = [{ name = "pendulum", formula = "d(u,t,t) = -4*u" }]
        conditions = [
            { name = "place", on = "t = 0", formula = "u = 1", weight = 10 },
            { name = "speed", on = "t = 0", formula = "d(u,t) = 0", weight = 10 },
        ]
    "#;
    let run = |mut s: Solver| {
        while !s.is_done() {
            s.advance().unwrap();
        }
        let error = s.solved().unwrap().relative_l2().unwrap();
        (s, error)
    };
    let (whole, error) = run(solver(text));
    assert!(error < 1e-3, "{error}");
    let one = run(solver(&text.replace("windows = 6", ""))).1;
    assert!(one > 10.0 * error, "{one} {error}");
    assert_eq!((whole.progress().finished.len(), whole.progress().ends.len(), whole.progress().total), (5, 12, 18));
    let mut first = solver(text);
    (0..8).for_each(|_| assert!(first.advance().is_ok()));
    let (progress, _) = Progress::from_bytes(&first.progress().to_bytes("").unwrap()).unwrap();
    assert_eq!((progress.finished.len(), &progress), (2, first.progress()));
    let second = run(Solver::resume(&problem(text).unwrap(), None, progress, first.records().to_vec()).unwrap()).0;
    assert_eq!(second.progress().weights, whole.progress().weights);
    assert_eq!(second.progress().finished, whole.progress().finished);
    for (before, after, key) in [
        ("on = \"t = 0\"", "on = \"t = 12\"", "conditions.0"),
        ("sampling.points", "form.u = \"t*N\"\nsampling.points", "form.u"),
        ("sampling.points", "fit.k = 1\nsampling.points", "fit"),
    ] {
        let wrong = problem(&text.replacen(before, after, 1)).unwrap_err();
        assert!(wrong.contains(&format!("{key}: `{key}` does not go with time windows")), "{wrong}");
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    for method in ["bfgs", "levenberg_marquardt"] {
        let run = |threads: usize| {
            let text = FILE.replace("levenberg_marquardt", method).replace("steps = 40", "steps = 6");
            let mut s = solver(&format!("threads = {threads}\n{text}"));
            while !s.is_done() {
                s.advance().unwrap();
            }
            s.progress().weights.clone()
        };
        assert_eq!(run(1), run(3), "{method}");
    }
}

/// What is changed in the file, and what the error must say.
#[test]
fn malformed_files_are_refused_with_place_and_reason() {
    let pde = "d(u,t) + d(u,x) = 0";
    let cases = [
        (pde, "d(u,t) + 2d(u,x) = 0", "equations.0.formula: `d` is not expected here (character 11)"),
        (pde, "d(u,t) + d(u,y) = 0", "`y` is no variable of the domain (character 14)"),
        (pde, "d(u,t) + speed*d(u,x) = 0", "`speed` is not known here (character 10)"),
        (pde, "d(u,t) + d(u,x)", "an equation needs a `=` (character 16)"),
        (pde, "d(u,t) + d(u,x = 0", "(character 16)"),
        (pde, "d(u,t) + foo(u) = 0", "there is no function `foo` (character 10)"),
        ("on = \"t = 0\"", "on = \"s = 0\"", "conditions.0.on: `s` is no variable of the domain; use x, t"),
        ("x = [0, 1]", "x = [1, 0]", "domain.x: the range of `x` is empty"),
        ("widths = [12, 12]", "widths = []", "network.widths: a network needs 1 to 8 layers"),
        ("periodic = [\"x\"]", "periodic = [\"y\"]", "network.periodic: `y` is no variable"),
        ("steps = 40", "steps = 0", "stages.0.steps: 0 is out of range"),
        ("points = 5", "points = 0", "conditions.0.points: 0 is out of range"),
        ("name = \"start\"", "name = \"pde\"", "`pde` has two meanings"),
        ("form.u", "form.w", "form.w: `w` is no unknown; use u"),
        ("adaptive = true", "adaptiv = true", "unknown field `adaptiv`"),
        ("levenberg_marquardt", "levenberg", "unknown variant `levenberg`"),
    ];
    for (before, after, expected) in cases {
        let text = FILE.replacen(before, after, 1);
        assert_ne!(text, FILE, "{before}");
        let message = problem(&text).unwrap_err();
        assert!(message.contains(expected), "{after}: {message}");
    }
    let deep = FILE.replacen(pde, &format!("{}u = 0", "-".repeat(100)), 1);
    assert!(problem(&deep).unwrap_err().contains("nested"));
    let file: File = toml::from_str(&FILE.replacen(pde, "d(u,t) = $", 1)).unwrap();
    let wrong = Problem::new(&file, Path::new(".")).unwrap_err();
    let Why::Formula(mistake) = wrong.why else { panic!("{wrong}") };
    assert_eq!(mistake.excerpt(), "d(u,t) = $\n         ^");
}
