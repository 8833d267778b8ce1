//! Rows to the bytes of one file, or everything that is wrong with them.

use csv::{QuoteStyle, Terminator, WriterBuilder};
use zeroize::Zeroizing;

use crate::{
    cell::{Findings, Place, Row, ValueFault},
    encoding::Unmappable,
    error::HandoverError,
    template::{Delimiter, LineEnding, Quoting, Template},
};

/// A character in whose place the file has something else, by the template's policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    /// The character and where it stood.
    pub found: Unmappable,
    /// What stands in the file.
    pub by: String,
}

/// The bytes of a file, and what was replaced in them.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    pub(crate) replaced: Vec<Replacement>,
}

/// Makes the file's content. No byte of it is written anywhere.
pub(crate) fn compose(template: &Template, rows: &[Row]) -> Result<Document, HandoverError> {
    let mut findings = Findings::default();
    let mut table = Vec::with_capacity(rows.len() + 1);
    if template.header {
        let headers = template
            .columns
            .iter()
            .map(|column| Zeroizing::new(column.header.clone()));
        table.push(headers.collect());
    }
    for (index, row) in rows.iter().enumerate() {
        table.push(cells(template, row, index + 1, &mut findings)?);
    }
    if !findings.unmappable.is_empty() {
        return Err(HandoverError::Unmappable(findings.unmappable));
    }
    let text = joined(template, &table);
    let encoded = text.and_then(|text| template.encoding.encode(&text).map(Zeroizing::new));
    // Each character was found takeable before, so this names the whole rather than a place.
    let encoded = encoded.ok_or_else(|| HandoverError::Unmappable(Vec::new()))?;
    let mut bytes = Zeroizing::new(template.encoding.mark().to_vec());
    bytes.extend_from_slice(&encoded);
    Ok(Document {
        bytes,
        replaced: findings.replaced,
    })
}

type Cells = Vec<Zeroizing<String>>;

fn cells(
    template: &Template,
    row: &Row,
    number: usize,
    findings: &mut Findings,
) -> Result<Cells, HandoverError> {
    if let Some(field) = row.unknown_to(template) {
        let field = field.to_owned();
        return Err(HandoverError::Value {
            row: number,
            field,
            fault: ValueFault::Unknown,
        });
    }
    let mut cells = Cells::with_capacity(template.columns.len());
    for column in &template.columns {
        let place = Place {
            template,
            column,
            row: number,
        };
        let refused = |fault| HandoverError::Value {
            row: number,
            field: place.field().to_owned(),
            fault,
        };
        let text = place.text(row, findings).map_err(refused)?;
        if template.quoting == Quoting::Never && needs_quotes(template, &text) {
            return Err(refused(ValueFault::NeedsQuotes));
        }
        cells.push(text);
    }
    Ok(cells)
}

fn needs_quotes(template: &Template, text: &str) -> bool {
    text.contains(['"', '\n', '\r', char::from(delimiter(template))])
}

/// Quoting works on text: in CP932 a second byte is never below 0x40, so neither quote nor delimiter can hide
/// in one, and `None` does not occur short of memory.
fn joined(template: &Template, table: &[Cells]) -> Option<Zeroizing<String>> {
    let mut writer = WriterBuilder::new()
        .delimiter(delimiter(template))
        .quote_style(match template.quoting {
            Quoting::Needed => QuoteStyle::Necessary,
            Quoting::Always => QuoteStyle::Always,
            Quoting::Never => QuoteStyle::Never,
        })
        .terminator(match template.line_ending {
            LineEnding::Crlf => Terminator::CRLF,
            LineEnding::Lf => Terminator::Any(b'\n'),
        })
        .from_writer(Vec::new());
    for row in table {
        writer
            .write_record(row.iter().map(|cell| cell.as_bytes()))
            .ok()?;
    }
    let bytes = writer.into_inner().ok()?;
    String::from_utf8(bytes).ok().map(Zeroizing::new)
}

const fn delimiter(template: &Template) -> u8 {
    match template.delimiter {
        Delimiter::Comma => b',',
        Delimiter::Tab => b'\t',
        Delimiter::Semicolon => b';',
    }
}

#[cfg(test)]
mod tests;
