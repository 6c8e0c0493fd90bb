//! The CRM: its objects and views in the language, and a generator of sample books.
//!
//! The engine below knows nothing of selling; here is all that does.

mod cards;
mod sample;

pub(crate) use cards::CARDS;
pub(crate) use sample::fill;

/// The objects of a new book.
pub(crate) const SCHEMA: &str = include_str!("schema.fb");

/// The everyday lists of a new book.
pub(crate) const VIEWS: &str = include_str!("views.fb");

/// What a sample book has besides what is generated.
pub(crate) const SAMPLE: &str = include_str!("sample.fb");

#[cfg(test)]
mod tests {
    use crate::query::pipeline;

    #[test]
    fn every_script_parses() {
        let maven = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/maven-crm/");
        let read = |name: &str| std::fs::read_to_string(format!("{maven}{name}")).unwrap();
        let (load, questions) = (read("load.fb"), read("questions.fb"));
        for (text, fewest) in [
            (super::SCHEMA, 30),
            (super::VIEWS, 15),
            (super::SAMPLE, 3),
            (&load, 8),
            (&questions, 15),
        ] {
            assert!(pipeline::parse(text).unwrap().len() >= fewest);
        }
    }
}
