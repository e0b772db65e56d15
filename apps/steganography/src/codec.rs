//! The networks at work on pictures of any size, tile by tile: what a tile sees of its neighbours overlaps, so that tiles leave
//! no seams and memory does not grow with the picture.

use crate::Result;
use crate::model::Model;
use crate::network::{HALO, Layout};
use crate::picture::Picture;
use crate::training::Settings;
use neurona::{Arg, Context, DType, Function};

/// Cells of a tile's side.
const TILE: usize = 24;
/// The same with what is seen around it.
const SEEN: usize = TILE + 2 * HALO;

/// A model, ready for use.
pub struct Codec {
    /// Which.
    pub model: Model,
    /// What it was trained with.
    pub settings: Settings,
    weights: Vec<Vec<f32>>,
    /// How many of them are the reader's; they come first.
    read: usize,
    reader: Function,
    /// Compiled when it is needed.
    writer: Option<Function>,
    threads: usize,
}

/// The cells of a picture.
#[derive(Clone, Copy, Debug)]
struct Grid {
    across: usize,
    down: usize,
    cell: usize,
    width: usize,
}

impl Grid {
    fn of(picture: &Picture, layout: &Layout) -> Grid {
        let cell = layout.cell;
        Grid { across: picture.width / cell, down: picture.height / cell, cell, width: picture.width }
    }

    /// The first pixels of the tiles, as cells: x, y.
    fn tiles(self) -> impl Iterator<Item = [usize; 2]> {
        (0..self.down).step_by(TILE).flat_map(move |y| (0..self.across).step_by(TILE).map(move |x| [x, y]))
    }

    /// Where a line of a cell begins.
    fn line(&self, x: usize, y: usize, line: usize) -> usize {
        ((y * self.cell + line) * self.width + x * self.cell) * 3
    }

    /// What a tile sees; beyond the edge, the cells at the edge again.
    fn see(&self, rgb: &[u8], [x0, y0]: [usize; 2], seen: &mut Vec<f32>) {
        seen.clear();
        for y in 0..SEEN {
            for x in 0..SEEN {
                let clamp = |k: usize, n: usize| k.saturating_sub(HALO).min(n - 1);
                let (x, y) = (clamp(x0 + x, self.across), clamp(y0 + y, self.down));
                for line in 0..self.cell {
                    let at = self.line(x, y, line);
                    seen.extend(rgb[at..at + 3 * self.cell].iter().map(|&p| f32::from(p)));
                }
            }
        }
    }

    /// The cells of a tile that are in the picture: place in the tile, place in the picture.
    fn inside(self, [x0, y0]: [usize; 2]) -> impl Iterator<Item = [[usize; 2]; 2]> {
        let (w, h) = (TILE.min(self.across - x0), TILE.min(self.down - y0));
        (0..h).flat_map(move |y| (0..w).map(move |x| [[x, y], [x0 + x, y0 + y]]))
    }
}

impl Codec {
    /// A model with the weights that come with the program. `threads` are worker threads, 0 one for each processor.
    ///
    /// # Errors
    /// Errors of the engine.
    pub fn built_in(model: Model, threads: usize) -> Result<Codec> {
        let weights = model.weights()?;
        let settings = model.settings().map_err(|e| {
            crate::Error::Engine(neurona::Error::Config {
                what: model.name().into(),
                why: e.to_string(),
                fix: "reinstall the program".into(),
            })
        })?;
        Codec::new(model, settings, weights, threads)
    }

    /// A model with other weights.
    ///
    /// # Errors
    /// Errors of the engine.
    pub fn new(model: Model, settings: Settings, weights: Vec<Vec<f32>>, threads: usize) -> Result<Codec> {
        let cx = Context::new(DType::F32, false);
        let layout = settings.layout;
        let x = cx.input("pictures", DType::F32, &[1, SEEN, SEEN, layout.numbers()]);
        let logits = layout.read(&cx, &x);
        let reader = Function::compile(&cx, &[&logits], threads).map_err(neurona::Error::from)?;
        let read = cx.params().len();
        Ok(Codec { model, settings, weights, read, reader, writer: None, threads })
    }

    /// Bits that a picture of this size carries.
    pub fn bits(&self, picture: &Picture) -> usize {
        let grid = Grid::of(picture, &self.settings.layout);
        grid.across * grid.down * self.settings.layout.bits
    }

