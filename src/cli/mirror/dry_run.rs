//! What `mirror --dry-run` prints: what would be fetched, from where, how large it is, and the free space.

use std::io::{self, Write};

use indicatif::HumanBytes;
use serde_json::{Value, json};

use super::end::status_of;
use crate::cli::output::shown;
use crate::directory::Folder;
use crate::mirror::PlanItem;
use crate::report::Form;
use crate::transfer::ManifestKind;
use crate::verdict::{Code, ExitStatus, Fault, line, printable, write_json};

/// Prints a plan. The status is that of the items that can't be fetched.
///
/// # Errors
/// [`Code::NoSpace`] when there is not enough, after the plan.
pub(super) fn show(folder: &Folder, plan: &[PlanItem], form: Form) -> Result<ExitStatus, Fault> {
    let free = folder.free_space()?.free;
    let missing = || plan.iter().filter(|item| !item.here && !item.carried && item.fault.is_none());
    let all = missing().filter_map(|item| item.fetch).fold(0, u64::saturating_add);
    let unknown = missing().any(|item| item.fetch.is_none());
    let status = status_of(plan.iter().filter_map(|item| item.fault.as_ref()).map(Fault::code));
    let mut out = io::stdout().lock();
    let written = match form {
        Form::Text => text(&mut out, plan).and_then(|()| {
            let least = if unknown { "at least " } else { "" };
            let words = HumanBytes(all);
            line!(out, "to fetch: {least}{words} ({all} bytes), plus bundles and keys")?;
            line!(out, "free:     {} ({free} bytes) in {}", HumanBytes(free), folder.shown())
        }),
        Form::Junit | Form::Html => {
            return Err(Fault::new(Code::Usage, "a plan can be shown as text or JSON only"));
        }
        Form::Json => {
            let items: Vec<Value> = plan.iter().map(item).collect();
            let plan =
                json!({"items": items, "bytes": all, "sizes_unknown": unknown, "free": free});
            write_json(&mut out, &plan)
        }
    };
    shown(written)?;
    if all > free {
        return Err(Fault::new(Code::NoSpace, "not enough free space")
            .at(folder.shown())
            .expected_found(format!("{all} bytes"), format!("{free} bytes free")));
    }
    Ok(status)
}

fn text(out: &mut impl Write, plan: &[PlanItem]) -> io::Result<()> {
    for item in plan {
        let name = printable(&item.wanted.name);
        let size =
            item.size.map_or_else(|| "size unknown".to_owned(), |size| format!("{size} bytes"));
        let here = match (item.here, item.carried, item.wanted.kind) {
            (true, ..) => ", already here",
            (_, true, ManifestKind::Image) => ", carried by --base",
            (_, true, ManifestKind::Package) => ", carried by --base, if its bundle still says so",
            _ => "",
        };
        match &item.fault {
            Some(fault) => {
                // The line begins with the name already.
                let words = fault.to_string();
                let words = words.strip_prefix(&format!("{name}: ")).unwrap_or(&words);
                line!(out, "{name}: can't be fetched ({}: {words})", fault.code())?;
            }
            None => line!(out, "{name}: {size}{here}")?,
        }
        for line in item.notes.iter().chain(&item.urls) {
            line!(out, "  {}", printable(line))?;
        }
        line!(out, "  to {}", item.wanted.path)?;
    }
    Ok(())
}

fn item(item: &PlanItem) -> Value {
    json!({
        "kind": item.wanted.kind,
        "name": item.wanted.name,
        "path": item.wanted.path,
        "size": item.size,
        "here": item.here,
        "carried": item.carried,
        "fetch": item.fetch,
        "urls": item.urls,
        "notes": item.notes,
        "code": item.fault.as_ref().map(|fault| fault.code().name()),
        "reason": item.fault.as_ref().map(ToString::to_string),
    })
}
