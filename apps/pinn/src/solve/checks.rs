//! The parts of a file, checked one by one: names, network, stages, grid, and the sets of conditions.

use super::closure::Closure;
use super::file::{File, Stage};
use super::formula::Formula;
use super::names::{Names, Scope};
use super::problem::{Axis, Place, Set};
use super::spread::MAX_AXES;
use super::wrong::{Checked, wrongly};

/// Most points of a set, and most points of the grid.
const MOST_POINTS: usize = 1_000_000;

pub(super) fn check_names(file: &File) -> Checked<()> {
    if file.domain.is_empty() || file.domain.len() > MAX_AXES {
        return wrongly("domain", "axes", &[&file.domain.len().to_string()]);
    }
    if file.unknowns.is_empty() {
        return wrongly("unknowns", "no_unknowns", &[]);
    }
    let domain = file.domain.keys().map(|n| ("domain", n));
    let unknowns = file.unknowns.iter().map(|n| ("unknowns", n));
    let constants = file.constants.keys().map(|n| ("constants", n));
    let shapes = file.shapes.keys().map(|n| ("shapes", n));
    let all: Vec<(&str, &String)> =
        domain.chain(unknowns).chain(constants).chain(file.fit.keys().map(|n| ("fit", n))).chain(shapes).collect();
    for (i, (key, name)) in all.iter().enumerate() {
        let key = if *key == "unknowns" { (*key).to_string() } else { format!("{key}.{name}") };
        let word = name.starts_with(|c: char| c.is_alphabetic()) && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        let taken = ["d", "e", "pi", "π", "N"].contains(&name.as_str()) || super::Function::ALL.iter().any(|f| f.name() == *name);
        if !word || taken {
            return wrongly(key, "name", &[name]);
        }
        if all[..i].iter().any(|(_, other)| other == name) {
            return wrongly(key, "twice", &[name]);
        }
    }
    Ok(())
}

pub(super) fn check_network(file: &File, names: &Names) -> Checked<()> {
    let net = &file.network;
    if !(1..=8).contains(&net.widths.len()) || net.widths.iter().any(|w| !(1..=512).contains(w)) {
        return wrongly("network.widths", "units", &[]);
    }
    if !(1..=16).contains(&net.harmonics) {
        return wrongly("network.harmonics", "count", &[&net.harmonics.to_string(), "1 to 16"]);
    }
    if !(0.0..=100.0).contains(&net.spread) {
        return wrongly("network.spread", "positive", &[&net.spread.to_string()]);
    }
    if net.fourier > 512 {
        return wrongly("network.fourier", "count", &[&net.fourier.to_string(), "0 to 512"]);
    }
    if !(net.fourier_scale > 0.0 && net.fourier_scale <= 1000.0) {
        return wrongly("network.fourier_scale", "positive", &[&net.fourier_scale.to_string()]);
    }
    if !(1..=10_000_000).contains(&file.balance.every) {
        return wrongly("balance.every", "count", &[&file.balance.every.to_string(), "1 to 10000000"]);
    }
    net.periodic.iter().try_for_each(|name| names.axis("network.periodic", name).map(drop))
}

pub(super) fn check_stages(stages: &[Stage]) -> Checked<()> {
    if stages.is_empty() {
        return wrongly("stages", "no_stages", &[]);
    }
    for (i, s) in stages.iter().enumerate() {
        if s.steps == 0 || s.steps > 10_000_000 {
            return wrongly(format!("stages.{i}.steps"), "count", &[&s.steps.to_string(), "1 to 10000000"]);
        }
        if !(s.learning_rate > 0.0 && s.learning_rate.is_finite()) {
            return wrongly(format!("stages.{i}.learning_rate"), "positive", &[&s.learning_rate.to_string()]);
        }
    }
    Ok(())
}

pub(super) fn grid(file: &File, axes: &[Axis]) -> Checked<Vec<usize>> {
    if let Some(name) = file.grid.keys().find(|k| !axes.iter().any(|a| a.name == **k)) {
        let known: Vec<&str> = axes.iter().map(|a| a.name.as_str()).collect();
        return wrongly(format!("grid.{name}"), "variable", &[name, &known.join(", ")]);
    }
    let usual = [1001, 101, 31, 15][axes.len() - 1];
    let counts: Vec<usize> = axes.iter().map(|a| file.grid.get(&a.name).copied().unwrap_or(usual)).collect();
    match axes.iter().zip(&counts).find(|(_, n)| !(2..=MOST_POINTS).contains(*n)) {
        Some((a, n)) => wrongly(format!("grid.{}", a.name), "count", &[&n.to_string(), "2"]),
        None if counts.iter().try_fold(1usize, |p, &n| p.checked_mul(n)).is_none_or(|p| p > MOST_POINTS) => {
            wrongly("grid", "count", &[&format!("{counts:?}"), &format!("2, at most {MOST_POINTS} in all")])
        }
        None => Ok(counts),
    }
}

