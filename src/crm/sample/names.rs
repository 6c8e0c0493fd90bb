//! The words of the sample book: people, companies, places, subjects. No logic beyond combining.

use super::random::Random;

pub(super) const FIRST: &[&str] = &[
    "Ada", "Alan", "Alma", "Amir", "Anita", "Anton", "Aria", "Arlo", "Asha", "Aya", "Bea", "Bela",
    "Boris", "Bruno", "Cara", "Carl", "Celia", "Chen", "Clara", "Cleo", "Colin", "Dana", "Daria",
    "David", "Diego", "Dora", "Edgar", "Elena", "Elif", "Emil", "Emma", "Enzo", "Erik", "Esra",
    "Eva", "Farah", "Felix", "Fiona", "Gabor", "Gina", "Grace", "Hana", "Hector", "Hugo", "Ines",
    "Irene", "Isaac", "Ivan", "Jana", "Jonas", "Jorge", "Julia", "Kai", "Karim", "Kate", "Lara",
    "Leon", "Lina", "Luca", "Luis", "Maja", "Marco", "Maria", "Maya", "Mila", "Milo", "Nadia",
    "Nina", "Noah", "Nora", "Olga", "Omar", "Oscar", "Otto", "Paula", "Pedro", "Petra", "Priya",
    "Quinn", "Rafael", "Rana", "Rosa", "Ruth", "Samir", "Sara", "Silas", "Sofia", "Stella", "Tara",
    "Theo", "Tobias", "Uma", "Vera", "Victor", "Wanda", "Xenia", "Yara", "Yusuf", "Zara", "Zoe",
    "Zoltan",
];

pub(super) const LAST: &[&str] = &[
    "Abbott", "Adler", "Alvarez", "Anders", "Archer", "Bailey", "Baker", "Barnes", "Becker",
    "Bennett", "Berg", "Bishop", "Blake", "Boyd", "Brandt", "Brooks", "Burke", "Calder", "Carter",
    "Castro", "Chang", "Choi", "Clarke", "Cole", "Conti", "Costa", "Cruz", "Dalton", "Daniels",
    "Dixon", "Duarte", "Dunn", "Ellis", "Endo", "Evans", "Farkas", "Fischer", "Flores", "Ford",
    "Foster", "Frost", "Garcia", "Gibson", "Gomez", "Grant", "Greene", "Gupta", "Haas", "Hansen",
    "Harper", "Hayes", "Henry", "Hill", "Horvath", "Howard", "Hunt", "Ibarra", "Ito", "Jansen",
    "Jensen", "Joshi", "Kaplan", "Keller", "Khan", "Klein", "Kovacs", "Kumar", "Lambert", "Lang",
    "Larsen", "Lee", "Lopez", "Lowe", "Lund", "Maddox", "Malik", "Marsh", "Meyer", "Miller",
    "Mills", "Mora", "Morgan", "Moss", "Murray", "Nagy", "Nash", "Novak", "Nunez", "Ortega",
    "Osborn", "Owens", "Page", "Patel", "Pena", "Porter", "Price", "Quist", "Ramos", "Reed",
    "Reyes", "Rossi", "Rowe", "Russo", "Salas", "Sanders", "Santos", "Schmidt", "Shaw", "Silva",
    "Simon", "Singh", "Sloan", "Snyder", "Soto", "Stone", "Sutton", "Szabo", "Tanaka", "Taylor",
    "Torres", "Turner", "Vargas", "Vaughn", "Wagner", "Walsh", "Ward", "Weber", "Wells", "West",
    "Wolf", "Wong", "Wright", "Yang", "Young", "Zeller", "Zimmer",
];

