//! Progress on stderr: on a terminal one live line with the time left, below the lines that stay; in a
//! pipe or a log one plain `key=value` line per epoch and no control characters.

use crate::Texts;
use crate::number::{duration, short};
use crate::table::width;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// How progress may be shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Style {
    /// Whether a line can be overwritten: a terminal that is not dumb.
    pub live: bool,
    /// Whether colours are wanted.
    pub color: bool,
    /// Width of a line.
    pub columns: usize,
}

impl Style {
    /// The style for stderr: `TERM=dumb` and pipes get plain lines, `NO_COLOR` no colours, `COLUMNS` sets the width.
    pub fn stderr() -> Style {
        Style::of(std::io::stderr().is_terminal(), |name| std::env::var(name).ok())
    }

    fn of(terminal: bool, env: impl Fn(&str) -> Option<String>) -> Style {
        let live = terminal && env("TERM").is_some_and(|t| t != "dumb");
        let color = live && env("NO_COLOR").is_none_or(|v| v.is_empty());
        let columns = env("COLUMNS").and_then(|c| c.parse().ok()).unwrap_or(80);
        Style { live, color, columns }
    }
}

/// Where training stands.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Tick<'a> {
    /// The running epoch, from 1.
    pub epoch: usize,
    /// How many epochs there will be.
    pub epochs: usize,
    /// Batches done in this epoch.
    pub done: usize,
    /// Batches of an epoch.
    pub total: usize,
    /// Numbers to show: `("loss", 0.66)`.
    pub fields: &'a [(&'a str, f64)],
}

impl Tick<'_> {
    /// Batches done since training began, and in all.
    fn batches(&self) -> (f64, f64) {
        (((self.epoch.max(1) - 1) * self.total + self.done) as f64, (self.epochs * self.total) as f64)
    }
}

/// A progress display.
pub struct Progress {
    out: Box<dyn Write>,
    texts: Texts,
    style: Style,
    /// When, and after how many batches, this process began: a resumed run has a head start.
    began: Option<(Instant, f64)>,
    drawn: Option<Instant>,
    left: Option<f64>,
}

impl Progress {
    /// Progress on stderr.
    pub fn stderr(texts: Texts) -> Progress {
        Progress::new(Box::new(std::io::stderr()), texts, Style::stderr())
    }

    /// Progress on a terminal, and nothing in a pipe.
    pub fn terminal(texts: Texts) -> Progress {
        if Style::stderr().live { Progress::stderr(texts) } else { Progress::silent(texts) }
    }

    /// Nothing anywhere.
    pub fn silent(texts: Texts) -> Progress {
        Progress::new(Box::new(std::io::sink()), texts, Style { live: false, ..Style::stderr() })
    }

    /// Progress written to `out`.
    pub fn new(out: Box<dyn Write>, texts: Texts, style: Style) -> Progress {
        Progress { out, texts, style, began: None, drawn: None, left: None }
    }

    /// Shows where training stands. Call it after every batch, and once before the first: it draws at
    /// most ten times a second, and nothing at all into a pipe.
    pub fn tick(&mut self, tick: &Tick) {
        self.tick_at(tick, Instant::now());
    }

    fn tick_at(&mut self, tick: &Tick, now: Instant) {
        let (done, all) = tick.batches();
        let (since, head_start) = *self.began.get_or_insert((now, done));
        let per_batch = remaining(now.duration_since(since), done - head_start, 1.0);
        self.left = per_batch.map(|s| s * (all - done));
        let fresh = self.drawn.is_some_and(|d| now.duration_since(d) < Duration::from_millis(100));
        if !self.style.live || fresh {
            return;
        }
        let in_epoch = per_batch.map(|s| s * (tick.total - tick.done.min(tick.total)) as f64);
        let line = self.line(tick, in_epoch);
        self.write(&format!("\r{line}\x1b[K"));
        self.drawn = Some(now);
    }

