//! Finite differences as a rival of the network: right where the solution is known, refused where they do not apply.

use pinn::solve::{File, Problem, Reference, Rival, Unsuited};
use std::path::{Path, PathBuf};

fn gallery() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/equations")
}

fn problem(text: &str) -> Problem {
    Problem::new(&toml::from_str::<File>(text).unwrap(), &gallery()).unwrap()
}

fn solve(problem: &Problem, reference: Option<&Reference>, points: usize) -> Result<Rival, Unsuited> {
    Rival::solve(problem, &Reference::all(problem, reference), points)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(gallery().join(name)).unwrap()
}

#[test]
fn equations_of_the_gallery_agree_with_their_exact_solutions() {
    for (name, points, most) in [
        ("transport", 200, 1e-4),
        ("advection", 400, 1e-3),
        ("heat", 81, 1e-5),
        ("wave", 201, 1e-4),
        ("front", 301, 1e-4),
        ("schroedinger", 201, 2e-3),
        ("parametric", 40, 2e-2),
    ] {
        let rival = solve(&problem(&text(&format!("{name}.toml"))), None, points);
        let rival = rival.unwrap_or_else(|e| panic!("{name}: {e:?}"));
        println!("{name}: {:?}, {} steps, {:.2} s", rival.distances, rival.steps, rival.seconds);
        assert!(!rival.distances.is_empty() && rival.distances.iter().all(|d| d.relative_l2 < most), "{name}: {:?}", rival.distances);
        assert_eq!(rival.differences(&rival.values), vec![0.0; rival.values.len()]);
    }
}

#[test]
fn burgers_and_allen_cahn_agree_with_the_references_of_others() {
    for (name, points, most) in [("burgers", 1201, 1e-3), ("allen_cahn", 512, 1e-3)] {
        let problem = problem(&text(&format!("{name}.toml")));
        let Ok(Some(reference)) = Reference::read(&problem, &gallery()) else {
            println!("skipped: {name} has no reference here");
            continue;
        };
        let rival = solve(&problem, Some(&reference), points).unwrap();
        println!("{name}: {:?}, {} steps, {:.2} s", rival.distances, rival.steps, rival.seconds);
        assert!(rival.distances[0].relative_l2 < most, "{name}: {:?}", rival.distances);
    }
}

/// Slopes at one end and a mixture at the other; two dimensions and a system; third derivatives around a circle.
#[test]
fn conditions_of_every_kind_hold() {
    let rod = r#"
        domain = { x = [0, 1], t = [0, 1] }
        solution.u = "exp(-t)*cos(x)"
        stages = [{ method = "adam", steps = 1 }]
        equations = [{ name = "heat", formula = "d(u,t) = d(u,x,x)" }]
        conditions = [
            { name = "start", on = "t = 0", formula = "2*u = 2*cos(x)" },
            { name = "insulated", on = "x = 0", formula = "d(u,x) = 0" },
            { name = "cooled", on = "x = 1", formula = "d(u,x) + u = exp(-t)*(cos(1) - sin(1))" },
        ]
    "#;
    let plate = r#"
        unknowns = ["u", "v"]
        domain = { x = [0, 1], y = [0, 1], t = [0, 0.3] }
        form = { u = "sin(pi*x)*sin(pi*y) + t*x*(1-x)*y*(1-y)*N", v = "t*x*(1-x)*y*(1-y)*N" }
        solution = { u = "sin(pi*x)*sin(pi*y)*cos(t)", v = "-sin(pi*x)*sin(pi*y)*sin(t)" }
        grid = { x = 11, y = 11, t = 4 }
        stages = [{ method = "adam", steps = 1 }]
        equations = [
            { name = "sum", formula = "d(u,t) + d(v,t) = v + (d(u,x,x) + d(u,y,y))/(2*pi^2)" },
            { name = "difference", formula = "d(u,t) - d(v,t) = v - (d(u,x,x) + d(u,y,y))/(2*pi^2)" },
        ]
    "#;
    let soliton = r#"
        domain = { x = [-10, 12], t = [0, 0.5] }
        form.u = "2*sech(x)^2 + t*N"
        network.periodic = ["x"]
        solution.u = "2*sech(x - 4*t)^2"
        stages = [{ method = "adam", steps = 1 }]
        equations = [{ name = "kdv", formula = "d(u,t) + d(3*u^2,x) + d(u,x,x,x) = 0" }]
    "#;
    for (text, points) in [(rod, 41), (plate, 21), (soliton, 200)] {
        let rival = solve(&problem(text), None, points).unwrap();
        assert!(rival.distances.iter().all(|d| d.relative_l2 < 1e-3), "{:?}", rival.distances);
    }
}

#[test]
fn what_does_not_suit_is_refused() {
    let refused = |text: &str| solve(&problem(text), None, 41).unwrap_err();
    assert_eq!(refused(&text("poisson.toml")), Unsuited::Steady);
    assert_eq!(refused(&text("inverse.toml")), Unsuited::Fitted);
    let heat = text("heat.toml");
    assert_eq!(refused(&heat.replace("d(u,t)", "d(u,t)^2")), Unsuited::Time);
    assert_eq!(refused(&heat.replace("d(u,t)", "u")), Unsuited::Time);
    assert_eq!(solve(&problem(&heat), None, 3), Err(Unsuited::Points(3)));
    let blown = r#"
        domain = { t = [0, 2] }
        form.u = "1 + t*N"
        stages = [{ method = "adam", steps = 1 }]
        equations = [{ name = "blow up", formula = "d(u,t) = u^2" }]
    "#;
    assert_eq!(refused(blown), Unsuited::Stiff);
    assert_eq!(refused(&blown.replace("1 + t*N", "1 + N")), Unsuited::Start("u".into()));
}
