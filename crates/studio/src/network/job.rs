//! A training: its settings and data, checked, and the way from the first step, or a saved one, to the last.

use super::evaluation::{Evaluation, choose};
use super::metrics::parse;
use super::recorder::{Recorder, Settings, Stop};
use super::saved::{Meta, State as Phase};
use super::stopping::Watch;
use super::{KIND, Network, Plateau, Target, folder, results};
use crate::config::Source;
use crate::number::short;
use crate::progress::Progress;
use crate::report::{Exit, Report};
use crate::run::{BEST, CONFIG, LAST, META, METRICS, RunFolder};
use crate::{Texts, checkpoint, commands::import, failure, interrupt};
use neurona::callbacks::Callbacks;
use neurona::data::{Dataset, Loaded, Numbers, Targets, load};
use neurona::tensorboard::TensorBoard;
use neurona::weights::pytorch::{self, Map};
use neurona::{
    EpochReport, FitOptions, Model, Observer, Param, Position, RateCurve, RateRange, Scores, Sequential, State, Trainer, lr_find, weights,
};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A training file, read and checked, with its data.
pub struct Job {
    texts: Texts,
    file: PathBuf,
    net: Network,
    /// The data.
    pub data: Loaded,
    target: Target,
    parameters: usize,
    watch: Watch,
    /// The settings as resolved: config.toml.
    config: String,
    /// Whether nothing is said of its progress.
    quiet: bool,
}

/// Parameters, and the tensors that they came from.
type Names = Vec<(String, String)>;

/// Where a training begins.
struct Begin {
    position: Position,
    history: Vec<EpochReport>,
    best: Option<Vec<Vec<f32>>>,
}

/// A finished training.
pub struct Outcome {
    /// Its folder.
    pub folder: RunFolder,
    /// Its epochs.
    pub epochs: Vec<EpochReport>,
    /// The best one, from 1.
    pub best: usize,
    /// Time of training.
    pub seconds: f64,
    /// Scores of the test rows with the best weights.
    pub test: Option<Scores>,
    /// Why it ended before its last epoch, if it did.
    pub stopped: Option<String>,
}

impl Job {
    /// Reads and checks everything.
    ///
    /// # Errors
    /// A wrong setting (3), wrong data (4).
    pub fn open(texts: &Texts, source: &Source, file: &Path) -> Result<Job, Report> {
        let mut net = Network::read(texts, source)?;
        let data = load(&net.data, &folder(file)).map_err(|e| failure::data_of(texts, source, &e))?;
        let target = Target::of(&data);
        net.balance(texts, source, &data)?;
        net.check_data(texts, source, &data)?;
        let parameters = net.check_model(texts, source, &data.preprocessing.shape, &target)?.parameters();
        let watch = Watch::new(texts, source, &net, &target, data.validation.is_some())?;
        let config = toml::to_string(&net.resolved(file, &target)).map_err(|e| Report::new(Exit::Failed, e.to_string(), "", ""))?;
        Ok(Job { texts: *texts, file: file.into(), net, data, target, parameters, watch, config, quiet: false })
    }

    /// Without a word of its progress.
    pub fn quiet(self) -> Job {
        Job { quiet: true, ..self }
    }

    /// What its runs are called.
    pub fn name(&self) -> String {
        self.net.name(&self.file)
    }

    /// A line about what is going to happen.
    fn headline(&self, folder: &Path) -> String {
        let meta = Meta::new(&self.net, &self.data, self.parameters);
        let values: [(&str, &dyn std::fmt::Display); 8] = [
            ("name", &self.name()),
            ("parameters", &meta.parameters),
            ("train", &meta.rows.train),
            ("validation", &meta.rows.validation),
            ("test", &meta.rows.test),
            ("rate", &short(self.net.learning_rate())),
            ("seed", &self.net.seed),
            ("folder", &folder.display()),
        ];
        self.texts.fill("train.headline", &values)
    }

    /// The network before its first step.
    fn trainer(&self) -> Result<Trainer<Sequential>, Report> {
        let mut trainer = self.net.trainer(&self.data.preprocessing.shape, &self.target);
        let inputs = trainer.model().inputs().unwrap_or_default();
        trainer.build(&inputs, self.net.seed).map_err(|e| failure::report(&self.texts, &e))?;
        Ok(trainer)
    }

