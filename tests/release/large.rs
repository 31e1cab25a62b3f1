//! Ten thousand artifacts: every one is answered, and the same whatever number of threads works.

use serde_json::json;

use crate::made::{Made, VENDOR, line};
use crate::support::log::TestKey;

const COUNT: usize = 10_000;

#[test]
fn ten_thousand_are_counted_and_threads_make_no_difference() {
    let made = Made::new();
    // A bundle costs more to make than to check: some of the packages hold the same.
    let kinds: Vec<(String, String)> = (0..50)
        .map(|it| {
            let content = format!("package {it}");
            let bundle = TestKey::new(VENDOR).bundle(&line(&content));
            (content, bundle)
        })
        .collect();
    let (mut failed, mut unsigned) = (0, 0);
    for number in 0..COUNT {
        let (content, bundle) = &kinds[number % kinds.len()];
        let name = format!("{:02}/{number:05}.tgz", number % 37);
        let spoilt = number % 1000 == 7;
        made.file(&name, if spoilt { "spoilt" } else { content });
        if number % 1000 == 8 {
            unsigned += 1;
            continue;
        }
        failed += usize::from(spoilt);
        made.file(&format!("{name}_signature.bundle"), bundle);
    }
    let ok = COUNT - failed - unsigned;
    let mut first = None;
    for jobs in ["1", "2", "8"] {
        let said = made.verify(&format!("--jobs {jobs}"));
        assert_eq!(said.status, 1);
        let counts = &said.report["summary"];
        assert_eq!(counts["answers"], COUNT);
        assert_eq!(counts["outcomes"], json!({"FAILED": failed, "OK": ok, "UNSIGNED": unsigned}));
        assert_eq!(said.report["coverage"]["vendor"], ok);
        assert_eq!(said.report["coverage"]["material"], COUNT - unsigned);
        assert_eq!(said.report["coverage"]["uncovered"], failed + unsigned);
        let said = said.lasting();
        let first = first.get_or_insert_with(|| said.clone());
        assert!(*first == said, "--jobs {jobs}");
    }
}
