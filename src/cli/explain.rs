//! `sealift explain`: the codes in words. The text of `docs/codes.md` comes from here too.

use std::io::{self, Write};

use clap::Args;

use super::output::shown;
use crate::verdict::{Code, ExitStatus, Fault};

/// Explain a code: what it means and what to do next
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// The code, as a result shows it; without it, all codes are listed
    #[arg(value_name = "CODE", conflicts_with = "markdown")]
    pub(super) code: Option<String>,
    /// Write docs/codes.md
    #[arg(long, hide = true)]
    pub(super) markdown: bool,
}

/// Explains one code, lists all, or writes the documentation page.
pub(super) fn run(arguments: &ExplainArgs) -> Result<ExitStatus, Fault> {
    let mut out = io::stdout().lock();
    if arguments.markdown {
        return shown(markdown(&mut out));
    }
    let Some(name) = &arguments.code else {
        return shown(list(&mut out));
    };
    let code: Code = name.parse().map_err(|_| {
        Fault::new(Code::Usage, format!("there is no code {name:?}; `sealift explain` lists them"))
    })?;
    shown(one(&mut out, code))
}

fn one(out: &mut dyn Write, code: Code) -> io::Result<()> {
    let outcome = code.outcome();
    writeln!(out, "{code}: {}", code.summary())?;
    writeln!(out, "\n{}", code.meaning())?;
    writeln!(out, "\nnext: {}", code.next())?;
    writeln!(out, "answer: {}, exit code {}", outcome.word(), exit_code(code))
}

/// The exit code of a run that ends with this code alone.
fn exit_code(code: Code) -> String {
    match code {
        Code::Interrupted => "130".to_owned(),
        _ => code.outcome().exit_status().code().to_string(),
    }
}

fn list(out: &mut dyn Write) -> io::Result<()> {
    for code in Code::ALL {
        writeln!(out, "{:<24} {}", code.name(), code.summary())?;
    }
    Ok(())
}

fn markdown(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# Codes\n")?;
    writeln!(out, "Every refusal has a code. Codes are stable: they never change their meaning.")?;
    writeln!(
        out,
        "`sealift explain CODE` prints the same text. Made by `sealift explain --markdown`."
    )?;
    let mut group = "";
    for &code in Code::ALL {
        if code.group() != group {
            group = code.group();
            writeln!(out, "\n## {group}")?;
        }
        let outcome = code.outcome();
        writeln!(out, "\n### `{code}`\n")?;
        writeln!(out, "{}: {}. Exit code {}.\n", outcome.word(), code.summary(), exit_code(code))?;
        writeln!(out, "{}\n", code.meaning())?;
        writeln!(out, "Next: {}", code.next())?;
    }
    Ok(())
}