const COMPANY_FIRST: &[&str] = &[
    "Amber", "Apple", "Ash", "Autumn", "Bay", "Bear", "Birch", "Black", "Blue", "Bright", "Brook",
    "Cedar", "Clear", "Cloud", "Copper", "Coral", "Crown", "Crystal", "Deer", "Desert", "Dusk",
    "East", "Elder", "Elm", "Ember", "Fair", "Fern", "Fox", "Frost", "Glen", "Gold", "Granite",
    "Green", "Harbor", "Hawk", "Hazel", "High", "Iron", "Ivory", "Juniper", "Lake", "Laurel",
    "Lime", "Maple", "Marble", "Mesa", "Mill", "Moon", "Moss", "North", "Oak", "Ocean", "Olive",
    "Pearl", "Pine", "Prairie", "Quartz", "Raven", "Red", "River", "Rock", "Rose", "Sage",
    "Silver", "Snow", "South", "Spring", "Star", "Stone", "Summer", "Sun", "Timber", "Valley",
    "West", "White", "Wild", "Willow", "Winter",
];

const COMPANY_SECOND: &[&str] = &[
    "bank", "bay", "bell", "bend", "bridge", "brook", "burn", "cliff", "crest", "cross", "dale",
    "edge", "fall", "fell", "field", "ford", "forge", "gate", "glade", "grove", "haven", "hill",
    "hollow", "house", "keep", "land", "leaf", "light", "mark", "mead", "mere", "mont", "moor",
    "path", "peak", "point", "port", "reach", "ridge", "shore", "side", "spire", "stead", "stone",
    "thorn", "vale", "view", "wall", "ward", "water", "way", "well", "wick", "wood", "worth",
];

/// The last word of a company's name, and the industry it tells.
const COMPANY_KIND: &[(&str, &str)] = &[
    ("Industries", "manufacturing"),
    ("Works", "manufacturing"),
    ("Machines", "manufacturing"),
    ("Stores", "retail"),
    ("Outfitters", "retail"),
    ("Capital", "finance"),
    ("Insurance", "finance"),
    ("Health", "health"),
    ("Clinics", "health"),
    ("Systems", "technology"),
    ("Robotics", "technology"),
    ("Software", "software"),
    ("Telecom", "telecommunications"),
    ("Consulting", "services"),
    ("Builders", "construction"),
    ("Energy", "energy"),
    ("Academy", "education"),
    ("Foods", "food"),
    ("Logistics", "transport"),
    ("Media", "media"),
];

/// A region with its territories: code, name, state, city and telephone area.
pub(super) struct Region {
    pub code: &'static str,
    pub name: &'static str,
    pub country: &'static str,
    pub parts: &'static [(
        &'static str,
        &'static str,
        &'static str,
        &'static str,
        &'static str,
    )],
}

