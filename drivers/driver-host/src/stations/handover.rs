//! Handover folders: a file for each job, whole and once, and what the other system says of it.

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use device_api::{Clock, DeviceClass, FaultCode, Patience};
use handover::{
    CivilDate, Handed, HandoverError, Outbox, Places, Replacement, Row, Stamp, State, Template,
};
use host_protocol::settings::{Handover as Settings, Handovers};
use host_protocol::{
    CharacterNotice, DeviceState, HandedOver, HostFault, Named, Product, SecretText, Step, Task,
};

use super::{PatientWatch, Sheet, Station, Tools, rest_for, with_causes};
use crate::{
    device::fault,
    floor::{Post, Watch},
    job::Job,
};

/// How long to wait before looking for a folder again that was not there.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Japan has no summer time.
const JAPAN: u64 = 9 * 60 * 60 * 1000;

/// The folders that the settings name.
pub(super) fn open(settings: serde_json::Value, tools: &Tools) -> Result<Vec<Station>, String> {
    let settings: Handovers =
        serde_json::from_value(settings).map_err(|error| error.to_string())?;
    let one = |settings: Settings| {
        let template = read_template(&settings)?;
        let on_change = Arc::clone(&tools.on_change);
        let sheet = Sheet::new(DeviceClass::Handover, template.name(), on_change);
        let sheet = Arc::new(sheet);
        let (clock, seen) = (Arc::clone(&tools.clock), Arc::clone(&sheet));
        Ok(Station {
            sheet,
            post: Box::new(move || {
                Box::new(AtFolder {
                    settings: settings.clone(),
                    clock: Arc::clone(&clock),
                    sheet: Arc::clone(&seen),
                    outbox: None,
                })
            }),
        })
    };
    settings.handovers.into_iter().map(one).collect()
}

/// Whether a task is one of a handover folder.
pub(super) const fn takes(task: &Task) -> bool {
    matches!(task, Task::HandOver { .. })
}

fn read_template(settings: &Settings) -> Result<Template, String> {
    let text = fs::read_to_string(&settings.template)
        .map_err(|error| format!("template {}: {error}", settings.template))?;
    Template::parse(&text).map_err(|error| format!("template {}: {error}", settings.template))
}

/// The one who works at a folder.
struct AtFolder {
    settings: Settings,
    clock: Arc<dyn Clock>,
    sheet: Arc<Sheet>,
    outbox: Option<(String, Outbox)>,
}

impl Post for AtFolder {
    fn watch(&self) -> Box<dyn Watch> {
        Box::new(PatientWatch)
    }

    fn work(&mut self, job: &Job) -> Result<Product, HostFault> {
        let Task::HandOver { template, values } = &job.task else {
            return Err(fault(FaultCode::DeviceUnsupported, "not a handover"));
        };
        job.progress(Step::Writing, None);
        self.open().map_err(|error| told(&error))?;
        let stamp = self
            .stamp()
            .ok_or_else(|| fault(FaultCode::AgentInternal, "the clock shows no calendar date"))?;
        let Some((name, outbox)) = &mut self.outbox else {
            return Err(fault(FaultCode::HandoverFolder, "the folder is not open"));
        };
        if name != template {
            return Err(fault(
                FaultCode::HandoverTemplate,
                "another template than this folder's",
            ));
        }
        let written = outbox
            .write(&[row(values)], stamp)
            .map_err(|error| told(&error))?;
        let taken = if self.settings.wait_for_receipt {
            job.progress(Step::WaitingForReceipt, None);
            Some(self.is_taken(&written.name, &job.patience)?)
        } else {
            None
        };
        Ok(Product::HandedOver {
            file: HandedOver {
                sequence: written.number,
                notices: written.replaced.iter().map(notice).collect(),
                file: written.name,
                taken,
            },
        })
    }

    /// Tells of files that were not taken, and deletes what was kept long enough.
    fn idle(&mut self, rest: &Patience) {
        while rest.check().is_ok() {
            match self.look(rest) {
                Ok(()) => {}
                Err(error) => {
                    tracing::warn!(%error, device = self.sheet.id(), "a handover folder cannot be used");
                    self.outbox = None;
                    let code = error.fault().as_str().to_owned();
                    self.sheet.write(|seen| {
                        seen.state = DeviceState::NotReady;
                        seen.fault = Some(code);
                    });
                    rest_for(rest, LOOK_AGAIN);
                }
            }
        }
    }
}

impl AtFolder {
    fn open(&mut self) -> Result<(), HandoverError> {
        if self.outbox.is_some() {
            return Ok(());
        }
        let text = fs::read_to_string(&self.settings.template).map_err(|source| {
            HandoverError::Folder {
                attempted: "read",
                path: PathBuf::from(&self.settings.template),
                source,
            }
        })?;
        let template = Template::parse(&text)?;
        let name = template.name().to_owned();
        let places = Places {
            outgoing: PathBuf::from(&self.settings.outgoing),
            acknowledgements: PathBuf::from(&self.settings.acknowledgements),
            state: PathBuf::from(&self.settings.state),
        };
        let outbox = Outbox::open(template, &self.settings.counter, places)?;
        self.sheet.write(|seen| {
            seen.state = DeviceState::Ready;
            seen.fault = None;
            seen.capabilities.templates = vec![name.clone()];
        });
        self.outbox = Some((name, outbox));
        Ok(())
    }