    fn recorder(&self, folder: &RunFolder) -> Recorder {
        let interval = Duration::try_from_secs_f64(self.net.checkpoint_seconds).unwrap_or(Duration::MAX);
        let settings = Settings { config: self.config.clone(), data: fingerprint(&self.data), interval, rule: self.net.rule() };
        let meta = Meta::new(&self.net, &self.data, self.parameters);
        let progress = if self.quiet { Progress::silent(self.texts) } else { Progress::stderr(self.texts) };
        Recorder::new((self.texts, progress), folder.clone(), meta, self.watch.clone(), settings)
    }

    /// Tries learning rates with the batches that a training would begin with.
    ///
    /// # Errors
    /// A range that cannot be used.
    pub fn find_rate(&self, range: &RateRange) -> Result<RateCurve, Report> {
        let (mut trainer, train) = (self.trainer()?, self.data.train.batches());
        let options = FitOptions {
            batch: self.net.batch,
            augment: self.net.augment,
            seed: self.net.seed,
            threads: self.net.threads,
            ..FitOptions::default()
        };
        lr_find(&mut trainer, &train, &options, range).map_err(|e| failure::report(&self.texts, &e))
    }

    /// The network with the weights of a PyTorch module, and where each came from.
    ///
    /// # Errors
    /// A file that cannot be read, weights that do not fit (4).
    pub fn import(&self, path: &Path, map: &Map) -> Result<(Trainer<Sequential>, Names), Report> {
        let mut trainer = self.trainer()?;
        let found = pytorch::load(path, trainer.model(), trainer.params(), map).map_err(|e| match e {
            neurona::Error::Mismatch { path, differences } => import::mismatch(&self.texts, &path, &differences),
            e => failure::report(&self.texts, &e),
        })?;
        if let Some(state) = trainer.state().cloned() {
            trainer.set_state(State { params: found.values, ..state }).map_err(|e| failure::report(&self.texts, &e))?;
        }
        Ok((trainer, found.names))
    }

    /// Saves a network that was not trained here as a finished run, and evaluates it.
    ///
    /// # Errors
    /// Files that cannot be written (1).
    pub fn keep(&self, folder: &RunFolder, trainer: &mut Trainer<Sequential>) -> Result<Evaluation, Report> {
        let failed = |e| failure::report(&self.texts, &e);
        folder.write(CONFIG, self.config.as_bytes())?;
        for name in [BEST, LAST] {
            trainer.save_weights(&folder.file(name), &Default::default()).map_err(failed)?;
        }
        let meta = Meta { state: Phase::Done, ..Meta::new(&self.net, &self.data, self.parameters) };
        folder.write_json(META, &meta)?;
        let set = choose(&self.data, None).unwrap_or(("train", &self.data.train));
        let evaluation = Evaluation::new(&self.texts, trainer, (self.net.batch, &self.net.loss(&self.target), &meta), set)?;
        results::write(&self.texts, folder, (&self.net, &meta), &[], Some(&evaluation))?;
        Ok(evaluation)
    }

    /// The learning rate of the file.
    pub fn learning_rate(&self) -> f64 {
        self.net.learning_rate()
    }

    /// Trains from the first step.
    ///
    /// # Errors
    /// Files that cannot be written (1), a training that diverged (5) or was interrupted (130).
    pub fn train(&self, folder: RunFolder) -> Result<Outcome, Report> {
        interrupt::watch();
        let mut recorder = self.recorder(&folder);
        let mut trainer = self.trainer()?;
        let begun = folder.write(CONFIG, self.config.as_bytes()).and_then(|_| match trainer.state() {
            // From here on there is something to resume.
            Some(state) => recorder.checkpoint(trainer.params(), state, &Position::default()),
            None => recorder.save_meta(),
        });
        if let Err(report) = begun {
            folder.discard();
            return Err(report);
        }
        self.go(folder, &mut trainer, recorder, Position::default())
    }

    /// Goes on from the saved state; with `more`, although the training was over.
    ///
    /// # Errors
    /// As [`Job::train`]; a state that cannot be used (4), or is of other settings (3).
    pub fn resume(&self, folder: RunFolder, more: bool) -> Result<Outcome, Report> {
        interrupt::watch();
        let mut trainer = self.trainer()?;
        let (state, begin) = self.saved(&folder, trainer.params())?;
        if begin.position.epoch > self.net.epochs || begin.position.epoch == self.net.epochs && begin.position.batch > 0 {
            let what = self.texts.fill("resume.few_epochs", &[("epochs", &self.net.epochs), ("done", &begin.position.epoch)]);
            return Err(Report::new(Exit::Usage, what, "", self.texts.get("resume.few_epochs.fix")));
        }
        trainer.set_state(state).map_err(|e| failure::report(&self.texts, &e))?;
        let text = folder.read(METRICS).unwrap_or_default(); // before the first epoch there is none
        let kept: String = text.lines().take(begin.history.len()).map(|l| format!("{l}\n")).collect();
        folder.write(CONFIG, self.config.as_bytes())?;
        folder.write(METRICS, kept.as_bytes())?;
        let mut recorder = self.recorder(&folder);
        recorder.resume(begin.history, begin.best);
        if more {
            recorder.watch().forgive();
        }
        recorder.save_meta()?;
        self.go(folder, &mut trainer, recorder, begin.position)
    }

