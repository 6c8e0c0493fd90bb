//! The `fieldbook` program: hands its arguments to the shell.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(fieldbook::shell::main())
}
