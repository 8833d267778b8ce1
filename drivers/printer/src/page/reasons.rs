//! What a printer says of itself (RFC 8011, 5.4.12, and PWG 5100.9), and the fault that people are told.

use device_api::FaultCode;

/// The fault of one reason, without its ending; `None` where it says nothing that people can act on.
#[must_use]
pub fn reason_fault(reason: &str) -> Option<FaultCode> {
    let endings = ["-error", "-warning", "-report"];
    let stem = endings
        .iter()
        .find_map(|ending| reason.strip_suffix(ending))
        .unwrap_or(reason);
    Some(match stem {
        "media-empty" | "media-needed" => FaultCode::PrinterPaperOut,
        "media-low" => FaultCode::PrinterPaperLow,
        "cover-open" | "door-open" | "interlock-open" | "input-tray-missing" => {
            FaultCode::PrinterCoverOpen
        }
        "fuser-over-temp" => FaultCode::PrinterHot,
        "offline"
        | "paused"
        | "shutdown"
        | "timed-out"
        | "connecting-to-device"
        | "stopping"
        | "stopped-partly"
        | "cups-missing-filter" => FaultCode::PrinterOffline,
        "media-jam"
        | "toner-empty"
        | "marker-supply-empty"
        | "marker-waste-full"
        | "output-area-full"
        | "developer-empty"
        | "opc-life-over" => FaultCode::DeviceFailed,
        "toner-low"
        | "marker-supply-low"
        | "marker-waste-almost-full"
        | "opc-near-eol"
        | "developer-low"
        | "output-area-almost-full" => FaultCode::PrinterWorn,
        _ => return None,
    })
}

/// What keeps the printer from printing, and what people should be told although it prints.
pub(super) fn judge(reasons: &[String], stopped: bool) -> (Option<FaultCode>, Vec<FaultCode>) {
    let mut fault = None;
    let mut warnings = Vec::new();
    for reason in reasons {
        let Some(known) = reason_fault(reason) else {
            continue;
        };
        let warns = matches!(known, FaultCode::PrinterPaperLow | FaultCode::PrinterWorn)
            || reason.ends_with("-warning")
            || reason.ends_with("-report");
        // Connecting is what an idle queue does when a job comes, unless it stopped over it.
        let passing = reason.starts_with("connecting-to-device") && !stopped;
        if warns && !stopped || passing {
            if !passing && !warnings.contains(&known) {
                warnings.push(known);
            }
        } else if fault.is_none()
            && !matches!(known, FaultCode::PrinterPaperLow | FaultCode::PrinterWorn)
        {
            fault = Some(known);
        }
    }
    let fault = fault.or_else(|| stopped.then_some(FaultCode::PrinterOffline));
    (fault, warnings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stops_a_printer_is_told_and_what_does_not_is_a_warning() {
        type Case = (
            &'static [&'static str],
            bool,
            Option<FaultCode>,
            &'static [FaultCode],
        );
        let table: [Case; 7] = [
            (&[], false, None, &[]),
            (
                &["media-empty-error"],
                true,
                Some(FaultCode::PrinterPaperOut),
                &[],
            ),
            (
                &["media-empty"],
                false,
                Some(FaultCode::PrinterPaperOut),
                &[],
            ),
            (
                &["media-low-warning", "toner-low"],
                false,
                None,
                &[FaultCode::PrinterPaperLow, FaultCode::PrinterWorn],
            ),
            (
                &["toner-low-warning", "cover-open-error"],
                true,
                Some(FaultCode::PrinterCoverOpen),
                &[],
            ),
            (&["paused"], true, Some(FaultCode::PrinterOffline), &[]),
            (&["connecting-to-device"], false, None, &[]),
        ];
        for (reasons, stopped, fault, warnings) in table {
            let reasons: Vec<String> = reasons.iter().map(|reason| (*reason).to_owned()).collect();
            assert_eq!(
                judge(&reasons, stopped),
                (fault, warnings.to_vec()),
                "{reasons:?}"
            );
        }
        assert_eq!(
            judge(&["never-heard-of".to_owned()], true).0,
            Some(FaultCode::PrinterOffline)
        );
    }
}