    /// The saved state and what belongs to it.
    fn saved(&self, folder: &RunFolder, params: &[Param]) -> Result<(State, Begin), Report> {
        let (state, notes) = checkpoint::load(&self.texts, folder, (params, self.net.slots()), (KIND, &self.config))?;
        let note = |key: &str| notes.get(key);
        if note("data").is_none_or(|d| *d != fingerprint(&self.data)) {
            let fix = self.texts.get("resume.data.fix");
            return Err(Report::new(Exit::Data, self.texts.fill("resume.data", &[("path", &folder.path().display())]), "", fix));
        }
        let position: Option<Position> = note("position").and_then(|p| serde_json::from_str(p).ok());
        let position = position.ok_or_else(|| folder.unreadable(crate::run::STATE, "position"))?;
        let metrics = self.net.metrics(&self.target);
        let text = if position.epoch == 0 { String::new() } else { folder.read(METRICS)? };
        let lines = text.lines().take(position.epoch).map(|l| parse(l, &metrics, self.net.epochs));
        let history: Vec<EpochReport> = lines.enumerate().map_while(|(i, r)| r.filter(|r| r.epoch == i + 1)).collect();
        if history.len() < position.epoch {
            let why = self.texts.fill("resume.metrics", &[("line", &(history.len() + 1)), ("epochs", &position.epoch)]);
            return Err(folder.unreadable(METRICS, &why));
        }
        let best = folder.file(BEST);
        let best = if position.epoch == 0 || !best.is_file() { None } else { Some(weights::load(&best, params)) };
        let best = best.transpose().map_err(|e| failure::report(&self.texts, &e))?.map(|(weights, _)| weights);
        Ok((state, Begin { position, history, best }))
    }

    /// Trains to the end.
    fn go(&self, folder: RunFolder, trainer: &mut Trainer<Sequential>, mut recorder: Recorder, start: Position) -> Result<Outcome, Report> {
        if !self.quiet {
            recorder.announce(&self.headline(folder.path()));
        }
        let (train, validation) = (self.data.train.batches(), self.data.validation.as_ref().map(Dataset::batches));
        let options = FitOptions {
            epochs: self.net.epochs,
            batch: self.net.batch,
            learning_rate: self.net.learning_rate(),
            schedule: self.net.schedule,
            warmup: self.net.warmup,
            augment: self.net.augment,
            averaged: self.net.average.is_some(),
            validation: validation.as_ref(),
            seed: self.net.seed,
            threads: self.net.threads,
            start,
            ..FitOptions::default()
        };
        let (clock, before) = (Instant::now(), recorder.history().iter().map(|r| r.seconds).sum::<f64>());
        let over = recorder.watch().is_over();
        let metrics = self.net.metrics(&self.target);
        let observer = |p: &Plateau| p.observer(&metrics, self.data.validation.is_some(), recorder.history());
        let mut plateau = self.net.reduce_on_plateau.as_ref().map(observer);
        let mut events = self.events(&folder, recorder.history().len())?;
        let mut all = Callbacks::new();
        for observer in [plateau.as_mut().map(|p| p as &mut dyn Observer), events.as_mut().map(|e| e as &mut dyn Observer)] {
            all = observer.into_iter().fold(all, Callbacks::with);
        }
        // The recorder last: it may end the process' work.
        let fitted = if over { Ok(Default::default()) } else { trainer.fit(&train, &options, &mut all.with(&mut recorder)) };
        events.map_or(Ok(()), TensorBoard::finish).map_err(|e| failure::report(&self.texts, &e))?;
        match fitted {
            Ok(_) => {}
            Err(neurona::Error::Diverged { epoch, batch, .. }) => {
                // The trainer has gone back to the end of the last finished epoch.
                let finished = !recorder.history().is_empty();
                recorder.finish(Phase::Diverged, trainer.params(), trainer.state().filter(|_| finished))?;
                return Err(self.diverged((epoch, batch), &recorder, &folder));
            }
            Err(e) => return Err(failure::report(&self.texts, &e)),
        }
        match recorder.stopped() {
            Some(Stop::Failed(report)) => return Err(report),
            Some(Stop::Interrupted) => {
                recorder.finish(Phase::Interrupted, trainer.params(), trainer.state())?;
                return Err(self.interrupted(&recorder, &folder));
            }
            Some(Stop::Early) | None => recorder.finish(Phase::Training, trainer.params(), trainer.state())?,
        }
        let stopped = recorder.watch().is_over().then(|| recorder.watch().reason(&self.texts));
        let best = recorder.best().map_or(self.net.epochs, |(epoch, _)| epoch);
        let seconds = before + clock.elapsed().as_secs_f64();
        let evaluation = self.evaluate(trainer, &recorder)?;
        results::write(&self.texts, &folder, (&self.net, recorder.meta()), recorder.history(), Some(&evaluation))?;
        // Only now: a run that is killed before can still be completed.
        recorder.finish(Phase::Done, &[], None)?;
        let test = (evaluation.set == "test").then_some(evaluation.scores);
        Ok(Outcome { folder, epochs: recorder.history().to_vec(), best, seconds, test, stopped })
    }

