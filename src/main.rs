//! The `fieldbook` program: hands its arguments to the shell.

fn main() {}
