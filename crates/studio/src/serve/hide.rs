//! Hidden messages: pictures that a page has sent are kept in memory for a while, and a text is hidden in one, revealed, and attacked.

use super::Studio;
use super::answer::{Answer, Refused, Speak, body, compute};
use super::tasks::{Stamp, chosen, finished};
use crate::Texts;
use crate::commands::steganography::{KIND, codec, report};
use crate::report::{Exit, Report};
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, JsonRejection};
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use neurona::Random;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use steganography::codec::Codec;
use steganography::hide::{capacity, hide, reveal};
use steganography::picture::{Format, jpeg_round_trip};
use steganography::{Message, Model, Picture, covers};

/// Largest picture file, in bytes.
const FILE: usize = 24 * 1024 * 1024;
/// Largest picture, in pixels: a page should answer soon.
const PIXELS: u64 = 8_000_000;
/// Pictures that are kept; the oldest goes first.
const KEPT: usize = 12;
/// Side of the picture that is made for those who have none, in pixels.
const SAMPLE: usize = 384;

/// A picture and its number.
type Numbered = (u64, Arc<Picture>);

/// Pictures, and the models once they are needed.
#[derive(Default)]
pub struct Gallery {
    /// Those kept, with their numbers, and the last number given.
    pictures: Mutex<(u64, VecDeque<Numbered>)>,
    codecs: Mutex<[Option<Box<Codec>>; 2]>,
    /// That of the run that was chosen last.
    of_run: Mutex<Option<(Stamp, Box<Codec>)>>,
}

/// Addresses below `/api/hide`.
pub fn routes() -> Router<Arc<Studio>> {
    Router::new()
        .route("/pictures", post(add).layer(DefaultBodyLimit::max(FILE)))
        .route("/sample", post(sample))
        .route("/pictures/{id}", get(png))
        .route("/difference/{a}/{b}", get(difference))
        .route("/hide", post(hide_text))
        .route("/reveal", post(reveal_text))
        .route("/attack", post(attack))
        .route("/runs", get(runs))
}

/// Runs whose networks can be used, with the model that they are of.
async fn runs(State(studio): State<Arc<Studio>>, Speak(texts): Speak) -> Answer {
    let value = compute(&studio, &texts, move |_| {
        let of = |model: Model| finished(&texts, |_, meta| meta["kind"] == KIND && meta["preset"] == model.name());
        let both = Model::ALL.into_iter().flat_map(|m| of(m).into_iter().map(move |run| json!({ "run": run, "model": m.name() })));
        Ok(both.collect::<Vec<_>>().into())
    });
    Ok(Json(value.await?))
}

/// What is done with a picture.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Task {
    picture: u64,
    model: String,
    /// The run whose networks do it; else those that come with the program.
    #[serde(default)]
    run: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    password: String,
    /// What happens to the picture before it is read.
    #[serde(default)]
    attack: String,
}

impl Task {
    fn password(&self) -> Option<&[u8]> {
        (!self.password.is_empty()).then_some(self.password.as_bytes())
    }

    fn model(&self) -> Model {
        Model::of(&self.model).unwrap_or(Model::Photo)
    }
}

impl Gallery {
    fn keep(&self, picture: Picture) -> u64 {
        let mut all = self.pictures.lock().unwrap_or_else(PoisonError::into_inner);
        all.0 += 1;
        let id = all.0;
        all.1.push_back((id, Arc::new(picture)));
        while all.1.len() > KEPT {
            all.1.pop_front();
        }
        id
    }

    fn get(&self, texts: &Texts, id: u64) -> Result<Arc<Picture>, Report> {
        let all = self.pictures.lock().unwrap_or_else(PoisonError::into_inner);
        let found = all.1.iter().find(|(i, _)| *i == id).map(|(_, p)| p.clone());
        found.ok_or_else(|| Report::new(Exit::Data, texts.get("web.hide.forgotten"), "", texts.get("web.hide.forgotten.fix")))
    }

    /// Works with a model, made when it is first needed.
    fn with<R>(&self, texts: &Texts, model: Model, work: impl FnOnce(&mut Codec) -> R) -> Result<R, Report> {
        let mut all = self.codecs.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = &mut all[model as usize];
        let codec = match slot.take() {
            Some(codec) => codec,
            None => Box::new(Codec::built_in(model, 0).map_err(|e| report(texts, &e))?),
        };
        Ok(work(slot.insert(codec)))
    }