    /// The places of the bits that may be used: not those of cells with pixels that are quite transparent, whose colours programs
    /// feel free to change.
    pub fn usable(&self, picture: &Picture) -> Option<Vec<u32>> {
        let alpha = picture.alpha.as_ref().filter(|a| a.contains(&0))?;
        let grid = Grid::of(picture, &self.settings.layout);
        let bits = self.settings.layout.bits;
        let seen = |x: usize, y: usize| {
            (0..grid.cell).all(|line| {
                let at = grid.line(x, y, line) / 3;
                !alpha[at..at + grid.cell].contains(&0)
            })
        };
        let cells = (0..grid.across * grid.down).filter(|c| seen(c % grid.across, c / grid.across));
        Some(cells.flat_map(|c| (0..bits).map(move |b| (c * bits + b) as u32)).collect())
    }

    /// What is read of each bit.
    ///
    /// # Errors
    /// Errors of the engine.
    pub fn logits(&mut self, picture: &Picture) -> Result<Vec<f32>> {
        let grid = Grid::of(picture, &self.settings.layout);
        let bits = self.settings.layout.bits;
        let mut all = vec![0.0; grid.across * grid.down * bits];
        let mut seen = vec![];
        for tile in grid.tiles() {
            grid.see(&picture.rgb, tile, &mut seen);
            let logits = self.reader.run(&self.weights[..self.read], &[Arg::F32(&seen)]).map_err(neurona::Error::from)?.remove(0);
            for [[x, y], [px, py]] in grid.inside(tile) {
                let (from, to) = ((y * TILE + x) * bits, (py * grid.across + px) * bits);
                all[to..to + bits].copy_from_slice(&logits[from..from + bits]);
            }
        }
        Ok(all)
    }

    /// One pass of the writer. `bits` are 1, −1 or 0 (not used), `margin` how far each logit should be on its side.
    ///
    /// # Errors
    /// Errors of the engine.
    pub fn write(&mut self, picture: &mut Picture, bits: &[i8], margin: &[f32]) -> Result<()> {
        let layout = self.settings.layout;
        let (grid, per) = (Grid::of(picture, &layout), layout.bits);
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => none.insert(writer(&self.settings, self.threads)?),
        };
        let (mut seen, mut wanted, mut wide) = (vec![], vec![0.0; TILE * TILE * per], vec![0.0; TILE * TILE * per]);
        for tile in grid.tiles() {
            wanted.fill(0.0);
            for [[x, y], [px, py]] in grid.inside(tile) {
                let (to, from) = ((y * TILE + x) * per, (py * grid.across + px) * per);
                for b in 0..per {
                    (wanted[to + b], wide[to + b]) = (f32::from(bits[from + b]), margin[from + b]);
                }
            }
            if wanted.iter().all(|&b| b == 0.0) {
                continue;
            }
            grid.see(&picture.rgb, tile, &mut seen);
            let data = [Arg::F32(&seen), Arg::F32(&wanted), Arg::F32(&wide)];
            let written = writer.run(&self.weights, &data).map_err(neurona::Error::from)?.remove(0);
            for [[x, y], [px, py]] in grid.inside(tile) {
                let from = ((y + HALO) * SEEN + x + HALO) * layout.numbers();
                for line in 0..grid.cell {
                    let (at, to) = (from + line * 3 * grid.cell, grid.line(px, py, line));
                    let pixels = picture.rgb[to..to + 3 * grid.cell].iter_mut();
                    pixels.zip(&written[at..]).for_each(|(p, &w)| *p = w as u8);
                }
            }
        }
        Ok(())
    }
}

fn writer(settings: &Settings, threads: usize) -> Result<Function> {
    let cx = Context::new(DType::F32, false);
    let layout = settings.layout;
    let x = cx.input("pictures", DType::F32, &[1, SEEN, SEEN, layout.numbers()]);
    let [bits, margin] = ["bits", "margin"].map(|name| cx.input(name, DType::F32, &[1, TILE, TILE, layout.bits]));
    let written = layout.write(&cx, &x, &bits, &margin, settings.strength);
    Ok(Function::compile(&cx, &[&written], threads).map_err(neurona::Error::from)?)
}
