//! Images made larger or smaller, axis by axis.

use super::call::{Call, Outcome, axis, invalid, one, repeated, unsupported};
use super::index::take;
use super::table::Rule;
use super::value::{Item, Kind, LARGEST, bounded};
use crate::model::Attribute;
use graph::Tensor;

pub(super) fn find(op: &str) -> Option<Rule> {
    Some(match op {
        "Resize" | "Upsample" => resize,
        _ => return None,
    })
}

/// How one axis changes.
struct Change {
    axis: usize,
    from: usize,
    to: usize,
    scale: f64,
}

fn resize(c: &Call) -> Outcome<Vec<Item>> {
    let x = c.x(0)?;
    let upsample = c.node.op == "Upsample" || c.opset < 11;
    if c.int("antialias", 0)? != 0 || c.int("exclude_outside", 0)? != 0 {
        return unsupported("antialiasing and excluding what is outside");
    }
    let (coordinates, rounding) = if upsample {
        ("asymmetric".to_string(), "floor".to_string())
    } else {
        (c.text("coordinate_transformation_mode", "half_pixel")?, c.text("nearest_mode", "round_prefer_floor")?)
    };
    let linear = match c.text("mode", "nearest")?.as_str() {
        "nearest" => false,
        "linear" | "bilinear" => true,
        other => return unsupported(format!("mode {other}")),
    };
    let mut out = x.clone();
    for change in changes(c, x.shape(), upsample)? {
        let places = (0..change.to).map(|o| source(o as f64, &change, &coordinates)).collect::<Outcome<Vec<f64>>>()?;
        out = if linear { interpolated(c, &out, &change, &places)? } else { nearest(c, &out, &change, &places, &rounding)? };
    }
    one(c.kind(0)?, out)
}

/// The axes that change, from the scales or the sizes.
fn changes(c: &Call, shape: &[usize], upsample: bool) -> Outcome<Vec<Change>> {
    let which: Vec<usize> = match c.ints("axes")? {
        Some(list) => list.iter().map(|&a| axis(a, shape.len())).collect::<Outcome<_>>()?,
        None => (0..shape.len()).collect(),
    };
    let scales = match c.attribute("scales") {
        Some(Attribute::Floats(list)) => list.iter().map(|&x| f64::from(x)).collect(),
        _ => c.known(if upsample { 1 } else { 2 })?.map_or(vec![], |k| k.data.clone()),
    };
    let sizes = if upsample { None } else { c.list(3)? }.filter(|s| !s.is_empty());
    if sizes.is_some() && c.text("keep_aspect_ratio_policy", "stretch")? != "stretch" {
        return unsupported("sizes that keep the aspect ratio");
    }
    let count = sizes.as_ref().map_or(scales.len(), Vec::len);
    if count != which.len() {
        return invalid(format!("{count} scales or sizes for {} axes", which.len()));
    }
    let mut all = vec![];
    for (i, &axis) in which.iter().enumerate() {
        let from = shape[axis];
        let (to, scale) = match &sizes {
            Some(sizes) => (sizes[i] as f64, sizes[i] as f64 / from as f64),
            None => ((from as f64 * scales[i]).floor(), scales[i]),
        };
        if from == 0 || !(to >= 1.0 && to <= LARGEST as f64 && scale > 0.0) {
            return invalid(format!("axis {axis} of {shape:?} cannot become {to} long"));
        }
        let to = to as usize;
        bounded(&[to])?;
        if to > 1 << 16 {
            return unsupported(format!("an axis of {to} elements"));
        }
        // Linear interpolation by a scale that is no ratio of sizes still moves the coordinates.
        if to != from || scale != 1.0 {
            all.push(Change { axis, from, to, scale });
        }
    }
    Ok(all)
}

/// Where output element `o` lies among the elements of the operand.
fn source(o: f64, change: &Change, mode: &str) -> Outcome<f64> {
    let (from, to) = (change.from as f64, change.to as f64);
    Ok(match mode {
        "half_pixel" => (o + 0.5) / change.scale - 0.5,
        // Scaled sizes that are not whole are cut off, evenly on both sides.
        "half_pixel_symmetric" => {
            let center = from / 2.0;
            center * (1.0 - to / (change.scale * from)) + (o + 0.5) / change.scale - 0.5
        }
        "pytorch_half_pixel" => {
            if change.to > 1 {
                (o + 0.5) / change.scale - 0.5
            } else {
                0.0
            }
        }
        "align_corners" => {
            // The length before it is cut off to a whole number.
            let length = if to == (from * change.scale).floor() { from * change.scale } else { to };
            if change.to > 1 { o * (from - 1.0) / (length - 1.0) } else { 0.0 }
        }
        "asymmetric" => o / change.scale,
        "tf_half_pixel_for_nn" => (o + 0.5) / change.scale,
        other => return unsupported(format!("coordinates of mode {other}")),
    })
}

/// Elements at known places of an axis.
fn at(c: &Call, x: &Tensor, change: &Change, places: impl Iterator<Item = f64>) -> Outcome<Tensor> {
    let index: Vec<f64> = places.map(|p| p.clamp(0.0, change.from as f64 - 1.0)).collect();
    take(x, change.axis, &c.target.tensor(&Item::known(Kind::Int, &[index.len()], index))?)
}

fn nearest(c: &Call, x: &Tensor, change: &Change, places: &[f64], rounding: &str) -> Outcome<Tensor> {
    let round: fn(f64) -> f64 = match rounding {
        "round_prefer_floor" => |p| (p - 0.5).ceil(),
        "round_prefer_ceil" => |p| (p + 0.5).floor(),
        "floor" => f64::floor,
        "ceil" => f64::ceil,
        other => return invalid(format!("nearest_mode {other} does not exist")),
    };
    at(c, x, change, places.iter().map(|&p| round(p)))
}

fn interpolated(c: &Call, x: &Tensor, change: &Change, places: &[f64]) -> Outcome<Tensor> {
    let below = at(c, x, change, places.iter().map(|p| p.floor()))?;
    let above = at(c, x, change, places.iter().map(|p| p.floor() + 1.0))?;
    let share: Vec<f64> = places.iter().map(|p| p - p.floor()).collect();
    let mut shape = vec![1; x.rank()];
    shape[change.axis] = share.len();
    let share = c.target.tensor(&Item::known(Kind::Float, &shape, share))?;
    let all = repeated(&[below, above, share])?;
    Ok(&all[0] + (&all[1] - &all[0]) * &all[2])
}
