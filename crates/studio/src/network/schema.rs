//! What a training file may say: the description behind `config check`, `config schema` and `config init`, and the
//! first check of every training.

use crate::config::schema::{Choice, Key, MANY, Node, Range, group, list, optional, required, usual, with, word};

const SEED: Node = Node::Whole(0, u32::MAX as i64);
const COUNT: Node = Node::Whole(1, i64::MAX);

/// A training file.
pub fn file() -> Node {
    Node::Table(group("file", [general(), rate(), weights(), loss(), tables()].into_iter().flatten().collect()))
}

fn general() -> Vec<Key> {
    vec![
        optional("name", Node::Name, "\"net\"").fix("train.name_fix"),
        usual("seed", SEED, "0"),
        usual("epochs", COUNT, "10").fix("train.from_one"),
        usual("batch", COUNT, "32").fix("train.from_one"),
        // More threads than this are a typing error.
        usual("threads", Node::Whole(0, 1024), "0").fix("train.threads_fix"),
        usual("checkpoint_seconds", Node::Number(Range::NotNegative), "30.0").fix("train.seconds_fix"),
        usual("tensorboard", Node::Flag, "false"),
    ]
}

fn rate() -> Vec<Key> {
    vec![
        optional("learning_rate", Node::Number(Range::Positive), "0.001").fix("train.rate_fix"),
        usual("schedule", schedule(), "\"constant\""),
        usual("warmup", Node::Number(Range::NotNegative), "0.0"),
    ]
}

fn weights() -> Vec<Key> {
    let limit = |name| with(name, false, Node::Number(Range::Positive));
    vec![
        usual("optimizer", optimizer(), "\"adam\""),
        optional("clip", Node::Choice(vec![limit("norm"), limit("value")]), "{ norm = 1.0 }"),
        usual("weight_decay", Node::Number(Range::NotNegative), "0.0"),
        optional("average", Node::Number(Range::Inside), "0.999"),
    ]
}

fn loss() -> Vec<Key> {
    let each = list(Node::Number(Range::NotNegative), 1);
    let metrics = [word("accuracy"), with("top_accuracy", false, COUNT), word("binary_accuracy"), word("mae"), word("mse"), word("rmse")];
    let logits = |name| with(name, true, Node::Table(group("loss", vec![usual("from_logits", Node::Flag, "false")])));
    let delta = Node::Table(group("loss", vec![required("delta", Node::Number(Range::Positive), "1.0")]));
    let losses = vec![
        word("mse"),
        word("mae"),
        with("huber", true, delta),
        logits("binary_cross_entropy"),
        logits("categorical_cross_entropy"),
        logits("sparse_categorical_cross_entropy"),
    ];
    vec![
        optional("metrics", list(Node::Choice(metrics.into()), 0), "[\"accuracy\"]"),
        optional("loss", Node::Choice(losses), "\"mse\""),
        optional("class_weights", Node::Either(vec![Node::Word(&["balanced"]), each]), "\"balanced\""),
        usual("label_smoothing", Node::Number(Range::Share), "0.0"),
    ]
}

fn tables() -> Vec<Key> {
    vec![
        optional("augment", augment(), "{ shift = 0.1 }"),
        optional("reduce_on_plateau", plateau(), "{ patience = 10 }"),
        optional("early_stopping", stopping(), "{ patience = 5 }"),
        required("data", data(), "{ kind = \"csv\", file = \"data.csv\", target = \"class\" }"),
        required("layers", Node::Layers(layer), "[{ type = \"dense\", units = 2 }]"),
    ]
}

fn schedule() -> Node {
    let number = Node::Number;
    let table = |keys| Node::Table(group("schedule", keys));
    Node::Choice(vec![
        word("constant"),
        with("exponential", true, table(vec![required("decay", number(Range::Positive), "0.95")])),
        with("cosine", true, table(vec![usual("end", number(Range::Whole), "0.0")])),
        with(
            "one_cycle",
            true,
            table(vec![
                usual("rise", number(Range::Share), "0.3"),
                usual("start", number(Range::Some), "0.04"),
                usual("end", number(Range::Whole), "4e-6"),
            ]),
        ),
        with("step", true, table(vec![required("every", COUNT, "10"), required("factor", number(Range::Positive), "0.1")])),
    ])
}

fn optimizer() -> Node {
    let share = |name, default| usual(name, Node::Number(Range::Share), default);
    let epsilon = || usual("epsilon", Node::Number(Range::Positive), "1e-8");
    let adam = || vec![share("beta1", "0.9"), share("beta2", "0.999"), epsilon()];
    let decay = usual("weight_decay", Node::Number(Range::NotNegative), "0.01");
    let kinds = vec![
        ("sgd", vec![]),
        ("momentum", vec![share("momentum", "0.9")]),
        ("nesterov", vec![share("momentum", "0.9")]),
        ("rmsprop", vec![share("rho", "0.99"), epsilon()]),
        ("adam", adam()),
        ("adamw", adam().into_iter().chain([decay]).collect()),
    ];
    Node::Kinds { tag: "kind", bare: true, kinds: kinds.into_iter().map(|(k, keys)| (k, group("optimizer", keys))).collect() }
}

