//! A report that is read again: any bytes give a report or a fault, and a report comes back as it was
//! written.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(report) = sealift::report::parse(bytes) else { return };
    let mut written = Vec::new();
    sealift::report::json(&mut written, &report).expect("a report is JSON");
    let again = sealift::report::parse(&written[..]).expect("what is written can be read");
    assert_eq!(again.run, report.run);
    assert_eq!(again.artifacts, report.artifacts);
    for form in [sealift::report::Form::Html, sealift::report::Form::Junit] {
        form.write(&mut std::io::sink(), &report, sealift::report::Detail::Full)
            .expect("every report has every form");
    }
});
