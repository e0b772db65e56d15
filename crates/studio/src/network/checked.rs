//! Everything that is wrong with a training file, at once.

use super::stopping::Watch;
use super::{Network, Target, folder, schema};
use crate::config::Source;
use crate::report::{Exit, Report};
use crate::{Texts, failure};
use neurona::Summary;
use neurona::data::{DataConfig, Dataset, load};
use std::path::Path;

/// What a check found.
pub struct Checked {
    /// All that is wrong, in the order in which it would stop a training.
    pub problems: Vec<Report>,
    /// The layers, if they fit.
    pub summary: Option<Summary>,
    /// Rows for training, validation and test.
    pub rows: [usize; 3],
    /// Names of the classes.
    pub classes: Vec<String>,
    /// What is predicted.
    pub target: Option<Target>,
}

impl Checked {
    /// Checks settings, data, and layers.
    ///
    /// # Errors
    /// A text that is no TOML.
    pub fn new(texts: &Texts, source: &Source, file: &Path) -> Result<Checked, Report> {
        let problems = source.problems(texts, &schema::file())?;
        let mut checked = Checked { problems, summary: None, rows: [0; 3], classes: vec![], target: None };
        let net: Result<Network, Report> = source.read(texts);
        match net {
            Ok(net) => checked.network(texts, source, file, net),
            Err(report) => {
                // What the schema found already is not said twice.
                if checked.problems.is_empty() {
                    checked.problems.push(report);
                }
                let data: Option<DataConfig> = source.part(texts, "data");
                let read = data.and_then(|data| load(&data, &folder(file)).err());
                checked.problems.extend(read.map(|e| failure::data_of(texts, source, &e)));
            }
        }
        Ok(checked)
    }

    fn network(&mut self, texts: &Texts, source: &Source, file: &Path, mut net: Network) {
        let data = match load(&net.data, &folder(file)) {
            Ok(data) => data,
            Err(e) => {
                self.problems.push(failure::data_of(texts, source, &e));
                // Whether the layers fit each other can be told all the same.
                let model = net.data.shape.as_ref().map(|shape| Summary::new(&net.model(shape)));
                if let Some(Err(e)) = model {
                    self.problems.push(failure::report(texts, &e));
                }
                return;
            }
        };
        let target = Target::of(&data);
        let len = |set: &Option<Dataset>| set.as_ref().map_or(0, Dataset::len);
        self.rows = [data.train.len(), len(&data.validation), len(&data.test)];
        self.classes = data.preprocessing.classes.clone();
        let checks = [
            net.balance(texts, source, &data),
            net.check_data(texts, source, &data),
            Watch::new(texts, source, &net, &target, data.validation.is_some()).map(drop),
        ];
        self.problems.extend(checks.into_iter().filter_map(Result::err));
        match net.check_model(texts, source, &data.preprocessing.shape, &target) {
            Ok(summary) => self.summary = Some(summary),
            Err(report) => self.problems.push(report),
        }
        self.target = Some(target);
        // Settings first: wrong ones make data look wrong.
        self.problems.sort_by_key(|r| r.exit != Exit::Config);
    }
}