    /// The event file of TensorBoard, after the epochs that are done, if there is to be one.
    fn events(&self, folder: &RunFolder, epochs: usize) -> Result<Option<TensorBoard>, Report> {
        let events = self.net.tensorboard.then(|| TensorBoard::resume(folder.path(), true, epochs));
        events.transpose().map_err(|e| failure::report(&self.texts, &e))
    }

    /// The best weights, those that `predict` uses, on the rows that judge them.
    fn evaluate(&self, trainer: &mut Trainer<Sequential>, recorder: &Recorder) -> Result<Evaluation, Report> {
        if let (Some((_, weights)), Some(state)) = (recorder.best(), trainer.state().cloned()) {
            let best = State { params: weights.to_vec(), ..state };
            trainer.set_state(best).map_err(|e| failure::report(&self.texts, &e))?;
        }
        let set = choose(&self.data, None).unwrap_or(("train", &self.data.train));
        Evaluation::new(&self.texts, trainer, (self.net.batch, &self.net.loss(&self.target), recorder.meta()), set)
    }

    fn diverged(&self, (epoch, batch): (usize, usize), recorder: &Recorder, folder: &RunFolder) -> Report {
        let (texts, mut why) = (&self.texts, vec![]);
        if let Some(last) = recorder.last_batch() {
            why.push(texts.fill("train.last_loss", &[("loss", &short(last.loss))]));
        }
        if let Some(last) = recorder.history().last() {
            why.push(texts.fill("train.kept", &[("epoch", &last.epoch), ("path", &folder.file(LAST).display())]));
        }
        let rate = self.net.learning_rate();
        let fix = texts.fill("train.diverged_fix", &[("rate", &short(rate)), ("lower", &short(rate / 10.0))]);
        Report::new(Exit::Diverged, texts.fill("train.diverged", &[("epoch", &epoch), ("batch", &batch)]), why.join("\n"), fix)
    }

    fn interrupted(&self, recorder: &Recorder, folder: &RunFolder) -> Report {
        let (epoch, batch) = recorder.last_batch().map_or((1, 0), |b| (b.epoch, b.batch));
        let what = self.texts.fill("train.interrupted", &[("epoch", &epoch), ("batch", &batch)]);
        let why = self.texts.fill("train.saved", &[("path", &folder.file(LAST).display())]);
        Report::new(Exit::Interrupted, what, why, checkpoint::resume_hint(&self.texts, folder))
    }
}

/// A number that tells data apart: FNV-1a (Fowler, Noll and Vo) over the words of training and validation rows; rows
/// that stay in files have a number already.
fn fingerprint(data: &Loaded) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |word: u32| hash = (hash ^ u64::from(word)).wrapping_mul(0x0000_0100_0000_01b3);
    let numbers = |x: &Numbers, add: &mut dyn FnMut(u32)| match x {
        Numbers::Memory(array) => array.data.iter().for_each(|x| add(x.to_bits())),
        Numbers::Stored(stored) => [stored.digest() as u32, (stored.digest() >> 32) as u32].into_iter().for_each(add),
    };
    for set in [Some(&data.train), data.validation.as_ref()].into_iter().flatten() {
        numbers(&set.x, &mut add);
        match &set.targets {
            Targets::Classes { labels, .. } => labels.iter().for_each(|&l| add(l as u32)),
            Targets::Values(values) => numbers(values, &mut add),
        }
    }
    format!("{hash:016x}")
}
