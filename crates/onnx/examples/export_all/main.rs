//! Writes models as ONNX, with inputs and the outputs that Neurona computes, for `.ci/onnx_check.py`:
//!
//!     cargo run -p neurona-onnx --example export_all -- FOLDER
//!
//! One folder a model: `model.onnx`, and for each batch size `N/input_K.npy` and `N/output_K.npy`.

mod models;

use bench::workloads::Array;
use std::error::Error;
use std::path::Path;

/// Batch sizes of the comparison.
const ROWS: [usize; 3] = [1, 2, 7];

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("which folder? cargo run -p neurona-onnx --example export_all -- FOLDER")?;
    for case in models::all() {
        let folder = Path::new(&folder).join(&case.name);
        let params = case.params();
        let info = onnx::Info { name: case.name.clone(), ..onnx::Info::default() };
        let file = onnx::export(&*case.trace, &params, &info).map_err(|e| format!("{}: {e}", case.name))?;
        for rows in ROWS {
            let sample = case.sample(rows, &params)?;
            let folder = folder.join(rows.to_string());
            std::fs::create_dir_all(&folder)?;
            for (k, (_, shape, data)) in sample.inputs.iter().enumerate() {
                write(&folder.join(format!("input_{k}.npy")), shape, data)?;
            }
            for (k, (shape, data)) in sample.outputs.into_iter().enumerate() {
                write(&folder.join(format!("output_{k}.npy")), &shape, &Array::F32(data))?;
            }
        }
        std::fs::write(folder.join("model.onnx"), &file)?;
        println!("{} {} bytes", case.name, file.len());
    }
    Ok(())
}

/// Writes an array of any rank as npy, format 1.0.
fn write(path: &Path, shape: &[usize], data: &Array) -> std::io::Result<()> {
    let (kind, bytes): (_, Vec<u8>) = match data {
        Array::F32(x) => ("<f4", x.iter().flat_map(|x| x.to_le_bytes()).collect()),
        Array::I32(x) => ("<i4", x.iter().flat_map(|x| x.to_le_bytes()).collect()),
    };
    let shape: String = shape.iter().map(|d| format!("{d},")).collect();
    let mut header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({shape}), }}");
    // The header's end is aligned to 64 bytes, of which the magic and the length take 10.
    while (header.len() + 11) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(bytes);
    std::fs::write(path, file)
}
