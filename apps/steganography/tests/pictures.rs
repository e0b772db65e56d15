//! Messages in pictures of every kind, and what is refused.

use neurona::Random;
use png::{BitDepth, ColorType};
use std::path::{Path, PathBuf};
use steganography::codec::Codec;
use steganography::covers::cover;
use steganography::hide::{capacity, hide, reveal};
use steganography::picture::{Format, jpeg_round_trip};
use steganography::{Error, Message, Model, Picture};

fn codec(model: Model) -> Codec {
    Codec::built_in(model, 2).unwrap()
}

fn random_bytes(length: usize, seed: u64) -> Message {
    let mut random = Random::new(seed, 7);
    Message::File { name: String::new(), bytes: (0..length).map(|_| random.below(256) as u8).collect() }
}

/// A made-up picture of any size, cut from a square one.
fn picture(width: usize, height: usize, seed: u64) -> Picture {
    let side = width.max(height);
    let square = cover(&mut Random::new(seed, 3), side);
    let rgb = (0..height).flat_map(|y| square[y * side * 3..(y * side + width) * 3].to_vec()).collect();
    Picture { width, height, rgb, alpha: None, icc: None }
}

/// What a file of these bytes gives to a reader.
fn again(file: &[u8], codec: &mut Codec, password: Option<&[u8]>) -> steganography::Result<Message> {
    reveal(codec, &Picture::parse(file, Path::new("x.png")).unwrap(), password)
}

#[test]
fn messages_return_exactly_from_pictures_of_any_size() {
    let mut codec = codec(Model::Photo);
    for (i, (width, height)) in [(40, 41), (451, 300), (64, 64), (97, 250), (600, 33)].into_iter().enumerate() {
        let cover = picture(width, height, i as u64);
        let [open, locked] = capacity(&codec, &cover);
        for (message, password) in [
            (Message::Text("ñ🦤\0".into()), None),
            (random_bytes(open - 1, 3), None),
            (random_bytes(locked.saturating_sub(1), 4), Some(&b"word"[..])),
        ] {
            if password.is_some() && locked == 0 {
                continue;
            }
            let hidden = hide(&mut codec, &cover, &message, password, Format::Png).unwrap();
            assert_eq!(again(&hidden.file, &mut codec, password).unwrap(), message, "{width}×{height}");
            assert!(hidden.psnr > 38.0 && hidden.load <= 1.0, "{width}×{height}: {} dB, load {}", hidden.psnr, hidden.load);
        }
        assert!(matches!(hide(&mut codec, &cover, &random_bytes(open, 5), None, Format::Png), Err(Error::TooLong { .. })));
        assert!(matches!(reveal(&mut codec, &cover, None), Err(Error::NoMessage)));
    }
    for (width, height) in [(1, 1), (3, 400), (15, 16), (16, 16)] {
        let cover = picture(width, height, 9);
        assert!(matches!(hide(&mut codec, &cover, &random_bytes(1, 1), None, Format::Png), Err(Error::TooSmall { .. })));
        assert!(matches!(reveal(&mut codec, &cover, None), Err(Error::NoMessage)));
    }
}

#[test]
fn opacity_and_profile_stay_and_nothing_is_written_where_it_is_transparent() {
    let mut codec = codec(Model::Photo);
    let mut cover = picture(130, 120, 1);
    cover.icc = Some((0..200u8).collect());
    cover.alpha = Some((0..130 * 120).map(|i| if i % 130 < 50 { 0 } else { 1 + (i % 255) as u8 }).collect());
    let message = random_bytes(150, 1);
    let hidden = hide(&mut codec, &cover, &message, None, Format::Png).unwrap();
    let back = Picture::parse(&hidden.file, Path::new("x.png")).unwrap();
    assert_eq!((&back.alpha, &back.icc), (&cover.alpha, &cover.icc));
    assert_eq!(reveal(&mut codec, &back, None).unwrap(), message);
    for (i, (a, b)) in cover.rgb.chunks_exact(3).zip(back.rgb.chunks_exact(3)).enumerate() {
        assert!(a == b || i % 130 >= 50, "pixel {i}");
    }
    let room = capacity(&codec, &Picture { alpha: None, ..cover.clone() })[0];
    assert!(capacity(&codec, &cover)[0] < room * 2 / 3);
    cover.alpha = Some(vec![0; 130 * 120]);
    assert!(matches!(hide(&mut codec, &cover, &message, None, Format::Png), Err(Error::TooSmall { .. })));
}

