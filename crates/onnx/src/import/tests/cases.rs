//! Operators with operands and results: examples of ONNX's documentation and values computed by hand.

use crate::model::{Attribute, Element};

/// A constant or an input of a test.
#[derive(Clone)]
pub(super) struct Given {
    pub shape: Vec<usize>,
    pub values: Vec<f64>,
    pub element: Element,
    pub constant: bool,
}

fn data(shape: &[usize], values: &[f64]) -> Given {
    Given { shape: shape.to_vec(), values: values.to_vec(), element: Element::Float, constant: false }
}

/// 0, 1, 2, …
pub(super) fn count(shape: &[usize]) -> Given {
    let n: usize = shape.iter().product();
    data(shape, &(0..n).map(|i| i as f64).collect::<Vec<_>>())
}

pub(super) fn ints(values: &[i64]) -> Given {
    let values = values.iter().map(|&x| x as f64).collect::<Vec<_>>();
    Given { constant: true, element: Element::Int64, ..data(&[values.len()], &values) }
}

fn number(x: f64) -> Given {
    Given { constant: true, ..data(&[], &[x]) }
}

pub(super) type Attributes = Vec<(&'static str, Attribute)>;

pub(super) fn list(values: &[i64]) -> Attribute {
    Attribute::Ints(values.to_vec())
}

/// One operator with its operands and the result that it must have.
pub(super) struct Case {
    pub op: &'static str,
    pub opset: i64,
    pub attributes: Attributes,
    pub given: Vec<Given>,
    pub want: (Vec<usize>, Vec<f64>),
}

fn case(op: &'static str, opset: i64, attributes: Attributes, given: Vec<Given>, shape: &[usize], values: &[f64]) -> Case {
    Case { op, opset, attributes, given, want: (shape.to_vec(), values.to_vec()) }
}

/// A weight: one-dimensional constants of floats are parameters.
fn weight(shape: &[usize], values: &[f64]) -> Given {
    Given { constant: true, ..data(shape, values) }
}

fn shapes() -> Vec<Case> {
    let int = Attribute::Int;
    vec![
        case("Reshape", 14, vec![], vec![count(&[2, 3]), ints(&[0, -1, 1])], &[2, 3, 1], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]),
        case("Flatten", 13, vec![("axis", int(0))], vec![count(&[2, 2])], &[1, 4], &[0.0, 1.0, 2.0, 3.0]),
        case("Squeeze", 13, vec![], vec![count(&[1, 2, 1]), ints(&[-1])], &[1, 2], &[0.0, 1.0]),
        case("Squeeze", 11, vec![("axes", list(&[0]))], vec![count(&[1, 2, 1])], &[2, 1], &[0.0, 1.0]),
        case("Unsqueeze", 13, vec![], vec![count(&[2]), ints(&[-1, 0])], &[1, 2, 1], &[0.0, 1.0]),
        case("Slice", 13, vec![], vec![count(&[6]), ints(&[-2]), ints(&[i64::MIN]), ints(&[0]), ints(&[-2])], &[3], &[4.0, 2.0, 0.0]),
        case("Slice", 9, vec![("starts", list(&[1])), ("ends", list(&[99]))], vec![count(&[2, 2])], &[1, 2], &[2.0, 3.0]),
        case("Concat", 13, vec![("axis", int(-1))], vec![count(&[2, 1]), count(&[2, 2])], &[2, 3], &[0.0, 0.0, 1.0, 1.0, 2.0, 3.0]),
        case("Expand", 13, vec![], vec![count(&[2, 1]), ints(&[1, 2])], &[2, 2], &[0.0, 0.0, 1.0, 1.0]),
        case("Tile", 13, vec![], vec![count(&[1, 2]), ints(&[2, 2])], &[2, 4], &[0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0]),
        case("Pad", 13, vec![], vec![count(&[3]), ints(&[1, -1]), number(9.0)], &[3], &[9.0, 0.0, 1.0]),
        case(
            "Pad",
            13,
            vec![("mode", Attribute::Text("reflect".into()))],
            vec![count(&[3]), ints(&[2, 1])],
            &[6],
            &[2.0, 1.0, 0.0, 1.0, 2.0, 1.0],
        ),
        case("Pad", 13, vec![("mode", Attribute::Text("edge".into()))], vec![count(&[2]), ints(&[1, 2])], &[5], &[0.0, 0.0, 1.0, 1.0, 1.0]),
        case("Range", 11, vec![], vec![number(10.0), number(6.0), number(-3.0)], &[2], &[10.0, 7.0]),
        case("DepthToSpace", 13, vec![("blocksize", int(2))], vec![count(&[1, 4, 1, 1])], &[1, 1, 2, 2], &[0.0, 1.0, 2.0, 3.0]),
        case("SpaceToDepth", 13, vec![("blocksize", int(2))], vec![count(&[1, 1, 2, 2])], &[1, 4, 1, 1], &[0.0, 1.0, 2.0, 3.0]),
        case("Shape", 15, vec![("start", int(-1))], vec![count(&[2, 3])], &[1], &[3.0]),
        case("Trilu", 14, vec![("upper", int(0))], vec![count(&[2, 2])], &[2, 2], &[0.0, 0.0, 2.0, 3.0]),
        case("ConstantOfShape", 9, vec![], vec![ints(&[2])], &[2], &[0.0, 0.0]),
        case("EyeLike", 9, vec![("k", int(1))], vec![count(&[2, 2])], &[2, 2], &[0.0, 1.0, 0.0, 0.0]),
        case("Split", 13, vec![("axis", int(0))], vec![count(&[3]), ints(&[1, 2])], &[1], &[0.0]),
    ]
}

