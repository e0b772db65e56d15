//! Convolutions. Images come with channels first, `[N, C, H, W]` or `[N, C, W]`; the graph has them last.

use super::call::{Call, Outcome, invalid, one, size, unsupported};
use super::pad::constant;
use super::table::Rule;
use super::value::{Item, Kind, bounded};
use graph::ops::Conv;
use graph::{Op, Tensor};

pub(super) fn find(op: &str) -> Option<Rule> {
    Some(match op {
        "Conv" => conv,
        "ConvTranspose" => transposed,
        _ => return None,
    })
}

/// Convolutions of this many groups are made one by one.
const GROUPS: usize = 64;

/// Larger kernels, steps and padding are mistakes, and their products might overflow.
const EXTENT: usize = 1 << 24;

/// An attribute that lists extents.
fn lengths(list: &[i64], name: &str) -> Outcome<Vec<usize>> {
    let fits = |x: &i64| usize::try_from(*x).ok().filter(|&n| n <= EXTENT);
    list.iter().map(fits).collect::<Option<_>>().map_or_else(|| invalid(format!("{name} is {list:?}")), Ok)
}

/// Geometry of a convolution or of pooling, of height and width; images of one axis have height 1.
pub(super) struct Window {
    pub line: bool,
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub dilation: [usize; 2],
    /// Before and after.
    pub padding: [(i64, i64); 2],
}

impl Window {
    /// From the attributes, for an image `[N, C, …]`; `kernel` if the attribute is missing.
    pub fn new(c: &Call, image: &[usize], kernel: &[usize]) -> Outcome<Window> {
        let axes = image.len().saturating_sub(2);
        match axes {
            1 | 2 => {}
            0 => return invalid(format!("needs images [N, C, …], got {image:?}")),
            n => return unsupported(format!("windows of {n} dimensions: the graph has images, of two")),
        }
        let line = axes == 1;
        let list = |name: &str, default: usize| -> Outcome<[usize; 2]> {
            let Some(list) = c.ints(name)? else { return Ok([if line { 1 } else { default }, default]) };
            let list = lengths(&list, name)?;
            spatial(&list, line, 1).filter(|l| !l.contains(&0)).map_or_else(|| invalid(format!("{name} is {list:?}")), Ok)
        };
        let kernel = match (c.attribute("kernel_shape"), spatial(kernel, line, 1)) {
            (None, Some(k)) => k,
            (None, None) => return invalid("kernel_shape is missing"),
            (Some(_), _) => list("kernel_shape", 1)?,
        };
        let mut w = Window { line, kernel, stride: list("strides", 1)?, dilation: list("dilations", 1)?, padding: [(0, 0); 2] };
        w.padding = w.padded(c, image)?;
        Ok(w)
    }

    fn padded(&self, c: &Call, image: &[usize]) -> Outcome<[(i64, i64); 2]> {
        let extents = self.extents(image);
        match c.text("auto_pad", "NOTSET")?.as_str() {
            "NOTSET" => {
                let pads = c.ints("pads")?.unwrap_or(vec![0; 2 * (image.len() - 2)]);
                match pads[..] {
                    _ if pads.iter().any(|p| p.unsigned_abs() > EXTENT as u64) => invalid(format!("pads is {pads:?}")),
                    [a, b] if self.line => Ok([(0, 0), (a, b)]),
                    [a, b, c, d] if !self.line => Ok([(a, c), (b, d)]),
                    _ => invalid(format!("pads is {pads:?}")),
                }
            }
            "VALID" => Ok([(0, 0); 2]),
            mode @ ("SAME_UPPER" | "SAME_LOWER") => Ok([0, 1].map(|d| {
                let (n, s) = (extents[d] as i64, self.stride[d] as i64);
                let total = ((n + s - 1) / s - 1) * s + self.reach(d) - n;
                let (less, more) = (total.max(0) / 2, total.max(0) - total.max(0) / 2);
                if mode == "SAME_UPPER" { (less, more) } else { (more, less) }
            })),
            other => invalid(format!("auto_pad {other} does not exist")),
        }
    }

    /// Height and width.
    pub fn extents(&self, image: &[usize]) -> [usize; 2] {
        spatial(&image[2..], self.line, 1).unwrap_or([1, 1])
    }

    /// Extent of the dilated kernel.
    pub fn reach(&self, d: usize) -> i64 {
        (self.kernel[d] as i64 - 1) * self.dilation[d] as i64 + 1
    }
}

/// Two numbers, the first of which is `missing` for an image of one axis.
pub(super) fn spatial(list: &[usize], line: bool, missing: usize) -> Option<[usize; 2]> {
    match list {
        [w] if line => Some([missing, *w]),
        [h, w] if !line => Some([*h, *w]),
        _ => None,
    }
}