#[test]
fn wrong_passwords_other_models_and_damage_have_names() {
    let (mut photo, mut robust) = (codec(Model::Photo), codec(Model::Robust));
    let cover = picture(200, 160, 2);
    let hidden = hide(&mut photo, &cover, &Message::Text("at nine".into()), Some(b"one"), Format::Png).unwrap();
    assert!(matches!(again(&hidden.file, &mut photo, None), Err(Error::Locked)));
    assert!(matches!(again(&hidden.file, &mut photo, Some(b"two")), Err(Error::WrongPassword)));
    assert!(matches!(again(&hidden.file, &mut robust, None), Err(Error::NoMessage)));
    // A full picture, half of which is then replaced: the header's copies survive, the message does not.
    let full = random_bytes(capacity(&photo, &cover)[0] - 1, 1);
    let mut spoilt = hide(&mut photo, &cover, &full, None, Format::Png).unwrap().picture;
    spoilt.rgb[..200 * 30 * 3].copy_from_slice(&cover.rgb[..200 * 30 * 3]);
    assert!(matches!(reveal(&mut photo, &spoilt, None), Err(Error::Spoilt)));
    // Scaled, cropped, saved as JPEG: the message of this model is gone.
    let rgb = jpeg_round_trip(&hidden.picture.rgb, 200, 160, 75, true).unwrap();
    assert!(matches!(reveal(&mut photo, &Picture { rgb, ..hidden.picture.clone() }, None), Err(Error::NoMessage)));
}

#[test]
fn the_robust_model_survives_jpeg_also_as_the_output() {
    let mut codec = codec(Model::Robust);
    let cover = picture(512, 384, 4);
    let message = random_bytes(60, 2);
    let hidden = hide(&mut codec, &cover, &message, None, Format::Png).unwrap();
    assert!(hidden.psnr > 34.0, "{}", hidden.psnr);
    for quality in [95, 90, 75] {
        let rgb = jpeg_round_trip(&hidden.picture.rgb, cover.width, cover.height, quality, true).unwrap();
        assert_eq!(reveal(&mut codec, &Picture { rgb, ..hidden.picture.clone() }, None).unwrap(), message, "quality {quality}");
    }
    let file = hide(&mut codec, &cover, &message, Some(b"word"), Format::Jpeg).unwrap().file;
    let back = Picture::parse(&file, Path::new("x.jpg")).unwrap();
    assert_eq!(reveal(&mut codec, &back, Some(b"word")).unwrap(), message);
}

fn png(color: ColorType, depth: BitDepth, data: &[u8], change: impl FnOnce(&mut png::Encoder<&mut Vec<u8>>)) -> Vec<u8> {
    let mut out = vec![];
    let mut encoder = png::Encoder::new(&mut out, 64, 64);
    encoder.set_color(color);
    encoder.set_depth(depth);
    change(&mut encoder);
    encoder.write_header().unwrap().write_image_data(data).unwrap();
    out
}

fn jpeg(color: jpeg_encoder::ColorType) -> Vec<u8> {
    let mut out = vec![];
    let channels = match color {
        jpeg_encoder::ColorType::Luma => 1,
        jpeg_encoder::ColorType::Cmyk => 4,
        _ => 3,
    };
    let data = vec![90; 64 * 64 * channels];
    jpeg_encoder::Encoder::new(&mut out, 90).encode(&data, 64, 64, color).unwrap();
    out
}