fn indices() -> Vec<Case> {
    let int = Attribute::Int;
    vec![
        case("Gather", 13, vec![("axis", int(1))], vec![count(&[2, 3]), ints(&[-1, 0])], &[2, 2], &[2.0, 0.0, 5.0, 3.0]),
        case("Gather", 13, vec![], vec![count(&[3, 2]), Given { shape: vec![], ..ints(&[-1]) }], &[2], &[4.0, 5.0]),
        case(
            "GatherElements",
            13,
            vec![("axis", int(1))],
            vec![count(&[2, 2]), Given { shape: vec![2, 1], ..ints(&[1, -2]) }],
            &[2, 1],
            &[1.0, 2.0],
        ),
        case("GatherND", 13, vec![], vec![count(&[2, 2]), Given { shape: vec![2, 2], ..ints(&[0, 0, 1, -1]) }], &[2], &[0.0, 3.0]),
        case(
            "ScatterND",
            16,
            vec![],
            vec![count(&[4]), Given { shape: vec![2, 1], ..ints(&[3, 1]) }, data(&[2], &[9.0, 8.0])],
            &[4],
            &[0.0, 8.0, 2.0, 9.0],
        ),
        case(
            "ScatterElements",
            16,
            vec![("axis", int(0)), ("reduction", Attribute::Text("add".into()))],
            vec![count(&[3]), ints(&[1, 1]), data(&[2], &[5.0, 6.0])],
            &[3],
            &[0.0, 12.0, 2.0],
        ),
        case("OneHot", 11, vec![], vec![ints(&[1, -1]), number(3.0), weight(&[2], &[0.0, 5.0])], &[2, 3], &[0.0, 5.0, 0.0, 0.0, 0.0, 5.0]),
        case(
            "ArgMax",
            13,
            vec![("axis", int(-1)), ("keepdims", int(0))],
            vec![data(&[2, 3], &[1.0, 3.0, 3.0, 0.0, -1.0, -2.0])],
            &[2],
            &[1.0, 0.0],
        ),
        case("ArgMin", 13, vec![("select_last_index", int(1))], vec![data(&[3], &[1.0, 1.0, 2.0])], &[1], &[1.0]),
        case("CumSum", 14, vec![("reverse", int(1))], vec![count(&[3]), Given { shape: vec![], ..ints(&[0]) }], &[3], &[3.0, 3.0, 2.0]),
    ]
}