pub(super) fn sets(
    file: &File,
    names: &Names,
    solution: &[Option<Formula>],
    folder: &std::path::Path,
    closures: &[Closure],
) -> Checked<Vec<Set>> {
    if file.equations.is_empty() && closures.iter().all(|c| c.on.is_some()) {
        return wrongly("equations", "no_equations", &[]);
    }
    let points = |key: String, n: usize| {
        if (1..=MOST_POINTS).contains(&n) { Ok(n) } else { wrongly(key, "count", &[&n.to_string(), &format!("1 to {MOST_POINTS}")]) }
    };
    let weight = |key: String, w: f64| if w > 0.0 && w.is_finite() { Ok(w) } else { wrongly(key, "positive", &[&w.to_string()]) };
    let mut terms = vec![];
    for (i, e) in file.equations.iter().enumerate() {
        let formula = names.equation(&format!("equations.{i}.formula"), &e.formula, Scope::Everything)?;
        terms.push((e.name.clone(), Some(formula), weight(format!("equations.{i}.weight"), e.weight)?));
    }
    for c in closures.iter().filter(|c| c.on.is_none()) {
        terms.push((c.name.clone(), None, weight(format!("closures.{}.weight", c.name), c.weight)?));
    }
    let mut all = vec![Set { place: None, points: points("sampling.points".into(), file.sampling.points)?, terms }];
    // A place that is a point, or a point at each end, has no room for more.
    let counted = |place: &Place, points: usize| {
        let fixed = matches!(place, Place::Faces(faces) if faces[0].len() == names.axes.len()) || names.axes.len() == 1;
        match place {
            Place::Faces(faces) if fixed => faces.len(),
            Place::Surface(_) => points,
            _ if fixed => 1,
            _ => points,
        }
    };
    for (i, c) in file.conditions.iter().enumerate() {
        let key = |name: &str| format!("conditions.{i}.{name}");
        let weight = weight(key("weight"), c.weight)?;
        let (place, formula) = match (&c.on, &c.formula, &c.periodic) {
            (Some(on), Some(f), None) => {
                let place = names.place(&key("on"), on)?;
                let scope = if let Place::Surface(k) = place { Scope::Surface(k) } else { Scope::Everything };
                (place, Some(names.equation(&key("formula"), f, scope)?))
            }
            (None, None, Some(axis)) => {
                if c.derivatives > 4 {
                    return wrongly(key("derivatives"), "count", &[&c.derivatives.to_string(), "0 to 4"]);
                }
                (Place::Ends(names.axis(&key("periodic"), axis)?, c.derivatives), None)
            }
            _ => return wrongly(format!("conditions.{i}"), "condition", &[]),
        };
        let points = counted(&place, points(key("points"), c.points)?);
        all.push(Set { place: Some(place), points, terms: vec![(c.name.clone(), formula, weight)] });
    }
    for c in closures {
        let Some((on, n)) = &c.on else { continue };
        let key = |name: &str| format!("closures.{}.{name}", c.name);
        let place = names.place(&key("on"), on)?;
        let points = counted(&place, points(key("points"), *n)?);
        all.push(Set { place: Some(place), points, terms: vec![(c.name.clone(), None, weight(key("weight"), c.weight)?)] });
    }
    for (i, d) in file.data.iter().enumerate() {
        let key = |name: &str| format!("data.{i}.{name}");
        let formula = names.formula(&key("formula"), &d.formula, Scope::Everything)?;
        let (columns, values) = match &d.file {
            Some(path) => {
                let table = super::reference::table(&folder.join(path), names.axes.len() + 1);
                let rows = table.or_else(|why| wrongly(key("file"), "file", &[&why]))?;
                let column = |a: usize| rows.iter().map(|r| r[a]).collect();
                ((0..names.axes.len()).map(column).collect(), column(names.axes.len()))
            }
            None if d.noise >= 0.0 && d.noise.is_finite() => {
                points(key("points"), d.points)?;
                names.measured(&key("formula"), d, &formula, solution, all.len() as u32)?
            }
            None => return wrongly(key("noise"), "positive", &[&d.noise.to_string()]),
        };
        let terms = vec![(d.name.clone(), Some(formula), weight(key("weight"), d.weight)?)];
        let count = points(key("file"), values.len())?;
        all.push(Set { place: Some(Place::Points(columns, values)), points: count, terms });
    }
    let losses: Vec<&String> = all.iter().flat_map(|s| s.terms.iter().map(|t| &t.0)).collect();
    match (0..losses.len()).find(|&i| losses[..i].contains(&losses[i]) || losses[i].is_empty()) {
        Some(i) => wrongly("equations", "twice", &[losses[i]]),
        None => Ok(all),
    }
}