#[test]
fn kinds_of_pictures_are_read_or_refused_by_name() {
    let parse = |bytes: &[u8], name: &str| Picture::parse(bytes, &PathBuf::from(name));
    let grey: Vec<u8> = (0..64 * 64).map(|i| i as u8).collect();
    let plain = png(ColorType::Grayscale, BitDepth::Eight, &grey, |_| {});
    let p = parse(&plain, "a.png").unwrap();
    assert!(p.rgb.chunks_exact(3).zip(&grey).all(|(p, &g)| p == [g; 3]) && p.alpha.is_none());
    let palette = png(ColorType::Indexed, BitDepth::Eight, &[1; 64 * 64], |e| {
        e.set_palette(vec![0, 0, 0, 9, 8, 7]);
        e.set_trns(vec![0, 77]);
    });
    let p = parse(&palette, "a.png").unwrap();
    assert!(p.rgb.chunks_exact(3).all(|p| p == [9, 8, 7]) && p.alpha == Some(vec![77; 64 * 64]));
    let both = png(ColorType::GrayscaleAlpha, BitDepth::Eight, &[5; 2 * 64 * 64], |_| {});
    assert_eq!(parse(&both, "a.png").unwrap().alpha, Some(vec![5; 64 * 64]));
    let p = parse(&jpeg(jpeg_encoder::ColorType::Luma), "a.jpeg").unwrap();
    assert_eq!((p.width, p.height, p.rgb.len()), (64, 64, 64 * 64 * 3));
    let sixteen = png(ColorType::Rgb, BitDepth::Sixteen, &[0; 64 * 64 * 6], |_| {});
    assert!(matches!(parse(&sixteen, "a.png"), Err(Error::SixteenBits { .. })));
    let animated = png(ColorType::Grayscale, BitDepth::Eight, &grey, |e| e.set_animated(1, 0).unwrap());
    assert!(matches!(parse(&animated, "a.png"), Err(Error::Animated { .. })));
    assert!(matches!(parse(&jpeg(jpeg_encoder::ColorType::Cmyk), "a.jpg"), Err(Error::Cmyk { .. })));
    assert!(matches!(parse(&plain, "a.jpg"), Err(Error::Mislabelled { is: "PNG", .. })));
    assert!(matches!(parse(&jpeg(jpeg_encoder::ColorType::Rgb), "a.png"), Err(Error::Mislabelled { is: "JPEG", .. })));
    assert!(matches!(parse(b"GIF89a", "a.gif"), Err(Error::NoPicture { .. })));
    assert!(matches!(parse(b"", "a.png"), Err(Error::NoPicture { .. })));
    for cut in [9, 40, plain.len() / 2] {
        assert!(matches!(parse(&plain[..cut], "a.png"), Err(Error::Damaged { .. })), "cut at {cut}");
    }
}

#[test]
fn turned_pictures_and_bombs_are_refused_before_they_are_decoded() {
    // EXIF: a TIFF header and one entry, 0x0112 (orientation), a SHORT.
    let exif = |orientation: u8| {
        let mut tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
        tiff.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
        let plain = jpeg(jpeg_encoder::ColorType::Rgb);
        let mut file = plain[..2].to_vec();
        file.extend([0xFF, 0xE1, 0, (tiff.len() + 8) as u8]);
        file.extend(b"Exif\0\0");
        file.extend(tiff);
        file.extend(&plain[2..]);
        file
    };
    assert!(Picture::parse(&exif(1), Path::new("a.jpg")).is_ok());
    assert!(matches!(Picture::parse(&exif(6), Path::new("a.jpg")), Err(Error::Turned { orientation: 6, .. })));
    // 100 megapixels: the header says so, and nothing follows.
    let mut bomb = png(ColorType::Rgb, BitDepth::Eight, &[0; 64 * 64 * 3], |_| {});
    bomb[16..24].copy_from_slice(&[0, 0, 0x27, 0x10, 0, 0, 0x27, 0x10]);
    let sum = crc32fast::hash(&bomb[12..29]);
    bomb[29..33].copy_from_slice(&sum.to_be_bytes());
    assert!(matches!(Picture::parse(&bomb, Path::new("a.png")), Err(Error::TooLarge { width: 10_000, height: 10_000, .. })));
    let mut bomb = jpeg(jpeg_encoder::ColorType::Rgb);
    let at = bomb.windows(2).position(|w| w == [0xFF, 0xC0]).unwrap();
    bomb[at + 5..at + 9].copy_from_slice(&[0xFF, 0xFF, 0xFF, 0xFF]);
    assert!(matches!(Picture::parse(&bomb, Path::new("a.jpg")), Err(Error::TooLarge { width: 65_535, .. })));
    // A limit of one's own counts for both formats: the pictures have 64 × 64 pixels.
    for file in [png(ColorType::Rgb, BitDepth::Eight, &[0; 64 * 64 * 3], |_| {}), jpeg(jpeg_encoder::ColorType::Rgb)] {
        assert!(Picture::parse_within(&file, Path::new(""), 64 * 64).is_ok());
        assert!(matches!(Picture::parse_within(&file, Path::new(""), 64 * 64 - 1), Err(Error::TooLarge { width: 64, height: 64, .. })));
    }
}