fn numbers() -> Vec<Case> {
    let int = Attribute::Int;
    let e = std::f64::consts::E;
    vec![
        case("Clip", 13, vec![], vec![count(&[4]), number(1.0), number(2.0)], &[4], &[1.0, 1.0, 2.0, 2.0]),
        case("Clip", 6, vec![("max", Attribute::Float(1.5))], vec![count(&[3])], &[3], &[0.0, 1.0, 1.5]),
        case("Selu", 6, vec![], vec![data(&[2], &[1.0, -1.0])], &[2], &[1.050_701, 1.050_701 * 1.673_263_2 * (1.0 / e - 1.0)]),
        case("Mod", 13, vec![], vec![data(&[2], &[-3.0, 3.0]), data(&[2], &[2.0, -2.0])], &[2], &[1.0, -1.0]),
        case("Mod", 13, vec![("fmod", int(1))], vec![data(&[2], &[-3.5, 3.0]), data(&[2], &[2.0, -2.0])], &[2], &[-1.5, 1.0]),
        case("Celu", 12, vec![("alpha", Attribute::Float(2.0))], vec![data(&[2], &[3.0, -2.0])], &[2], &[3.0, 2.0 * (1.0 / e - 1.0)]),
        case("Pow", 15, vec![], vec![data(&[2], &[2.0, 3.0]), ints(&[3, 2])], &[2], &[8.0, 9.0]),
        case("Where", 16, vec![], vec![Given { element: Element::Bool, ..ints(&[1, 0]) }, count(&[2]), number(7.0)], &[2], &[0.0, 7.0]),
        case("Mean", 13, vec![], vec![count(&[2]), number(4.0)], &[2], &[2.0, 2.5]),
        case("Asinh", 9, vec![], vec![data(&[2], &[1.0, -1e-4])], &[2], &[0.881_373_6, -1e-4]),
        case("ReduceProd", 18, vec![("keepdims", int(0))], vec![data(&[5], &[1.0, 2.0, 3.0, 4.0, 0.5])], &[], &[12.0]),
        case("ReduceMin", 13, vec![("axes", list(&[-1]))], vec![count(&[2, 2])], &[2, 1], &[0.0, 2.0]),
        case("ReduceL2", 18, vec![("keepdims", int(0))], vec![data(&[2], &[3.0, 4.0])], &[], &[5.0]),
        case("ReduceLogSumExp", 18, vec![("keepdims", int(0))], vec![data(&[2], &[1000.0, 1000.0])], &[], &[1000.0 + 2f64.ln()]),
        case("Softmax", 11, vec![], vec![data(&[1, 2, 2], &[0.0; 4])], &[1, 2, 2], &[0.25; 4]),
        case("Softmax", 13, vec![], vec![data(&[1, 2, 2], &[0.0; 4])], &[1, 2, 2], &[0.5; 4]),
        case("Hardmax", 13, vec![], vec![data(&[3], &[1.0, 2.0, 2.0])], &[3], &[0.0, 1.0, 0.0]),
        case(
            "LayerNormalization",
            17,
            vec![("epsilon", Attribute::Float(0.0))],
            vec![data(&[1, 2], &[1.0, 3.0]), weight(&[2], &[1.0, 2.0]), weight(&[2], &[0.0, 1.0])],
            &[1, 2],
            &[-1.0, 3.0],
        ),
        case(
            "BatchNormalization",
            15,
            vec![("epsilon", Attribute::Float(0.0))],
            vec![data(&[1, 1, 2], &[1.0, 2.0]), weight(&[1], &[3.0]), weight(&[1], &[1.0]), weight(&[1], &[1.0]), weight(&[1], &[4.0])],
            &[1, 1, 2],
            &[1.0, 2.5],
        ),
        case(
            "InstanceNormalization",
            6,
            vec![("epsilon", Attribute::Float(0.0))],
            vec![data(&[1, 1, 2], &[1.0, 3.0]), weight(&[1], &[2.0]), weight(&[1], &[0.5])],
            &[1, 1, 2],
            &[-1.5, 2.5],
        ),
        case(
            "LRN",
            13,
            vec![("size", int(3)), ("alpha", Attribute::Float(3.0)), ("beta", Attribute::Float(1.0))],
            vec![data(&[1, 2, 1], &[1.0, 2.0])],
            &[1, 2, 1],
            &[1.0 / 6.0, 2.0 / 6.0],
        ),
        case(
            "Einsum",
            12,
            vec![("equation", Attribute::Text("ij, jk -> k".into()))],
            vec![count(&[2, 2]), count(&[2, 2])],
            &[2],
            &[8.0, 14.0],
        ),
        case(
            "Gemm",
            13,
            vec![("transB", int(1)), ("alpha", Attribute::Float(2.0))],
            vec![count(&[1, 2]), count(&[2, 2]), weight(&[2], &[1.0, -1.0])],
            &[1, 2],
            &[3.0, 5.0],
        ),
        case("MatMul", 13, vec![], vec![count(&[2]), count(&[2, 2, 1])], &[2, 1], &[1.0, 3.0]),
    ]
}