/// `[N, C, H, W]` or `[N, C, W]` → `[N, H, W, C]`.
pub(super) fn channels_last(x: &Tensor, line: bool) -> Tensor {
    let s = x.shape();
    let x = if line { x.reshape(&[s[0], s[1], 1, s[2]]) } else { x.clone() };
    x.transpose(&[0, 2, 3, 1])
}

/// `[N, H, W, C]` → `[N, C, H, W]` or `[N, C, W]`.
pub(super) fn channels_first(x: &Tensor, line: bool) -> Tensor {
    let x = x.transpose(&[0, 3, 1, 2]);
    let s = x.shape();
    if line && s.len() == 4 { x.reshape(&[s[0], s[1], s[3]]) } else { x }
}

/// A kernel `[A, B, H, W]` or `[A, B, W]` → `[H, W, …]`, its first two axes in the given order.
fn kernel(w: &Tensor, line: bool, order: [usize; 2]) -> Tensor {
    let s = w.shape();
    let w = if line { w.reshape(&[s[0], s[1], 1, s[2]]) } else { w.clone() };
    w.transpose(&[2, 3, order[0], order[1]])
}

fn with_bias(c: &Call, y: Tensor) -> Outcome<Tensor> {
    if !c.has(2) {
        return Ok(y);
    }
    let bias = c.x(2)?;
    let fits = y.rank() == 4 && bias.shape() == &y.shape()[3..];
    if fits { Ok(&y + &bias.broadcast(y.shape(), &[3])) } else { invalid(format!("a bias of shape {:?}", bias.shape())) }
}

/// Fails if a result would be empty or huge.
fn result(extents: [i64; 2], n: usize, channels: usize) -> Outcome<()> {
    if extents.iter().any(|&e| e < 1) {
        return invalid("the kernel does not fit the image");
    }
    bounded(&[n, extents[0] as usize, extents[1] as usize, channels])
}

fn conv(c: &Call) -> Outcome<Vec<Item>> {
    let (x, w) = (c.x(0)?, c.x(1)?);
    let window = Window::new(c, x.shape(), w.shape().get(2..).unwrap_or(&[]))?;
    let groups = size(c.int("group", 1)?, "group")?;
    let extents = window.extents(x.shape());
    if w.rank() != x.rank() || spatial(&w.shape()[2..], window.line, 1) != Some(window.kernel) {
        return invalid(format!("a kernel of shape {:?} for images {:?}", w.shape(), x.shape()));
    }
    let (n, channels, out) = (x.shape()[0], x.shape()[1], w.shape()[0]);
    if groups == 0 || channels != w.shape()[1].saturating_mul(groups) || out % groups != 0 {
        return invalid(format!("a kernel {:?} in {groups} groups does not fit {channels} channels", w.shape()));
    }
    let steps = |d: usize| {
        (extents[d] as i64 + window.padding[d].0 + window.padding[d].1 - window.reach(d)).div_euclid(window.stride[d] as i64) + 1
    };
    result([steps(0), steps(1)], n, out)?;
    let x = channels_last(&x, window.line);
    let geometry = Conv { stride: window.stride, padding: window.padding, rhs_dilation: window.dilation, ..Conv::default() };
    let y = if groups == 1 {
        x.conv(&kernel(&w, window.line, [1, 0]), geometry)
    } else if w.shape()[1] == 1 {
        depthwise(&x, &kernel(&w, window.line, [1, 0]), &window, [steps(0) as usize, steps(1) as usize])?
    } else if groups <= GROUPS {
        let part = |g: usize| {
            let (i, o) = (channels / groups, out / groups);
            x.slice(3, g * i, (g + 1) * i).conv(&kernel(&w.slice(0, g * o, (g + 1) * o), window.line, [1, 0]), geometry)
        };
        Tensor::concat(&(0..groups).map(part).collect::<Vec<_>>().iter().collect::<Vec<_>>(), 3)
    } else {
        return unsupported(format!("{groups} groups of several channels"));
    };
    one(Kind::Float, channels_first(&with_bias(c, y)?, window.line))
}

/// Each channel with its own kernels: for each place of the kernel, the image moved there times one number
/// per channel.
fn depthwise(x: &Tensor, w: &Tensor, window: &Window, steps: [usize; 2]) -> Outcome<Tensor> {
    let (channels, out) = (x.shape()[3], w.shape()[3]);
    let times = out / channels;
    if window.kernel[0].saturating_mul(window.kernel[1]) > 1024 {
        return unsupported("a depthwise kernel of more than 1024 elements");
    }
    let padded = constant(x, &[(0, 0), window.padding[0], window.padding[1], (0, 0)], 0.0)?;
    let mut sum: Option<Tensor> = None;
    for (ky, kx) in (0..window.kernel[0]).flat_map(|y| (0..window.kernel[1]).map(move |x| (y, x))) {
        let tap = moved(&padded, window, [ky, kx], steps);
        let tap = if times == 1 {
            tap
        } else {
            let s = tap.shape();
            tap.broadcast(&[s[0], s[1], s[2], s[3], times], &[0, 1, 2, 3]).reshape(&[s[0], s[1], s[2], out])
        };
        let factor = w.slice(0, ky, ky + 1).slice(1, kx, kx + 1).reshape(&[out]);
        let term = &tap * &factor.broadcast(tap.shape(), &[3]);
        sum = Some(sum.map_or(term.clone(), |s| s + term));
    }
    sum.map_or_else(|| invalid("an empty kernel"), Ok)
}