pub(super) const REGIONS: &[Region] = &[
    Region {
        code: "West",
        name: "Western United States",
        country: "United States",
        parts: &[
            ("SW", "Southwest", "AZ", "Phoenix", "602"),
            ("NW", "Northwest", "WA", "Seattle", "206"),
            (
                "NorCal",
                "Northern California",
                "CA",
                "San Francisco",
                "415",
            ),
            ("SoCal", "Southern California", "CA", "Los Angeles", "213"),
            ("Nevada", "Nevada", "NV", "Las Vegas", "702"),
            ("Utah", "Utah", "UT", "Salt Lake City", "801"),
            ("Rockies", "Rockies", "CO", "Denver", "303"),
            ("BigSky", "Big Sky", "MT", "Billings", "406"),
            ("Oregon", "Oregon", "OR", "Portland", "503"),
        ],
    },
    Region {
        code: "Central",
        name: "Central United States",
        country: "United States",
        parts: &[
            ("Chicago", "Greater Chicago", "IL", "Chicago", "312"),
            ("TwinCities", "Twin Cities", "MN", "Minneapolis", "612"),
            ("Ohio", "Ohio", "OH", "Columbus", "614"),
            ("Michigan", "Michigan", "MI", "Detroit", "313"),
            ("Indiana", "Indiana", "IN", "Indianapolis", "317"),
            ("Missouri", "Missouri", "MO", "St. Louis", "314"),
            ("Plains", "Great Plains", "NE", "Omaha", "402"),
            ("Iowa", "Iowa", "IA", "Des Moines", "515"),
            ("Wisconsin", "Wisconsin", "WI", "Milwaukee", "414"),
        ],
    },
    Region {
        code: "East",
        name: "Eastern United States",
        country: "United States",
        parts: &[
            ("NYC", "New York City", "NY", "New York", "212"),
            ("Upstate", "Upstate New York", "NY", "Buffalo", "716"),
            ("Boston", "Greater Boston", "MA", "Boston", "617"),
            (
                "Philly",
                "Greater Philadelphia",
                "PA",
                "Philadelphia",
                "215",
            ),
            (
                "Pittsburgh",
                "Western Pennsylvania",
                "PA",
                "Pittsburgh",
                "412",
            ),
            ("Jersey", "New Jersey", "NJ", "Newark", "973"),
            ("Capital", "Capital", "DC", "Washington", "202"),
            ("Virginia", "Virginia", "VA", "Richmond", "804"),
            ("Maine", "Northern New England", "ME", "Portland", "207"),
        ],
    },
    Region {
        code: "South",
        name: "Southern United States",
        country: "United States",
        parts: &[
            ("Dallas", "North Texas", "TX", "Dallas", "214"),
            ("Houston", "Gulf Texas", "TX", "Houston", "713"),
            ("Austin", "Central Texas", "TX", "Austin", "512"),
            ("Georgia", "Georgia", "GA", "Atlanta", "404"),
            ("Miami", "South Florida", "FL", "Miami", "305"),
            ("Tampa", "Central Florida", "FL", "Tampa", "813"),
            ("Carolinas", "Carolinas", "NC", "Charlotte", "704"),
            ("Tennessee", "Tennessee", "TN", "Nashville", "615"),
            ("Gulf", "Gulf Coast", "LA", "New Orleans", "504"),
        ],
    },
    Region {
        code: "Canada",
        name: "Canada",
        country: "Canada",
        parts: &[
            ("Ontario", "Ontario", "ON", "Toronto", "416"),
            ("Quebec", "Quebec", "QC", "Montreal", "514"),
            ("Pacific", "British Columbia", "BC", "Vancouver", "604"),
            ("Prairies", "Prairies", "AB", "Calgary", "403"),
        ],
    },
    Region {
        code: "Islands",
        name: "Islands and Alaska",
        country: "United States",
        parts: &[
            ("Hawaii", "Hawaii", "HI", "Honolulu", "808"),
            ("PuertoRico", "Puerto Rico", "PR", "San Juan", "787"),
            ("Alaska", "Alaska", "AK", "Anchorage", "907"),
        ],
    },
];

pub(super) const STREETS: &[&str] = &[
    "Main St",
    "Oak Ave",
    "Market St",
    "2nd St",
    "Park Rd",
    "Mill Ln",
    "Station Rd",
    "Lake Dr",
    "Hill St",
    "Union Sq",
    "Harbor Blvd",
    "Canal St",
];

/// Department and title of the first, second and further contacts of an account.
pub(super) const LEADERS: &[(&str, &str, &str)] = &[
    ("Finance", "CFO", "decision_maker"),
    ("Management", "CEO", "economic_buyer"),
    ("Operations", "COO", "decision_maker"),
    ("Technology", "CTO", "technical_buyer"),
];
pub(super) const STAFF: &[(&str, &str, &str)] = &[
    ("Purchasing", "Head of Purchasing", "buyer"),
    ("Purchasing", "Buyer", "buyer"),
    ("Accounts Payable", "Accountant", "influencer"),
    ("Operations", "Plant Manager", "champion"),
    ("Technology", "Engineer", "user"),
    ("Logistics", "Dispatcher", "user"),
];

/// What an opportunity is about; the first one is reserved for a record with a name of its own.
pub(super) const DEALS: &[&str] = &[
    "renewal",
    "expansion",
    "pilot",
    "rollout",
    "upgrade",
    "replacement",
    "second site",
    "service plan",
    "starter kit",
    "frame contract",
];

pub(super) const NEXT_STEPS: &[&str] = &[
    "send the proposal",
    "call the buyer",
    "agree a demo date",
    "meet the decision maker",
    "wait for the budget",
    "check stock",
    "send references",
];

