//! The keyboard of this machine: values typed into a form of another program, seen and stopped by anybody.

use std::{collections::BTreeMap, fs, sync::Arc, time::Duration};

use device_api::{DeviceClass, FaultCode, Patience};
use host_protocol::settings::{Keyboard as Settings, Keyboards};
use host_protocol::{DeviceState, HostFault, Named, Product, SecretText, Step, Task, Typed};
use keystroke::{Form, FormError, KeystrokeError, Typist};
use zeroize::Zeroizing;

use super::{PatientWatch, Sheet, Station, Tools, rest_for};
use crate::{
    device::fault,
    floor::{Post, Watch},
    job::Job,
    platform,
};

/// How long to wait before looking for a desktop again that was not there.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// The keyboard, where the settings name one.
pub(super) fn open(settings: serde_json::Value, tools: &Tools) -> Result<Vec<Station>, String> {
    let settings: Keyboards =
        serde_json::from_value(settings).map_err(|error| error.to_string())?;
    let Some(keyboard) = settings.keyboard else {
        return Ok(Vec::new());
    };
    let forms = keyboard.forms.iter().map(|path| read_form(path));
    let forms: Arc<Vec<Form>> = Arc::new(forms.collect::<Result<_, String>>()?);
    let on_change = Arc::clone(&tools.on_change);
    let sheet = Arc::new(Sheet::new(DeviceClass::Keyboard, "desktop", on_change));
    let seen = Arc::clone(&sheet);
    Ok(vec![Station {
        sheet,
        post: Box::new(move || {
            Box::new(AtKeyboard {
                settings: keyboard.clone(),
                forms: Arc::clone(&forms),
                sheet: Arc::clone(&seen),
                typist: None,
            })
        }),
    }])
}

/// Whether a task is one of the keyboard.
pub(super) const fn takes(task: &Task) -> bool {
    matches!(task, Task::TypeText { .. })
}

fn read_form(path: &str) -> Result<Form, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("form {path}: {error}"))?;
    Form::parse(&text).map_err(|error| format!("form {path}: {error}"))
}

/// The one who types.
struct AtKeyboard {
    settings: Settings,
    forms: Arc<Vec<Form>>,
    sheet: Arc<Sheet>,
    typist: Option<Box<dyn Typist + Send>>,
}

impl Post for AtKeyboard {
    fn watch(&self) -> Box<dyn Watch> {
        Box::new(PatientWatch)
    }

    fn work(&mut self, job: &Job) -> Result<Product, HostFault> {
        let Task::TypeText { form, values } = &job.task else {
            return Err(fault(FaultCode::DeviceUnsupported, "not typing"));
        };
        let form = self.forms.iter().find(|known| known.name() == form);
        let form = form.ok_or_else(|| fault(FaultCode::HandoverTemplate, "no such form"))?;
        let plan = form.plan(&named(values)).map_err(|error| unfit(&error))?;
        if !self.connect() {
            return Err(fault(
                FaultCode::KeystrokeUnavailable,
                "no desktop can be typed on",
            ));
        }
        let Some(typist) = &mut self.typist else {
            return Err(fault(FaultCode::KeystrokeUnavailable, "no desktop"));
        };
        job.progress(Step::Announcing, None);
        let mut typing = false;
        let mut on_step = |_progress: keystroke::Progress| {
            if !typing {
                typing = true;
                job.progress(Step::Typing, None);
            }
        };
        let typed = keystroke::fill(&mut **typist, &plan, &mut on_step, &job.patience);
        if matches!(typed, Err(KeystrokeError::Unavailable { .. })) {
            self.typist = None;
        }
        let typed = typed.map_err(|error| told(&error))?;
        Ok(Product::Typed {
            typed: Typed {
                steps: u32::try_from(typed.steps).unwrap_or(u32::MAX),
            },
        })
    }

    fn idle(&mut self, rest: &Patience) {
        while rest.check().is_ok() {
            let connected = self.connect();
            let span = if connected { Duration::MAX } else { LOOK_AGAIN };
            rest_for(rest, span);
        }
    }
}

impl AtKeyboard {
    /// Whether there is a desktop.
    fn connect(&mut self) -> bool {
        if self.typist.is_none() {
            self.typist = platform::typist(&self.settings.display, &self.settings.font);
        }
        let there = self.typist.is_some();
        let names = self.forms.iter().map(|form| form.name().to_owned());
        let names: Vec<String> = names.collect();
        self.sheet.write(|seen| {
            seen.capabilities.templates = names;
            if there {
                seen.state = DeviceState::Ready;
                seen.fault = None;
            } else {
                seen.state = DeviceState::NotReady;
                seen.fault = Some(FaultCode::KeystrokeUnavailable.as_str().to_owned());
            }
        });
        there
    }
}

fn named(values: &Named<SecretText>) -> BTreeMap<String, Zeroizing<String>> {
    let copy = |value: &SecretText| Zeroizing::new(value.expose().to_owned());
    values
        .iter()
        .map(|(name, value)| (name.clone(), copy(value)))
        .collect()
}

fn unfit(error: &FormError) -> HostFault {
    HostFault {
        about: Some(error.to_string()),
        ..fault(FaultCode::HandoverValue, "values do not fit the form")
    }
}

/// A form may be half filled in: how far it came is told.
fn told(error: &KeystrokeError) -> HostFault {
    let about = match error {
        KeystrokeError::Untypable(found) => found
            .first()
            .map(|one| format!("step {}, position {}", one.step, one.position)),
        KeystrokeError::Focus { .. }
        | KeystrokeError::Aborted { .. }
        | KeystrokeError::Unavailable { .. } => {
            let done = error.done();
            Some(format!(
                "{} steps and {} strokes were done",
                done.steps, done.strokes
            ))
        }
    };
    HostFault {
        about,
        ..fault(error.fault(), &error.to_string())
    }
}
