//! Everything is measured, in short: counts are asserted, times are not.

use bench::{Plan, Report, run, run_telemetry};

#[test]
fn every_section_has_figures_and_every_promise_is_judged() -> anyhow::Result<()> {
    let report = run(&Plan::quick())?;
    let goals = goals(&report);
    let promised = [
        "job / bare loop at 12 ms",
        "p99 over the bare HTTP floor",
        "slowest start to the first hello",
        "resident memory",
        "ticks in both",
        "size of agentd",
        "size of driver-host",
        "p99 of a scanned code over the bare loop",
        "p99 beside a printer that hangs / without",
        "p99 of a pen's sample over the bare reader",
    ];
    assert_eq!(goals, promised);
    assert_eq!(totals(&report), ["16", "17", "16", "16", "17", "16"]);
    Ok(())
}

#[test]
fn telemetry_is_measured_on_its_whole_way() -> anyhow::Result<()> {
    let report = run_telemetry(&Plan::quick())?;
    let promised = [
        "station / bare loop",
        "monitor / signatures alone, for each core",
        "p99 of a report / of one `fdatasync`",
        "cores of the monitor",
        "messages lost",
        "resident memory of a station",
        "processor of a station",
        "resident memory that telemetry adds",
        "processor that telemetry adds",
    ];
    assert_eq!(goals(&report), promised);
    Ok(())
}

/// Every promise, of sections that all have figures.
fn goals(report: &Report) -> Vec<&str> {
    for section in &report.sections {
        assert!(!section.rows.is_empty(), "{section}");
        for row in &section.rows {
            assert_eq!(row.len(), section.columns.len(), "{section}");
            assert!(
                row.iter()
                    .any(|cell| cell.contains(|c: char| c.is_ascii_digit())),
                "{section}"
            );
        }
    }
    let sections = report.sections.iter();
    sections
        .flat_map(|section| section.goals.iter().map(|goal| goal.what))
        .collect()
}

/// The last line of the table of exchanges.
fn totals(report: &Report) -> Vec<String> {
    let mut sections = report.sections.iter();
    let section = sections.find(|section| section.title == "The exchanges of a job");
    let last = section
        .and_then(|section| section.rows.last())
        .expect("a table with rows");
    let cells = last.iter().map(|cell| cell.replace('*', ""));
    cells.filter(|cell| cell.parse::<u32>().is_ok()).collect()
}
