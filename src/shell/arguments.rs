//! The command line: what may be said and what it means.

use super::format;
use clap::builder::PossibleValuesParser;
use clap::{ArgAction, Parser};
use std::path::{Path, PathBuf};

const USAGE: &str = "fieldbook [OPTIONS] [BOOK] [STATEMENT]...\n       \
    fieldbook --demo [OPTIONS] [STATEMENT]...";

const EXAMPLES: &str = "\
Examples:
  fieldbook --demo 'opportunities where territory=SW and stage>=proposal'
  fieldbook sales.fieldbook
  fieldbook sales.fieldbook 'accounts limit 5' --format json
  fieldbook sales.fieldbook -f load.fb --atomic

Results go to standard output, everything else to standard error.
Exit codes: 0 done, 1 a statement failed, 2 wrong usage, 3 the book cannot be opened.";

/// Ask and keep a book of customers, deals and everything around them.
#[derive(Debug, Parser)]
#[command(
    name = "fieldbook",
    version,
    after_help = EXAMPLES,
    override_usage = USAGE
)]
pub(super) struct Arguments {
    /// The book's file, made with the built-in CRM objects when missing
    #[arg(value_name = "BOOK")]
    first: Option<String>,

    /// Statements to run; without any: a conversation, or what standard input says
    #[arg(value_name = "STATEMENT")]
    rest: Vec<String>,

    /// Use a sample book in memory; there is no BOOK then
    #[arg(long, conflicts_with_all = ["readonly", "bare"])]
    pub(super) demo: bool,

    /// Keep the sample book in this new file
    #[arg(long, value_name = "FILE", requires = "demo")]
    pub(super) save: Option<PathBuf>,

    /// Size of the sample book, in opportunities
    #[arg(long, value_name = "N", requires = "demo", default_value_t = 1_000,
          value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub(super) scale: u64,

    /// Run a script first; may be given several times
    #[arg(short, long = "file", value_name = "FILE", action = ArgAction::Append)]
    pub(super) files: Vec<PathBuf>,

    /// How rows are printed
    #[arg(long, value_name = "FORMAT", default_value = format::DEFAULT,
          value_parser = PossibleValuesParser::new(format::names()))]
    pub(super) format: String,

    /// Give the statements' $NAME a value; may be given several times
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parameter)]
    pub(super) parameters: Vec<(String, String)>,

    /// The day that is today (noon in the book's zone), or the moment that is now (in UTC, if it
    /// has no offset)
    #[arg(long, value_name = "DATE")]
    pub(super) today: Option<String>,

    /// Who is asking: a name or key of a record of the actors' object (reps)
    #[arg(long = "as", value_name = "ACTOR")]
    pub(super) actor: Option<String>,

    /// Only read; a missing BOOK is then an error
    #[arg(long)]
    pub(super) readonly: bool,

    /// Let no other process read the BOOK meanwhile, which makes changes quicker
    #[arg(long, conflicts_with = "readonly")]
    pub(super) exclusive: bool,

    /// Threads that one statement may use while it reads [default: the machine's, at most 8]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) threads: Option<u16>,

    /// Run all statements in one transaction: all or nothing, imports too
    #[arg(long)]
    pub(super) atomic: bool,

    /// Make a new BOOK without the built-in CRM objects
    #[arg(long)]
    pub(super) bare: bool,

    /// Print results and errors only
    #[arg(long, short)]
    pub(super) quiet: bool,

    /// Tell how long each statement took
    #[arg(long)]
    pub(super) timing: bool,
}

impl Arguments {
    /// The book's file; nothing for one in memory.
    pub(super) fn book(&self) -> Option<&Path> {
        match self.demo {
            true => self.save.as_deref(),
            false => self.first.as_deref().map(Path::new),
        }
    }

    pub(super) fn statements(&self) -> impl Iterator<Item = &str> {
        let first = self.first.as_deref().filter(|_| self.demo);
        first
            .into_iter()
            .chain(self.rest.iter().map(String::as_str))
    }

    /// Whether nothing is given to run.
    pub(super) fn is_conversation(&self) -> bool {
        self.files.is_empty() && self.statements().next().is_none()
    }
}

fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => {
            let name = name.trim_start_matches('$');
            Ok((name.to_owned(), value.to_owned()))
        }
        _ => Err("a parameter is given as NAME=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_is_a_book_except_with_demo() {
        let read = |words: &[&str]| Arguments::try_parse_from(words).unwrap();
        let plain = read(&["fieldbook", "a.fieldbook", "accounts"]);
        assert_eq!(plain.book(), Some(Path::new("a.fieldbook")));
        assert_eq!(plain.statements().collect::<Vec<_>>(), ["accounts"]);
        let demo = read(&["fieldbook", "--demo", "accounts", "contacts"]);
        assert_eq!(demo.book(), None);
        assert_eq!(
            demo.statements().collect::<Vec<_>>(),
            ["accounts", "contacts"]
        );
    }

    #[test]
    fn wrong_usage_is_refused() {
        for words in [
            &["fieldbook", "--scale", "10"][..],
            &["fieldbook", "--save", "x"],
            &["fieldbook", "--format", "xml"],
            &["fieldbook", "--param", "min"],
            &["fieldbook", "--demo", "--readonly"],
            &["fieldbook", "--demo", "--scale", "0"],
            &["fieldbook", "--threads", "0"],
        ] {
            assert!(Arguments::try_parse_from(words).is_err(), "{words:?}");
        }
    }
}
