//! The `neurona` command.

fn main() -> std::process::ExitCode {
    studio::main(std::env::args_os().collect())
}