fn augment() -> Node {
    let number = |name, range| usual(name, Node::Number(range), "0.0");
    Node::Table(group(
        "augment",
        vec![
            usual("flip_horizontal", Node::Flag, "false"),
            usual("flip_vertical", Node::Flag, "false"),
            number("shift", Range::Whole),
            number("rotate", Range::Degrees),
            number("scale", Range::Share),
            number("noise", Range::NotNegative),
            number("cutout", Range::Whole),
            number("fill", Range::Finite),
        ],
    ))
}

fn plateau() -> Node {
    Node::Table(group(
        "reduce_on_plateau",
        vec![
            usual("patience", COUNT, "10").fix("train.from_one"),
            usual("factor", Node::Number(Range::Inside), "0.1"),
            usual("min_delta", Node::Number(Range::NotNegative), "1e-4").fix("train.delta_fix"),
            usual("cooldown", Node::Whole(0, i64::MAX), "0"),
            usual("floor", Node::Number(Range::Whole), "0.0"),
            optional("monitor", Node::Text, "\"loss\""),
        ],
    ))
}

fn stopping() -> Node {
    Node::Table(group(
        "early_stopping",
        vec![
            usual("patience", COUNT, "5").fix("train.from_one"),
            usual("min_delta", Node::Number(Range::NotNegative), "0.0").fix("train.delta_fix"),
            optional("monitor", Node::Text, "\"loss\""),
        ],
    ))
}

fn data() -> Node {
    let column = || Node::Either(vec![Node::Text, Node::Whole(i64::MIN, i64::MAX)]);
    let classes = || list(Node::Text, 2);
    let path = |name, sample| required(name, Node::Text, sample);
    let own = [
        (
            "npy-classes",
            vec![
                path("folder", "\"images\""),
                required("classes", classes(), "[\"cat\", \"dog\"]"),
                optional("train_rows", COUNT, "1000"),
                usual("test_rows", Node::Whole(0, i64::MAX), "0"),
            ],
        ),
        (
            "npy",
            [
                pairs(["x", "y", "test_x", "test_y"]),
                vec![
                    optional("validation_x", Node::Text, "\"validation_x.npy\""),
                    optional("validation_y", Node::Text, "\"validation_y.npy\""),
                    optional("classes", classes(), "[\"no\", \"yes\"]"),
                ],
            ]
            .concat(),
        ),
        (
            "csv",
            vec![
                path("file", "\"data.csv\""),
                optional("test_file", Node::Text, "\"test.csv\""),
                required("target", Node::Either(vec![column(), list(column(), 1)].into_iter().flat_map(flat).collect()), "\"class\""),
                usual("header", Node::Flag, "true"),
                usual("delimiter", Node::Letter, "\",\""),
                usual("ignore", list(column(), 0), "[]"),
                usual("categorical", list(column(), 0), "[]"),
                usual("unknown_category", Node::Word(&["error", "zeros"]), "\"error\""),
            ],
        ),
        (
            "idx",
            [pairs(["images", "labels", "test_images", "test_labels"]), vec![optional("classes", classes(), "[\"no\", \"yes\"]")]].concat(),
        ),
    ];
    let kinds = own.into_iter().map(|(kind, keys)| (kind, group("data", keys.into_iter().chain(shared()).collect())));
    // Pictures of any size are made as large as is asked for.
    let shape = required("shape", list(COUNT, 3), "[64, 64, 3]");
    let own = [path("folder", "\"images\""), optional("test_folder", Node::Text, "\"test\""), shape];
    let images = own.into_iter().chain(shared().into_iter().filter(|k| k.name != "shape"));
    let kinds = kinds.chain([("image-classes", group("data", images.collect()))]);
    Node::Kinds { tag: "kind", bare: false, kinds: kinds.collect() }
}