    /// An epoch is over. On a terminal `line` stays; in a pipe the line is `epoch=3 loss=0.66 … eta_s=21`.
    pub fn epoch(&mut self, epoch: usize, line: &str, fields: &[(&str, f64)]) {
        if self.style.live {
            return self.keep(line);
        }
        let pairs: String = fields.iter().map(|(name, x)| format!(" {name}={}", short(*x))).collect();
        let eta = self.left.map(|s| format!(" eta_s={}", s.round())).unwrap_or_default();
        self.write(&format!("epoch={epoch}{pairs}{eta}\n"));
    }

    /// Where a training without epochs stands: `step=600 total=0.002 … eta_s=21` in a pipe; on a terminal it stays if it
    /// is a `milestone`, and else the live line says enough.
    pub fn record(&mut self, fields: &[(&str, f64)], milestone: bool) {
        let pairs: Vec<String> = fields.iter().map(|(name, x)| format!("{name}={}", short(*x))).collect();
        if !self.style.live {
            let eta = self.left.map(|s| format!(" eta_s={}", s.round())).unwrap_or_default();
            self.write(&format!("{}{eta}\n", pairs.join(" ")));
        } else if milestone {
            self.keep(&pairs.join("  ").replace('=', " "));
        }
    }

    /// What is going on, as the live line of a terminal; nothing in a pipe.
    pub fn status(&mut self, line: &str) {
        if self.style.live {
            let line: String = line.chars().take(self.style.columns.saturating_sub(1)).collect();
            self.write(&format!("\r{line}\x1b[K"));
            self.drawn = Some(Instant::now());
        }
    }

    /// A line that stays, in a pipe too.
    pub fn keep(&mut self, line: &str) {
        self.clear();
        self.write(&format!("{line}\n"));
    }

    /// Removes the live line.
    pub fn clear(&mut self) {
        if self.drawn.take().is_some() {
            self.write("\r\x1b[K");
        }
    }

    /// The live line, cut to the width of the terminal.
    fn line(&self, tick: &Tick, in_epoch: Option<f64>) -> String {
        let mut text = if tick.epochs > 1 { format!("{:>3}  ", tick.epoch) } else { String::new() };
        let mut rest = format!("  {}/{}", tick.done, tick.total);
        tick.fields.iter().for_each(|(name, x)| rest.push_str(&format!("  {name} {}", short(*x))));
        match (in_epoch, self.left) {
            (Some(epoch), Some(all)) if tick.epochs > 1 => {
                rest.push_str(&format!("  {}", self.texts.fill("progress.left", &[("epoch", &duration(epoch)), ("all", &duration(all))])));
            }
            (_, Some(all)) => rest.push_str(&format!("  {}", self.texts.fill("progress.all_left", &[("all", &duration(all))]))),
            _ => {}
        }
        let room = self.style.columns.saturating_sub(1); // a full last column would wrap
        let bar = room.saturating_sub(width(&text) + width(&rest)).min(20);
        if bar == 0 {
            return (text + rest.trim_start()).chars().take(room).collect();
        }
        text.push_str(&self.bar(tick.done as f64 / tick.total.max(1) as f64, bar));
        text + &rest
    }

    fn bar(&self, fraction: f64, columns: usize) -> String {
        let full = (fraction.clamp(0.0, 1.0) * columns as f64) as usize;
        let (on, off) = if self.style.color { ("\x1b[36m", "\x1b[0m") } else { ("", "") };
        format!("{on}{}{off}{}", "━".repeat(full), "╌".repeat(columns - full))
    }