    /// Looks once, and waits until there is something new to see.
    fn look(&mut self, rest: &Patience) -> Result<(), HandoverError> {
        self.open()?;
        let (now, days) = (self.clock.unix_millis(), self.settings.keep_days);
        let overdue = Duration::from_secs(u64::from(self.settings.overdue_minutes) * 60);
        let Some((_, outbox)) = &mut self.outbox else {
            return Ok(());
        };
        let watch = outbox.watch()?;
        outbox.sweep(now, days)?;
        let all = outbox.survey(now, overdue)?;
        let count = |wanted: fn(&Handed) -> bool| {
            let found = all.iter().filter(|handed| wanted(handed)).count();
            u64::try_from(found).unwrap_or(u64::MAX)
        };
        let counters = [
            (
                "waiting",
                count(|handed| !matches!(handed.state, State::Acknowledged | State::Rejected(_))),
            ),
            ("overdue", count(|handed| handed.overdue)),
            (
                "rejected",
                count(|handed| matches!(handed.state, State::Rejected(_))),
            ),
        ];
        self.sheet.write(|seen| {
            seen.state = DeviceState::Ready;
            seen.fault = None;
            for (name, value) in counters {
                seen.counters.insert(name.to_owned(), value);
            }
        });
        watch.wait(rest)?;
        Ok(())
    }

    /// Whether the other system has taken the file by the end of patience. The file is handed over by now, so
    /// only a rejection fails the job: whoever is told of a failure hands over again.
    fn is_taken(&self, name: &str, patience: &Patience) -> Result<bool, HostFault> {
        match self.receipt(name, patience) {
            Ok(Receipt::Taken) => Ok(true),
            Ok(Receipt::None) => Ok(false),
            Ok(Receipt::Rejected) => Err(HostFault {
                about: Some(name.to_owned()),
                ..fault(
                    FaultCode::HandoverValue,
                    "the other system rejected the file",
                )
            }),
            Err(error) => {
                let error = with_causes(&error);
                tracing::warn!(%error, device = self.sheet.id(), "whether a file was taken cannot be seen");
                Ok(false)
            }
        }
    }

    /// What the other system has said of the file by the end of patience.
    fn receipt(&self, name: &str, patience: &Patience) -> Result<Receipt, HandoverError> {
        let Some((_, outbox)) = &self.outbox else {
            return Ok(Receipt::None);
        };
        let watch = outbox.watch()?;
        loop {
            let all = outbox.survey(self.clock.unix_millis(), Duration::MAX)?;
            let state = all
                .into_iter()
                .find(|handed| handed.name == name)
                .map(|handed| handed.state);
            match state {
                Some(State::Waiting) => {}
                Some(State::Rejected(_)) => return Ok(Receipt::Rejected),
                Some(State::Taken | State::Acknowledged) | None => return Ok(Receipt::Taken),
            }
            if patience.check().is_err() {
                return Ok(Receipt::None);
            }
            watch.wait(patience)?;
        }
    }

    fn stamp(&self) -> Option<Stamp> {
        let unix_millis = self.clock.unix_millis();
        Some(Stamp {
            today: date_in_japan(unix_millis)?,
            unix_millis,
        })
    }
}

/// What the other system has said of a file.
enum Receipt {
    /// That it took it, or that it is done with it.
    Taken,
    /// That it cannot use it.
    Rejected,
    /// Nothing.
    None,
}

fn row(values: &Named<SecretText>) -> Row {
    let fields = values.iter();
    fields
        .map(|(name, value)| (name.clone(), value.expose().to_owned()))
        .collect()
}

fn notice(replaced: &Replacement) -> CharacterNotice {
    CharacterNotice {
        field: replaced.found.field.clone(),
        position: u32::try_from(replaced.found.position.saturating_sub(1)).unwrap_or(u32::MAX),
        code_point: replaced.found.code_point(),
    }
}

/// A fault that names what is at fault, and never a value.
fn told(error: &HandoverError) -> HostFault {
    let about = match error {
        HandoverError::Unmappable(found) => found
            .first()
            .map(|one| format!("{}: {} at {}", one.field, one.code_point(), one.position)),
        HandoverError::Value { field, fault, .. } => Some(format!("{field}: {fault}")),
        HandoverError::Exists { name } | HandoverError::Unsettled { name, .. } => {
            Some(name.clone())
        }
        HandoverError::Template(_)
        | HandoverError::Folder { .. }
        | HandoverError::InUse { .. }
        | HandoverError::Damaged { .. } => None,
    };
    HostFault {
        about,
        ..fault(error.fault(), &error.to_string())
    }
}

/// The day in Japan. From days since 1970 to a civil date as in Howard Hinnant's `civil_from_days`.
fn date_in_japan(unix_millis: u64) -> Option<CivilDate> {
    let days = unix_millis.saturating_add(JAPAN) / 86_400_000;
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    CivilDate::new(
        u16::try_from(year).ok()?,
        u8::try_from(month).ok()?,
        u8::try_from(day).ok()?,
    )
}

#[cfg(test)]
mod tests;
