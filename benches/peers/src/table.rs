//! The table of the comparison, in Markdown.

use std::fmt::Write;

/// One line: what was measured, ours and theirs in the same unit; less is better.
struct Line {
    name: String,
    unit: Unit,
    ours: f64,
    sqlite: Option<f64>,
    duckdb: Option<f64>,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Unit {
    Seconds,
    Bytes,
}

/// Sections of lines.
#[derive(Default)]
pub(crate) struct Table {
    sections: Vec<(&'static str, Vec<Line>)>,
}

impl Table {
    pub(crate) fn section(&mut self, name: &'static str) {
        self.sections.push((name, Vec::new()));
    }

    /// Adds a line to the last section, and tells it at once on standard error. The values are
    /// ours, SQLite's and DuckDB's, as far as there are any.
    pub(crate) fn line(&mut self, name: &str, unit: Unit, values: &[f64]) {
        let line = Line {
            name: name.to_owned(),
            unit,
            ours: values[0],
            sqlite: values.get(1).copied(),
            duckdb: values.get(2).copied(),
        };
        eprint!("{}", line.text());
        if let Some((_, lines)) = self.sections.last_mut() {
            lines.push(line);
        }
    }

    pub(crate) fn text(&self, scale: u64) -> String {
        let mut text = format!("Scale {scale}.\n");
        for (name, lines) in &self.sections {
            text.push_str(&format!(
                "\n### {name}\n\n| what | Fieldbook | SQLite | DuckDB | times SQLite \
                 | times DuckDB |\n|---|--:|--:|--:|--:|--:|\n"
            ));
            lines.iter().for_each(|line| text.push_str(&line.text()));
            let mean = |theirs: fn(&Line) -> Option<f64>| {
                let ratios: Vec<f64> = lines
                    .iter()
                    .filter_map(|line| Some(theirs(line)? / line.ours))
                    .collect();
                let sum: f64 = ratios.iter().map(|ratio| ratio.ln()).sum();
                ratio((!ratios.is_empty()).then(|| (sum / ratios.len() as f64).exp()))
            };
            let (sqlite, duckdb) = (mean(|line| line.sqlite), mean(|line| line.duckdb));
            let best = mean(|line| match (line.sqlite, line.duckdb) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            });
            let _ = writeln!(
                text,
                "| **geometric mean** (beside the better of both: {best}) | | | | {sqlite} | \
                 {duckdb} |"
            );
        }
        text
    }
}

impl Line {
    fn text(&self) -> String {
        let show = |value: Option<f64>| value.map_or(String::new(), |value| self.show(value));
        let times = |theirs: Option<f64>| ratio(theirs.map(|theirs| theirs / self.ours));
        format!(
            "| {} | {} | {} | {} | {} | {} |\n",
            self.name,
            self.show(self.ours),
            show(self.sqlite),
            show(self.duckdb),
            times(self.sqlite),
            times(self.duckdb)
        )
    }

    fn show(&self, value: f64) -> String {
        let units: &[(f64, &str)] = match self.unit {
            Unit::Seconds => &[(1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns")],
            Unit::Bytes => &[(1e6, "MB"), (1e3, "kB"), (1.0, "B")],
        };
        let (size, name) = *units
            .iter()
            .find(|(size, _)| value >= *size)
            .unwrap_or(&units[units.len() - 1]);
        let value = value / size;
        let digits = if value < 10.0 {
            2
        } else {
            usize::from(value < 100.0)
        };
        format!("{value:.digits$} {name}")
    }
}

fn ratio(ratio: Option<f64>) -> String {
    ratio.map_or(String::new(), |ratio| {
        let digits = usize::from(ratio < 100.0) + usize::from(ratio < 10.0);
        format!("{ratio:.digits$}")
    })
}
