//! The `fieldbook` program: hands its arguments to the shell.

use mimalloc::MiMalloc;
use std::process::ExitCode;

#[global_allocator]
static MEMORY: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    ExitCode::from(fieldbook::shell::main())
}
