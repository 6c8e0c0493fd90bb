//! Contacts as vCards (RFC 6350) and activities as calendar entries (RFC 5545).

use crate::query::write::{Cards, Component, Property as P};

/// Which properties hold which fields of the built-in objects.
pub(crate) const CARDS: &[Cards] = &[
    Cards {
        ending: "vcf",
        object: "contacts",
        head: "",
        foot: "",
        fixed: "VERSION:4.0\nUID:{uid}",
        components: &[Component {
            name: "VCARD",
            when: None,
            properties: &[
                P::new("name", "FN"),
                P::new("account", "ORG").part(0),
                P::new("department", "ORG").part(1),
                P::new("title", "TITLE"),
                P::new("role", "ROLE"),
                P::new("email", "EMAIL"),
                P::new("phone", "TEL"),
                P::new("mobile", "TEL").kind("cell"),
            ],
        }],
    },
    Cards {
        ending: "ics",
        object: "activities",
        head: "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Fieldbook//EN",
        foot: "END:VCALENDAR",
        fixed: "UID:{uid}\nDTSTAMP:{now}",
        components: &[
            Component {
                name: "VEVENT",
                when: Some(("type", &["call", "meeting", "demo", "visit"], "due")),
                properties: &[
                    P::new("subject", "SUMMARY"),
                    P::new("type", "CATEGORIES"),
                    P::new("due", "DTSTART"),
                    P::new("outcome", "DESCRIPTION"),
                    P::new("status", "STATUS").words(&[
                        ("planned", "TENTATIVE"),
                        ("done", "CONFIRMED"),
                        ("cancelled", "CANCELLED"),
                    ]),
                ],
            },
            Component {
                name: "VTODO",
                when: None,
                properties: &[
                    P::new("subject", "SUMMARY"),
                    P::new("type", "CATEGORIES"),
                    P::new("due", "DUE"),
                    P::new("done_at", "COMPLETED"),
                    P::new("outcome", "DESCRIPTION"),
                    P::new("status", "STATUS").words(&[
                        ("planned", "NEEDS-ACTION"),
                        ("planned", "IN-PROCESS"),
                        ("done", "COMPLETED"),
                        ("cancelled", "CANCELLED"),
                    ]),
                ],
            },
        ],
    },
];