    /// Works with the networks that a task asks for.
    fn with_those_of<R>(&self, texts: &Texts, task: &Task, work: impl FnOnce(&mut Codec) -> R) -> Result<R, Report> {
        let Some((folder, stamp)) = chosen(texts, &task.run)? else { return self.with(texts, task.model(), work) };
        let mut slot = self.of_run.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = slot.take().filter(|(s, codec)| *s == stamp && codec.model == task.model());
        let made = match kept {
            Some(kept) => kept,
            None => (stamp, Box::new(codec(texts, task.model(), Some(folder.path()), 0)?)),
        };
        Ok(work(&mut slot.insert(made).1))
    }

    /// What the page needs to know of a picture.
    fn describe(&self, texts: &Texts, picture: Picture) -> Result<Value, Report> {
        let (width, height) = (picture.width, picture.height);
        let mut room = json!({});
        for model in Model::ALL {
            let [open, locked] = self.with(texts, model, |codec| capacity(codec, &picture))?;
            room[model.name()] = json!({ "open": open, "locked": locked });
        }
        Ok(json!({ "id": self.keep(picture), "width": width, "height": height, "capacity": room }))
    }
}

async fn add(State(studio): State<Arc<Studio>>, Speak(texts): Speak, bytes: Result<Bytes, BytesRejection>) -> Answer {
    let bytes = bytes.map_err(|e| Refused::new(e.status(), texts.get("web.hide.too_large"), ""))?;
    let value = compute(&studio, &texts, move |studio| {
        let picture = Picture::parse_within(&bytes, std::path::Path::new(""), PIXELS).map_err(|e| match e {
            steganography::Error::TooLarge { .. } => Report::new(Exit::Data, texts.get("web.hide.too_large"), "", ""),
            e => report(&texts, &e),
        })?;
        studio.gallery.describe(&texts, picture)
    });
    Ok(Json(value.await?))
}

/// A picture of our own making, for those who have none at hand.
async fn sample(State(studio): State<Arc<Studio>>, Speak(texts): Speak) -> Answer {
    let value = compute(&studio, &texts, move |studio| {
        let rgb = covers::cover(&mut Random::new(7, 0), SAMPLE);
        studio.gallery.describe(&texts, Picture { width: SAMPLE, height: SAMPLE, rgb, alpha: None, icc: None })
    });
    Ok(Json(value.await?))
}

fn image(bytes: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, "image/png"), (header::CACHE_CONTROL, "no-store")], bytes).into_response()
}

fn encoded(picture: &Picture) -> Result<Vec<u8>, Report> {
    picture.png().map_err(|why| Report::new(Exit::Failed, why, "", ""))
}

async fn png(State(studio): State<Arc<Studio>>, Speak(texts): Speak, Path(id): Path<u64>) -> Result<Response, Refused> {
    Ok(image(compute(&studio, &texts, move |studio| encoded(studio.gallery.get(&texts, id)?.as_ref())).await?))
}

/// How strongly changes are shown.
#[derive(Deserialize)]
struct Gain {
    gain: Option<f64>,
}

async fn difference(
    State(studio): State<Arc<Studio>>,
    Speak(texts): Speak,
    Path((a, b)): Path<(u64, u64)>,
    Query(Gain { gain }): Query<Gain>,
) -> Result<Response, Refused> {
    let gain = gain.filter(|g| g.is_finite()).unwrap_or(20.0).clamp(1.0, 255.0);
    let bytes = compute(&studio, &texts, move |studio| {
        let (a, b) = (studio.gallery.get(&texts, a)?, studio.gallery.get(&texts, b)?);
        let one = |(&x, &y): (&u8, &u8)| (128.0 + gain * (f64::from(y) - f64::from(x))).clamp(0.0, 255.0) as u8;
        let rgb: Vec<u8> = a.rgb.iter().zip(&b.rgb).map(one).collect();
        if rgb.len() != 3 * a.width * a.height {
            return Err(Report::new(Exit::Usage, texts.get("web.hide.other_size"), "", ""));
        }
        encoded(&Picture { rgb, alpha: None, icc: None, width: a.width, height: a.height })
    });
    Ok(image(bytes.await?))
}