fn images() -> Vec<Case> {
    let int = Attribute::Int;
    let ones = |shape: &[usize]| weight(shape, &vec![1.0; shape.iter().product()]);
    vec![
        case(
            "Conv",
            11,
            vec![("auto_pad", Attribute::Text("SAME_LOWER".into()))],
            vec![count(&[1, 1, 1, 3]), ones(&[1, 1, 1, 2])],
            &[1, 1, 1, 3],
            &[0.0, 1.0, 3.0],
        ),
        case(
            "Conv",
            11,
            vec![("group", int(2))],
            vec![count(&[1, 2, 2]), weight(&[2, 1, 2], &[1.0, 1.0, 1.0, -1.0]), weight(&[2], &[0.0, 1.0])],
            &[1, 2, 1],
            &[1.0, 0.0],
        ),
        case("Conv", 11, vec![("group", int(2))], vec![count(&[1, 4, 1]), ones(&[2, 2, 1])], &[1, 2, 1], &[1.0, 5.0]),
        case(
            "Conv",
            11,
            vec![("dilations", list(&[2])), ("pads", list(&[1, 0]))],
            vec![count(&[1, 1, 3]), ones(&[1, 1, 2])],
            &[1, 1, 2],
            &[1.0, 2.0],
        ),
        case(
            "ConvTranspose",
            11,
            vec![("strides", list(&[2])), ("output_padding", list(&[1]))],
            vec![count(&[1, 1, 3]), weight(&[1, 1, 2], &[1.0, 10.0])],
            &[1, 1, 7],
            &[0.0, 0.0, 1.0, 10.0, 2.0, 20.0, 0.0],
        ),
        case(
            "ConvTranspose",
            11,
            vec![("strides", list(&[2])), ("output_shape", list(&[4])), ("auto_pad", Attribute::Text("SAME_UPPER".into()))],
            vec![count(&[1, 1, 2]), weight(&[1, 1, 3], &[1.0, 2.0, 3.0])],
            &[1, 1, 4],
            &[0.0, 0.0, 1.0, 2.0],
        ),
        case(
            "MaxPool",
            12,
            vec![("kernel_shape", list(&[2])), ("strides", list(&[2])), ("ceil_mode", int(1))],
            vec![count(&[1, 1, 3])],
            &[1, 1, 2],
            &[1.0, 2.0],
        ),
        case(
            "MaxPool",
            12,
            vec![("kernel_shape", list(&[2])), ("dilations", list(&[2])), ("pads", list(&[1, 0]))],
            vec![data(&[1, 1, 3], &[-1.0, -2.0, -3.0])],
            &[1, 1, 2],
            &[-2.0, -1.0],
        ),
        case(
            "AveragePool",
            11,
            vec![("kernel_shape", list(&[2])), ("pads", list(&[1, 0]))],
            vec![data(&[1, 1, 2], &[2.0, 4.0])],
            &[1, 1, 2],
            &[2.0, 3.0],
        ),
        case(
            "AveragePool",
            11,
            vec![("kernel_shape", list(&[2])), ("pads", list(&[1, 0])), ("count_include_pad", int(1))],
            vec![data(&[1, 1, 2], &[2.0, 4.0])],
            &[1, 1, 2],
            &[1.0, 3.0],
        ),
        case("GlobalAveragePool", 1, vec![], vec![count(&[1, 1, 2, 2])], &[1, 1, 1, 1], &[1.5]),
        case(
            "Resize",
            13,
            vec![("coordinate_transformation_mode", Attribute::Text("asymmetric".into()))],
            vec![count(&[1, 2]), weight(&[1], &[]).empty(), weight(&[2], &[1.0, 2.0])],
            &[1, 4],
            &[0.0, 0.0, 1.0, 1.0],
        ),
        case(
            "Resize",
            13,
            vec![("mode", Attribute::Text("linear".into()))],
            vec![count(&[2]), weight(&[1], &[]).empty(), weight(&[1], &[2.0])],
            &[4],
            &[0.0, 0.25, 0.75, 1.0],
        ),
        case("Upsample", 9, vec![], vec![count(&[2]), weight(&[1], &[2.0])], &[4], &[0.0, 0.0, 1.0, 1.0]),
    ]
}

impl Given {
    fn empty(self) -> Given {
        Given { shape: vec![0], values: vec![], ..self }
    }
}

pub(super) fn all() -> Vec<Case> {
    [shapes(), indices(), numbers(), images()].into_iter().flatten().collect()
}