/// Genuine photographs, if there are any.
fn photographs() -> Vec<Picture> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/photos");
    let Ok(files) = std::fs::read_dir(&folder) else {
        eprintln!("skipped: there are no photographs in {}", folder.display());
        return vec![];
    };
    let paths = files.map(|f| f.unwrap().path()).filter(|p| Format::of(p).is_some());
    paths.map(|p| Picture::open(&p).unwrap()).collect()
}

/// The acceptance figures, on genuine photographs.
#[test]
fn photographs_keep_their_quality() {
    let mut codec = codec(Model::Photo);
    let (mut full, mut text) = (vec![], vec![]);
    for cover in photographs() {
        let room = capacity(&codec, &cover)[0];
        assert!(8.0 * room as f64 / (cover.width * cover.height) as f64 >= 0.18);
        let all = [(room - 1, &mut full), (121, &mut text)];
        // The largest one takes long: once is enough.
        let count = if cover.rgb.len() > 3_000_000 { 1 } else { 2 };
        for (size, qualities) in all.into_iter().take(count) {
            let message = random_bytes(size, 11);
            let hidden = hide(&mut codec, &cover, &message, None, Format::Png).unwrap();
            assert_eq!(again(&hidden.file, &mut codec, None).unwrap(), message);
            qualities.push([hidden.psnr, hidden.ssim]);
        }
    }
    if full.is_empty() {
        return;
    }
    let mean = |all: &[[f64; 2]], i: usize| all.iter().map(|q| q[i]).sum::<f64>() / all.len() as f64;
    assert!(mean(&full, 0) >= 40.0 && mean(&full, 1) >= 0.98 && full.iter().all(|q| q[0] >= 38.0), "{full:?}");
    assert!(mean(&text, 0) >= 45.0, "{text:?}");
}

/// Whether a message hidden in a picture comes back when this is saved as JPEG of quality 75 and 50; and the PSNR.
fn survival(codec: &mut Codec, cover: &Picture, seed: u64) -> ([bool; 2], f64) {
    let message = random_bytes(121, seed);
    let hidden = hide(codec, cover, &message, None, Format::Png).unwrap();
    assert_eq!(again(&hidden.file, codec, None).unwrap(), message);
    let survives = [75, 50].map(|quality| {
        let rgb = jpeg_round_trip(&hidden.picture.rgb, cover.width, cover.height, quality, true).unwrap();
        matches!(reveal(codec, &Picture { rgb, ..cover.clone() }, None), Ok(m) if m == message)
    });
    (survives, hidden.psnr)
}

/// The acceptance figures of the other model, on each photograph, however rough, and on a part of it, which has less room.
#[test]
fn photographs_survive_jpeg_unseen() {
    let mut codec = codec(Model::Robust);
    for (i, cover) in photographs().into_iter().enumerate() {
        let (width, height) = (512.min(cover.width), 384.min(cover.height));
        let rgb = (0..height).flat_map(|y| cover.rgb[y * cover.width * 3..][..width * 3].to_vec()).collect();
        let part = Picture { width, height, rgb, alpha: None, icc: None };
        for picture in [&cover, &part] {
            let (survives, psnr) = survival(&mut codec, picture, i as u64);
            assert!(survives == [true; 2] && psnr >= 38.5, "{i}, {}×{}: {survives:?}, {psnr} dB", picture.width, picture.height);
        }
    }
}

/// White noise is where a message costs most: what must survive does, and it costs no more than it must.
#[test]
fn what_should_survive_gives_way_where_it_would_be_seen() {
    let mut random = Random::new(6, 6);
    let rgb = (0..512 * 384 * 3).map(|_| random.below(256) as u8).collect();
    let noise = Picture { width: 512, height: 384, rgb, alpha: None, icc: None };
    let (survives, psnr) = survival(&mut codec(Model::Robust), &noise, 1);
    assert!(survives[0] && psnr > 33.0, "{survives:?}, {psnr} dB");
}