/// Type and subject of the first, second and third activities of an opportunity.
pub(super) const ACTIVITIES: [&[(&str, &str)]; 3] = [
    &[
        ("call", "First call"),
        ("email", "Introduction"),
        ("visit", "Site visit"),
        ("call", "Needs and budget"),
    ],
    &[
        ("demo", "Product demo"),
        ("meeting", "Meeting with the buying team"),
        ("demo", "Technical demo"),
    ],
    &[
        ("proposal", "Proposal"),
        ("call", "Review of the proposal"),
        ("meeting", "Terms and delivery"),
        ("task", "Prepare the contract"),
    ],
];

pub(super) const NOTES: &[&str] = &[
    "Budget is approved for this year.",
    "They compare us with two others.",
    "The plant closes for two weeks in summer.",
    "Asked for a reference in the same industry.",
    "Delivery time matters more than price.",
    "New decision maker since last month.",
];

/// Name, family, list price and stock.
pub(super) const PRODUCTS: &[(&str, &str, i64, i64)] = &[
    ("Falcon", "scanners", 1000, 120),
    ("Osprey", "scanners", 400, 900),
    ("Heron", "printers", 650, 340),
    ("Kestrel", "printers", 1450, 75),
    ("Condor", "gateways", 5200, 18),
    ("Swift", "labels", 90, 12_000),
    ("Eagle", "gateways", 8800, 9),
    ("Wren", "labels", 35, 40_000),
];

/// The name of company `number`, its short form, its e-mail domain and its industry.
/// Names and domains differ for different numbers.
pub(super) struct Company {
    pub name: String,
    pub short: String,
    pub domain: String,
    pub industry: &'static str,
}

pub(super) fn company(number: u64) -> Company {
    if let Some(&(name, domain, industry)) = COMPANIES.get(number as usize) {
        return Company {
            name: name.to_owned(),
            short: name.to_owned(),
            domain: format!("{domain}.example"),
            industry,
        };
    }
    let (firsts, seconds) = (COMPANY_FIRST.len() as u64, COMPANY_SECOND.len() as u64);
    let total = firsts * seconds * COMPANY_KIND.len() as u64;
    // A prime that divides no list's length walks through all combinations.
    let at = number.wrapping_mul(15_013) % total;
    let short = format!(
        "{}{}",
        COMPANY_FIRST[(at % firsts) as usize],
        COMPANY_SECOND[(at / firsts % seconds) as usize]
    );
    let (kind, industry) = COMPANY_KIND[(at / firsts / seconds) as usize];
    let (round, number) = match number / total {
        0 => (String::new(), String::new()),
        n => (format!(" {}", n + 1), format!("{}", n + 1)),
    };
    Company {
        name: format!("{short} {kind}{round}"),
        domain: format!("{short}-{kind}{number}.example").to_lowercase(),
        short,
        industry,
    }
}

/// Companies with names of their own: name, domain and industry.
pub(super) const COMPANIES: &[(&str, &str, &str)] = &[
    ("Acme", "acme", "manufacturing"),
    ("Borealis", "borealis", "retail"),
    ("Cactus Supply", "cactus", "manufacturing"),
    ("Delta Clinics", "delta", "health"),
];

/// A person's first and last name.
pub(super) fn person(random: &mut Random) -> (&'static str, &'static str) {
    (*random.pick(FIRST), *random.pick(LAST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn companies_differ() {
        let mut names = HashSet::new();
        let mut domains = HashSet::new();
        for number in 0..200_000 {
            let company = company(number);
            assert!(domains.insert(company.domain), "{}", company.name);
            assert!(names.insert(company.name.clone()), "{}", company.name);
        }
    }

    #[test]
    fn there_are_fifty_territories_with_codes_of_their_own() {
        let codes: HashSet<&str> = REGIONS
            .iter()
            .flat_map(|region| {
                std::iter::once(region.code).chain(region.parts.iter().map(|part| part.0))
            })
            .collect();
        assert_eq!(codes.len() + 1, 50);
    }
}