/// Inputs and targets, and those of a test.
fn pairs([x, y, test_x, test_y]: [&'static str; 4]) -> Vec<Key> {
    vec![
        required(x, Node::Text, "\"x.npy\""),
        required(y, Node::Text, "\"y.npy\""),
        optional(test_x, Node::Text, "\"test_x.npy\""),
        optional(test_y, Node::Text, "\"test_y.npy\""),
    ]
}

/// The alternatives of an alternative.
fn flat(node: Node) -> Vec<Node> {
    if let Node::Either(all) = node { all } else { vec![node] }
}

/// Keys of every kind of data.
fn shared() -> Vec<Key> {
    vec![
        optional("task", Node::Word(&["classification", "regression"]), "\"classification\""),
        optional("shape", list(COUNT, 1), "[28, 28, 1]"),
        usual("scale", Node::Number(Range::NotZero), "1.0"),
        usual("standardize", Node::Flag, "false"),
        usual("validation", Node::Number(Range::Share), "0.0"),
        usual("test", Node::Number(Range::Share), "0.0"),
        usual("seed", SEED, "0"),
        optional("limit", COUNT, "1000"),
        optional("stream", Node::Flag, "true"),
    ]
}

/// A layer.
pub fn layer() -> Node {
    let kinds = [images(), moves(), others()].into_iter().flatten();
    Node::Kinds { tag: "type", bare: false, kinds: kinds.map(|(kind, keys)| (kind, group("layers", keys))).collect() }
}

/// One number for height and width, or both.
fn size() -> Node {
    let extent = || Node::Whole(1, 1 << 16);
    Node::Either(vec![extent(), Node::List(Box::new(extent()), 2, 2)])
}

/// The activation, bias and first weights of a layer with weights.
fn sums(name: &'static str) -> [Key; 3] {
    [usual(name, activation(), "\"linear\""), usual("bias", Node::Flag, "true"), usual("init", init(), "\"glorot_uniform\"")]
}

fn images() -> Vec<(&'static str, Vec<Key>)> {
    let conv = |more: Vec<Key>| {
        let own = [required("filters", COUNT, "8"), required("kernel", size(), "3"), usual("stride", size(), "1")];
        let padding = usual("padding", Node::Word(&["valid", "same"]), "\"valid\"");
        own.into_iter().chain([padding]).chain(more).chain(sums("activation")).collect::<Vec<_>>()
    };
    let pool = || vec![required("size", size(), "2"), optional("stride", size(), "2")];
    vec![
        ("conv2d", conv(vec![usual("dilation", size(), "1")])),
        ("conv2d_transpose", conv(vec![])),
        ("max_pool2d", pool()),
        ("average_pool2d", pool()),
        ("global_max_pool2d", vec![]),
        ("global_average_pool2d", vec![]),
    ]
}

fn moves() -> Vec<(&'static str, Vec<Key>)> {
    let finite = Node::Number(Range::Finite);
    vec![
        ("flatten", vec![]),
        ("reshape", vec![required("shape", list(COUNT, 1), "[28, 28, 1]")]),
        ("rescale", vec![required("scale", finite.clone(), "0.5"), usual("offset", finite, "0.0")]),
        ("residual", vec![required("layers", Node::Layers(layer), "[{ type = \"dense\", units = 2 }]")]),
        ("concat", vec![required("branches", Node::List(Box::new(Node::Layers(layer)), 1, MANY), "[[{ type = \"dense\", units = 2 }]]")]),
    ]
}

fn others() -> Vec<(&'static str, Vec<Key>)> {
    let epsilon = || usual("epsilon", Node::Number(Range::Positive), "1e-5");
    let table = || Node::Whole(1, i32::MAX as i64);
    vec![
        ("dense", [required("units", COUNT, "8")].into_iter().chain(sums("activation")).collect()),
        ("batch_norm", vec![usual("momentum", Node::Number(Range::Share), "0.9"), epsilon()]),
        ("layer_norm", vec![epsilon()]),
        ("dropout", vec![required("rate", Node::Number(Range::Share), "0.5")]),
        ("embedding", vec![required("vocabulary", table(), "1000"), required("dimension", table(), "16")]),
        ("activation", vec![required("function", activation(), "\"relu\"")]),
    ]
}

fn activation() -> Node {
    let one = |name, key: &'static str, sample| {
        with(name, true, Node::Table(group("activation", vec![required(key, Node::Number(Range::Finite), sample)])))
    };
    let words = |names: &[&'static str]| names.iter().map(|n| word(n)).collect::<Vec<Choice>>();
    let parametric = vec![one("leaky_relu", "slope", "0.01"), one("elu", "alpha", "1.0")];
    let first = words(&["linear", "step", "sigmoid", "tanh", "relu"]);
    Node::Choice([first, parametric, words(&["gelu", "softmax", "softplus", "silu"])].concat())
}

fn init() -> Node {
    let number = || Node::Number(Range::Finite);
    let table = |keys| Node::Table(group("init", keys));
    let ends = table(vec![required("min", number(), "-0.05"), required("max", number(), "0.05")]);
    let spread = table(vec![required("std", Node::Number(Range::NotNegative), "0.05")]);
    let words = ["zeros", "ones", "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform"];
    let parametric = [with("constant", false, number()), with("uniform", false, ends), with("normal", false, spread)];
    Node::Choice(words.into_iter().map(word).chain(parametric).collect())
}

#[cfg(test)]
mod tests;