async fn hide_text(State(studio): State<Arc<Studio>>, Speak(texts): Speak, task: Result<Json<Task>, JsonRejection>) -> Answer {
    let task = body(&texts, task)?;
    let value = compute(&studio, &texts, move |studio| {
        let cover = studio.gallery.get(&texts, task.picture)?;
        let message = Message::Text(task.text.clone());
        let hidden = studio.gallery.with_those_of(&texts, &task, |codec| hide(codec, &cover, &message, task.password(), Format::Png))?;
        let hidden = hidden.map_err(|e| report(&texts, &e))?;
        let rate = 8.0 * hidden.bytes as f64 / (cover.width * cover.height) as f64;
        let psnr = hidden.psnr.is_finite().then_some(hidden.psnr);
        Ok(json!({
            "bytes": hidden.bytes, "bits_per_pixel": rate, "copies": hidden.copies, "wrong_bits": hidden.errors, "psnr": psnr,
            "ssim": hidden.ssim, "id": studio.gallery.keep(hidden.picture),
        }))
    });
    Ok(Json(value.await?))
}

async fn reveal_text(State(studio): State<Arc<Studio>>, Speak(texts): Speak, task: Result<Json<Task>, JsonRejection>) -> Answer {
    let task = body(&texts, task)?;
    let value = compute(&studio, &texts, move |studio| {
        let picture = studio.gallery.get(&texts, task.picture)?;
        read(&texts, &studio.gallery, &task, &picture)
    });
    Ok(Json(value.await?))
}

fn read(texts: &Texts, gallery: &Gallery, task: &Task, picture: &Picture) -> Result<Value, Report> {
    let message = gallery.with_those_of(texts, task, |codec| reveal(codec, picture, task.password()))?;
    // A picture without a message is no fault of the server's.
    let message = message.map_err(|e| {
        let mut report = report(texts, &e);
        report.exit = Exit::Data;
        report
    });
    Ok(match message? {
        Message::Text(text) => json!({ "text": text }),
        Message::File { name, bytes } => json!({ "file": name, "bytes": bytes.len() }),
    })
}

/// Harms a copy of the picture, and tries to read it.
async fn attack(State(studio): State<Arc<Studio>>, Speak(texts): Speak, task: Result<Json<Task>, JsonRejection>) -> Answer {
    let task = body(&texts, task)?;
    let value = compute(&studio, &texts, move |studio| {
        let picture = studio.gallery.get(&texts, task.picture)?;
        let harmed = harm(&texts, &picture, &task.attack)?;
        Ok(match read(&texts, &studio.gallery, &task, &harmed) {
            Ok(value) => json!({ "read": true, "exact": value["text"] == json!(task.text) }),
            Err(report) => json!({ "read": false, "why": report.what }),
        })
    });
    Ok(Json(value.await?))
}

/// The picture after `jpeg90`, `noise2`, `brighter10` or the like.
fn harm(texts: &Texts, picture: &Picture, attack: &str) -> Result<Picture, Report> {
    let digits = attack.find(|c: char| c.is_ascii_digit()).unwrap_or(attack.len());
    let (kind, amount) = (&attack[..digits], attack[digits..].parse::<u8>());
    let unknown = || {
        let short: String = attack.chars().take(40).collect();
        Report::new(Exit::Usage, texts.fill("usage.bad_value", &[("value", &short), ("arg", &"attack")]), "", "")
    };
    let amount = amount.map_err(|_| unknown())?;
    let mut random = Random::new(1, 0);
    let changed = |f: &mut dyn FnMut(u8) -> f32| picture.rgb.iter().map(|&p| f(p).round().clamp(0.0, 255.0) as u8).collect::<Vec<u8>>();
    let rgb = match kind {
        "png" => picture.rgb.clone(),
        "jpeg" if (1..=100).contains(&amount) => {
            jpeg_round_trip(&picture.rgb, picture.width, picture.height, amount, true).ok_or_else(unknown)?
        }
        "noise" => changed(&mut |p| f32::from(p) + f32::from(amount) * random.normal()),
        "brighter" => changed(&mut |p| f32::from(p) + f32::from(amount)),
        _ => return Err(unknown()),
    };
    Ok(Picture { rgb, ..picture.clone() })
}