    /// Writes to the display; where stderr is closed there is nobody to tell.
    fn write(&mut self, text: &str) {
        let _ = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Seconds that `ahead` units of work will take if `done` took `elapsed`; `None` too early to tell.
fn remaining(elapsed: Duration, done: f64, ahead: f64) -> Option<f64> {
    (done > 0.0 && elapsed >= Duration::from_millis(200)).then(|| elapsed.as_secs_f64() / done * ahead)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Lang;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// Ten batches a second in epochs of 20, five epochs, from epoch `first` on.
    fn show(style: Style, lang: Lang, first: usize) -> String {
        let sink = Sink::default();
        let mut p = Progress::new(Box::new(sink.clone()), Texts::new(lang), style);
        let start = Instant::now();
        for epoch in first..=first + 1 {
            for done in 0..=20 {
                let batches = (epoch - first) * 20 + done;
                let now = start + Duration::from_millis(batches as u64 * 100);
                p.tick_at(&Tick { epoch, epochs: 5, done, total: 20, fields: &[("loss", 0.25)] }, now);
            }
            p.epoch(epoch, "kept", &[("loss", 0.5), ("lr", 1e-3)]);
        }
        drop(p);
        String::from_utf8(sink.0.lock().unwrap().clone()).unwrap()
    }

    const PLAIN: Style = Style { live: false, color: false, columns: 80 };

    #[test]
    fn a_pipe_gets_one_plain_line_per_epoch() {
        assert_eq!(show(PLAIN, Lang::En, 1), "epoch=1 loss=0.5 lr=0.001 eta_s=8\nepoch=2 loss=0.5 lr=0.001 eta_s=6\n");
        // Resumed at epoch 4: the head start does not make it look faster.
        assert_eq!(show(PLAIN, Lang::Es, 4), "epoch=4 loss=0.5 lr=0.001 eta_s=2\nepoch=5 loss=0.5 lr=0.001 eta_s=0\n");
    }

    #[test]
    fn a_terminal_gets_a_live_line_that_fits_and_goes() {
        let text = show(Style { live: true, ..PLAIN }, Lang::En, 1);
        assert!(text.contains("10/20  loss 0.25  epoch 1.0 s left · all 9.0 s left"), "{text}");
        assert!(!text.contains("\x1b[36m") && text.ends_with("kept\n") && text.matches("kept\n").count() == 2);
        assert!(show(Style { live: true, color: true, ..PLAIN }, Lang::Es, 1).contains("\x1b[36m━"));
        for columns in [80, 50, 20, 3] {
            let shown = show(Style { live: true, color: false, columns }, Lang::Es, 1);
            for line in shown.split(['\r', '\n']).filter(|l| !l.contains("kept")) {
                assert!(width(line.trim_end_matches("\x1b[K")) < columns, "{columns}: {line}");
            }
        }
    }

    #[test]
    fn a_training_without_epochs_has_one_count_and_one_time() {
        let show = |live| {
            let sink = Sink::default();
            let mut p = Progress::new(Box::new(sink.clone()), Texts::new(Lang::En), Style { live, ..PLAIN });
            let start = Instant::now();
            for done in 0..=20 {
                p.tick_at(&Tick { epoch: 1, epochs: 1, done, total: 20, fields: &[] }, start + Duration::from_millis(done as u64 * 100));
                if done % 5 == 0 {
                    p.record(&[("step", done as f64), ("loss", 0.5)], done == 10);
                }
            }
            p.status("the end of the work");
            drop(p);
            String::from_utf8(sink.0.lock().unwrap().clone()).unwrap()
        };
        let lines =
            "step=0 loss=0.5\nstep=5 loss=0.5 eta_s=2\nstep=10 loss=0.5 eta_s=1\nstep=15 loss=0.5 eta_s=1\nstep=20 loss=0.5 eta_s=0\n";
        assert_eq!(show(false), lines);
        let text = show(true);
        assert!(text.contains("\r━━━━━") && text.contains("  5/20  1.5 s left\x1b[K"), "{text:?}");
        assert!(text.contains("step 10  loss 0.5\n") && !text.contains("step 15") && text.ends_with("the end of the work\x1b[K\r\x1b[K"));
    }

    #[test]
    fn the_environment_decides() {
        let style = |terminal, pairs: &[(&str, &str)]| {
            Style::of(terminal, |name| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_string()))
        };
        assert_eq!(style(true, &[("TERM", "xterm"), ("COLUMNS", "100")]), Style { live: true, color: true, columns: 100 });
        assert_eq!(style(true, &[("TERM", "xterm"), ("NO_COLOR", "1")]), Style { live: true, color: false, columns: 80 });
        assert_eq!(style(true, &[("TERM", "dumb")]), PLAIN);
        assert_eq!(style(false, &[("TERM", "xterm")]), PLAIN);
    }
}