/// What each output position sees at one place of its window.
pub(super) fn moved(padded: &Tensor, window: &Window, at: [usize; 2], steps: [usize; 2]) -> Tensor {
    let start = [0, at[0] * window.dilation[0], at[1] * window.dilation[1], 0];
    let s = padded.shape();
    let limit = |d: usize| start[d + 1] + (steps[d] - 1) * window.stride[d] + 1;
    let limit = vec![s[0], limit(0), limit(1), s[3]];
    let stride = vec![1, window.stride[0], window.stride[1], 1];
    padded.tracer().push(Op::Slice { start: start.to_vec(), limit, stride }, &[padded])
}

/// The transpose of a convolution: the image, spread by the stride, convolved with the kernel turned around.
fn transposed(c: &Call) -> Outcome<Vec<Item>> {
    let (x, w) = (c.x(0)?, c.x(1)?);
    let mut window = Window::new(c, x.shape(), w.shape().get(2..).unwrap_or(&[]))?;
    let groups = size(c.int("group", 1)?, "group")?;
    if w.rank() != x.rank() || spatial(&w.shape()[2..], window.line, 1) != Some(window.kernel) {
        return invalid(format!("a kernel of shape {:?} for images {:?}", w.shape(), x.shape()));
    }
    let (n, channels, each) = (x.shape()[0], x.shape()[1], w.shape()[1]);
    if groups == 0 || groups > GROUPS || channels != w.shape()[0] || channels % groups != 0 {
        return invalid(format!("a kernel {:?} in {groups} groups does not fit {channels} channels", w.shape()));
    }
    let extents = window.extents(x.shape());
    let extra = output_padding(c, &mut window, extents)?;
    let padding = [0, 1].map(|d| {
        let full = window.reach(d) - 1;
        (full - window.padding[d].0, full - window.padding[d].1 + extra[d])
    });
    let steps = |d: usize| (extents[d] as i64 - 1) * window.stride[d] as i64 + 1 + padding[d].0 + padding[d].1 - window.reach(d) + 1;
    result([steps(0), steps(1)], n, each.saturating_mul(groups))?;
    let geometry = Conv { padding, lhs_dilation: window.stride, rhs_dilation: window.dilation, ..Conv::default() };
    let x = channels_last(&x, window.line);
    let part = |g: usize| {
        let i = channels / groups;
        let weights = kernel(&w.slice(0, g * i, (g + 1) * i), window.line, [0, 1]).reverse(&[0, 1]);
        x.slice(3, g * i, (g + 1) * i).conv(&weights, geometry)
    };
    let y = Tensor::concat(&(0..groups).map(part).collect::<Vec<_>>().iter().collect::<Vec<_>>(), 3);
    one(Kind::Float, channels_first(&with_bias(c, y)?, window.line))
}

/// Extra rows and columns at the end; sets the padding if it follows from the wanted size instead.
fn output_padding(c: &Call, window: &mut Window, extents: [usize; 2]) -> Outcome<[i64; 2]> {
    let list = |name: &str| -> Outcome<Option<[usize; 2]>> {
        let Some(list) = c.ints(name)? else { return Ok(None) };
        // Some files give the whole shape, with batch and channels.
        let list = lengths(&list, name)?;
        let axes = if window.line { 1 } else { 2 };
        let tail = &list[list.len().saturating_sub(axes)..];
        spatial(tail, window.line, usize::from(name == "output_shape"))
            .map_or_else(|| invalid(format!("{name} is {list:?}")), |l| Ok(Some(l)))
    };
    let extra = list("output_padding")?.unwrap_or([0, 0]).map(|n| n as i64);
    let mode = c.text("auto_pad", "NOTSET")?;
    let same = mode.starts_with("SAME");
    let wanted = match list("output_shape")? {
        Some(shape) => shape,
        None if same => [0, 1].map(|d| extents[d].saturating_mul(window.stride[d])),
        None => return Ok(extra),
    };
    window.padding = [0, 1].map(|d| {
        let full = (extents[d] as i64 - 1) * window.stride[d] as i64 + extra[d] + window.reach(d);
        let total = full - wanted[d] as i64;
        let (less, more) = (total.div_euclid(2), total - total.div_euclid(2));
        if mode == "SAME_UPPER" { (less, more) } else { (more, less) }
    });
    Ok(extra)
}
