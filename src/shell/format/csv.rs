//! `csv`: a header and a record a line, quoted where RFC 4180 asks for it.

use crate::Rows;
use std::io::{self, Write};

pub(super) fn write(rows: &Rows, out: &mut dyn Write, _: Option<usize>) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(rows.columns().iter().map(crate::Column::name))?;
    for row in rows {
        let cells = (0..rows.columns().len()).map(|at| row.text(at));
        writer.write_record(cells)?;
    }
    writer.flush()
}
