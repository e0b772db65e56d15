use super::*;

fn parse(text: &str) -> Result<DataConfig, String> {
    toml::from_str(text).map_err(|e| e.to_string())
}

const CLASSES: &str = "kind = 'npy-classes'\nfolder = 'f'\nclasses = ['a', 'b']\n";
const CSV: &str = "kind = 'csv'\nfile = 'f.csv'\ntarget = 'y'\n";

#[test]
fn every_kind_and_back() {
    let texts = [
        format!("{CLASSES}train_rows = 10\ntest_rows = 5\nshape = [28, 28, 1]\nscale = 0.00392156862745098\nvalidation = 0.1"),
        CLASSES.to_string(),
        "kind = 'npy'\nx = 'x.npy'\ny = 'y.npy'\ntest_x = 'tx.npy'\ntest_y = 'ty.npy'\ntask = 'regression'\nstandardize = true".into(),
        "kind = 'npy'\nx = 'x.npy'\ny = 'y.npy'\nclasses = ['a', 'b']\ntest = 0.2\nseed = 7\nlimit = 100".into(),
        "kind = 'idx'\nimages = 'i'\nlabels = 'l'\ntest_images = 'ti'\ntest_labels = 'tl'".into(),
        format!(
            "{CSV}test_file = 't.csv'\nheader = false\ndelimiter = ';'\nignore = ['id', 3, -1]\ncategorical = ['c']\nunknown_category = 'zeros'"
        ),
        "kind = 'csv'\nfile = 'f.csv'\ntarget = ['a', 2]\ntask = 'regression'\nstream = false".into(),
        "kind = 'image-classes'\nfolder = 'f'\ntest_folder = 't'\nshape = [32, 48, 3]\nstream = true".into(),
    ];
    for text in texts {
        let config = parse(&text).unwrap();
        assert_eq!(parse(&toml::to_string(&config).unwrap()).unwrap(), config, "{text}");
        let json: DataConfig = serde_json::from_str(&serde_json::to_string(&config).unwrap()).unwrap();
        assert_eq!(json, config);
    }
}

#[test]
fn values_arrive() {
    let config = parse(&format!("{CSV}ignore = ['id', -1]\ndelimiter = \"\\t\"\ntask = 'classification'")).unwrap();
    let Source::Csv { file, target, format, ignore, unknown, .. } = &config.source else { panic!() };
    assert_eq!((file, &target[..]), (&PathBuf::from("f.csv"), &[Column::Name("y".into())][..]));
    assert_eq!((format, *unknown), (&Format { header: true, delimiter: '\t' }, Unknown::Error));
    assert_eq!(ignore[..], [Column::Name("id".into()), Column::Index(-1)]);
    assert_eq!((config.task, config.scale, config.seed), (Some(Task::Classification), 1.0, 0));
}

#[test]
fn mistakes_are_explained() {
    let cases = [
        ("kind = 'parquet'".to_string(), "unknown variant `parquet`"),
        ("file = 'f.csv'".into(), "missing field `kind`"),
        (format!("{CSV}tagret = 1"), "unknown field `tagret`"),
        (
            format!("{CSV}folder = 'x'"),
            "data setting `folder`: it belongs to kind = \"npy-classes\" or \"image-classes\", not to kind = \"csv\"",
        ),
        (format!("{CSV}classes = ['a', 'b']"), "it belongs to kind = \"npy-classes\" or \"npy\" or \"idx\""),
        ("kind = 'csv'\nfile = 'f.csv'".into(), "data setting `target`: it is missing; kind = \"csv\" needs it"),
        ("kind = 'csv'\nfile = 'f.csv'\ntarget = []".into(), "data setting `target`: there is nothing to predict"),
        (format!("{CSV}delimiter = 'ab'"), "expected a character"),
        (format!("{CSV}delimiter = '\"'"), "cannot delimit fields"),
        (format!("{CSV}validation = 1.0"), "data setting `validation`: 1 is not a part of the rows"),
        (format!("{CSV}validation = -0.1"), "-0.1 is not a part of the rows"),
        (format!("{CSV}test = nan"), "data setting `test`: NaN is not a part"),
        (format!("{CSV}test = 0.2\ntest_file = 't.csv'"), "the source has a test set of its own"),
        (format!("{CSV}scale = 0"), "data setting `scale`: 0 cannot scale"),
        (format!("{CSV}scale = 1e300"), "cannot scale numbers"),
        (format!("{CSV}shape = [28, 0]"), "[28, 0] is no shape of a row"),
        (format!("{CSV}shape = []"), "[] is no shape of a row"),
        (format!("{CSV}limit = 0"), "data setting `limit`: no rows would be left"),
        (format!("{CLASSES}train_rows = 0"), "training needs rows"),
        (format!("{CLASSES}task = 'regression'"), "hold no numbers to predict"),
        ("kind = 'npy-classes'\nfolder = 'f'\nclasses = ['a']".into(), "one class cannot be told apart"),
        ("kind = 'npy-classes'\nfolder = 'f'\nclasses = ['a', 'b', 'a']".into(), "\"a\" is named twice"),
        ("kind = 'npy'\nx = 'x'\ny = 'y'\ntest_y = 'z'".into(), "data setting `test_x`: it is missing, while `test_y` is given"),
        ("kind = 'npy'\nx = 'x'\ny = 'y'\nclasses = ['a', 'b']\ntask = 'regression'".into(), "regression has no classes"),
        ("kind = 'image-classes'\nfolder = 'f'".into(), "data setting `shape`: images need it, as [height, width, channels]"),
        ("kind = 'image-classes'\nfolder = 'f'\nshape = [8, 8, 2]".into(), "with 1 channel (grey) or 3 (colours)"),
        ("kind = 'image-classes'\nfolder = 'f'\nshape = [8, 8, 1]\ntask = 'regression'".into(), "hold no numbers to predict"),
        (format!("{CSV}seed = -1"), "invalid value: integer `-1`"),
    ];
    for (text, expected) in cases {
        let error = parse(&text).unwrap_err();
        assert!(error.contains(expected), "{text}\ngave: {error}");
    }
}
