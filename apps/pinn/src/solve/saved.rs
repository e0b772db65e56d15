//! The state of a run as the bytes of a safetensors file: everything in double precision, so that going on gives the
//! same bits.

use super::{Finished, Memory, Progress, Reason};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// What the numbers are the state of, and where in the run.
#[derive(Serialize, Deserialize)]
struct Notes {
    stage: usize,
    step: u64,
    total: u64,
    draws: u32,
    ends: Vec<usize>,
    seconds: f64,
}

/// Key of the notes in the file's header.
const NOTES: &str = "solve";
/// Key of what the caller adds.
const OWN: &str = "settings";

impl Progress {
    /// The state as bytes, with a text that says what it is the state of.
    ///
    /// # Errors
    /// None that these types can raise.
    pub fn to_bytes(&self, settings: &str) -> Result<Vec<u8>, String> {
        let raw = |v: &[f64]| -> Vec<u8> { v.iter().flat_map(|x| x.to_le_bytes()).collect() };
        let mut arrays = vec![("weights".to_string(), raw(&self.weights)), ("scalars".into(), raw(&self.memory.scalars))];
        arrays.push(("factors".into(), raw(&self.factors)));
        arrays.extend(self.memory.arrays.iter().enumerate().map(|(i, a)| (format!("memory.{i}"), raw(a))));
        arrays.extend(self.points.iter().enumerate().map(|(i, a)| (format!("points.{i}"), raw(a))));
        for (i, w) in self.finished.iter().enumerate() {
            arrays.push((format!("window.{i}"), raw(&w.weights)));
            arrays.push((format!("window_points.{i}"), raw(&w.points.concat())));
        }
        let view = |bytes| TensorView::new(Dtype::F64, vec![<[u8]>::len(bytes) / 8], bytes).map_err(|e| e.to_string());
        let views = arrays.iter().map(|(name, bytes)| Ok((name.as_str(), view(bytes)?))).collect::<Result<Vec<_>, String>>()?;
        let ends = self.ends.iter().map(|r| *r as usize).collect();
        let notes = Notes { stage: self.stage, step: self.step, total: self.total, draws: self.draws, ends, seconds: self.seconds };
        let notes = serde_json::to_string(&notes).map_err(|e| e.to_string())?;
        let header = HashMap::from([(NOTES.to_string(), notes), (OWN.to_string(), settings.to_string())]);
        safetensors::serialize(views, Some(header)).map_err(|e| e.to_string())
    }

    /// The state and the text that [`Progress::to_bytes`] was given.
    ///
    /// # Errors
    /// Bytes of another kind or damaged: why.
    pub fn from_bytes(bytes: &[u8]) -> Result<(Progress, String), String> {
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| e.to_string())?;
        let file = SafeTensors::deserialize(bytes).map_err(|e| e.to_string())?;
        let note = |key: &str| header.metadata().as_ref().and_then(|m| m.get(key)).cloned().ok_or(format!("no {key} in the header"));
        let notes: Notes = serde_json::from_str(&note(NOTES)?).map_err(|e| e.to_string())?;
        let array = |name: &str| -> Result<Vec<f64>, String> {
            let view = file.tensor(name).map_err(|e| e.to_string())?;
            if view.dtype() != Dtype::F64 {
                return Err(format!("{name} is {:?}, not F64", view.dtype()));
            }
            let number = |c: &[u8]| {
                let mut eight = [0; 8];
                eight.copy_from_slice(c);
                f64::from_le_bytes(eight)
            };
            Ok(view.data().chunks_exact(8).map(number).collect())
        };
        let numbered = |name: &str| -> Result<Vec<Vec<f64>>, String> {
            (0..).map(|i| format!("{name}.{i}")).take_while(|n| file.tensor(n).is_ok()).map(|n| array(&n)).collect()
        };
        let all = [Reason::Steps, Reason::Until, Reason::Gradient, Reason::Stuck];
        let ends = notes.ends.iter().map(|&i| all.get(i).copied().ok_or_else(|| format!("no reason {i}"))).collect::<Result<_, _>>()?;
        let Notes { stage, step, total, draws, seconds, .. } = notes;
        let memory = Memory { scalars: array("scalars")?, arrays: numbered("memory")? };
        let points = numbered("points")?;
        let columns = |all: Vec<f64>| all.chunks(all.len().div_ceil(points.len().max(1)).max(1)).map(<[f64]>::to_vec).collect();
        let factors = if file.tensor("factors").is_ok() { array("factors")? } else { vec![] };
        let finished = numbered("window")?.into_iter().zip(numbered("window_points")?);
        let finished = finished.map(|(weights, all)| Finished { weights, points: columns(all) }).collect();
        let weights = array("weights")?;
        let progress = Progress { stage, step, total, draws, weights, memory, factors, points, finished, ends, seconds };
        Ok((progress, note(OWN)?))
    }
}
