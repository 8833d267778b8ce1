//! Devices, from their host to the core and from there to pages.

use agent_api::device as api;
use agent_api::document::Source as ApiSource;
use agent_core::effect::{CardService, DeviceListView, DeviceView};
use agent_core::event::{DeviceReport, DeviceState, ServiceState};
use device_api::{Capabilities, DeviceClass, DeviceFacts, DeviceId, FaultCode, Make, Pen, Source};
use host_protocol as wire;

/// A device as its host reports it. One of a class that this agent does not know has nobody who could use
/// it.
#[must_use]
pub fn report(device: wire::DeviceDescription) -> Option<DeviceReport> {
    let Some(class) = DeviceClass::from_name(&device.class) else {
        tracing::warn!(
            class = device.class,
            "a driver host offers a device of an unknown class"
        );
        return None;
    };
    Some(DeviceReport {
        id: DeviceId::new(device.id),
        class,
        name: device.name,
        state: state_of(device.state),
        fault: device.fault.as_deref().and_then(FaultCode::from_code),
        warnings: device
            .warnings
            .iter()
            .filter_map(|code| FaultCode::from_code(code))
            .collect(),
        facts: DeviceFacts {
            capabilities: capabilities(device.capabilities),
            make: Make {
                vendor: device.make.vendor,
                model: device.make.model,
                serial: device.make.serial,
                firmware: device.make.firmware,
            },
            counters: device.counters,
        },
    })
}

const fn state_of(state: wire::DeviceState) -> DeviceState {
    match state {
        wire::DeviceState::Empty => DeviceState::Empty,
        wire::DeviceState::CardPresent => DeviceState::CardPresent,
        wire::DeviceState::CardMute => DeviceState::CardMute,
        wire::DeviceState::Ready => DeviceState::Ready,
        wire::DeviceState::NotReady => DeviceState::NotReady,
        wire::DeviceState::Denied => DeviceState::Denied,
        wire::DeviceState::InUse => DeviceState::InUse,
        wire::DeviceState::Unresponsive => DeviceState::Unresponsive,
    }
}

fn capabilities(told: wire::Capabilities) -> Capabilities {
    Capabilities {
        pin_pad: told.pin_pad,
        pen: told.pen.map(|pen| match pen {
            wire::Pen::OwnScreen => Pen::OwnScreen,
            wire::Pen::Display => Pen::Display,
            wire::Pen::Page => Pen::Page,
        }),
        calibrates: told.calibrates,
        dots: told.dots,
        resolutions: told.resolutions,
        sources: told
            .sources
            .into_iter()
            .map(|source| match source {
                wire::Source::Flatbed => Source::Flatbed,
                wire::Source::Feeder => Source::Feeder,
                wire::Source::FeederDuplex => Source::FeederDuplex,
            })
            .collect(),
        templates: told.templates,
    }
}

/// The devices, as pages see them.
#[must_use]
pub fn list(view: DeviceListView) -> api::DeviceList {
    api::DeviceList {
        devices: view.devices.into_iter().map(one).collect(),
        card_service: match view.card_service {
            CardService::Unused => api::CardService::Unused,
            CardService::Starting => api::CardService::Starting,
            CardService::Known(ServiceState::Up) => api::CardService::Up,
            CardService::Known(ServiceState::Down) => api::CardService::Down,
            CardService::Known(ServiceState::Denied) => api::CardService::Denied,
        },
    }
}

fn one(view: DeviceView) -> api::Device {
    let DeviceFacts {
        capabilities,
        make,
        counters,
    } = view.facts;
    let name = |code: &FaultCode| code.as_str().to_owned();
    api::Device {
        id: view.id.as_str().to_owned(),
        class: view.class.as_str().to_owned(),
        name: view.name,
        state: match view.state {
            DeviceState::Empty => api::DeviceState::Empty,
            DeviceState::CardPresent => api::DeviceState::CardPresent,
            DeviceState::CardMute => api::DeviceState::CardMute,
            DeviceState::Ready => api::DeviceState::Ready,
            DeviceState::NotReady => api::DeviceState::NotReady,
            DeviceState::Denied => api::DeviceState::Denied,
            DeviceState::InUse => api::DeviceState::InUse,
            DeviceState::Unresponsive => api::DeviceState::Unresponsive,
            DeviceState::Absent => api::DeviceState::Absent,
        },
        health: api::Health {
            usable: view.trouble.is_none(),
            code: view.trouble.as_ref().map(name),
            warnings: view.warnings.iter().map(name).collect(),
        },
        capabilities: api::Capabilities {
            pin_pad: capabilities.pin_pad,
            pen: capabilities.pen.map(|pen| match pen {
                Pen::OwnScreen => api::Pen::OwnScreen,
                Pen::Display => api::Pen::Display,
                Pen::Page => api::Pen::Page,
            }),
            calibrates: capabilities.calibrates,
            dots: capabilities.dots,
            resolutions: capabilities.resolutions,
            sources: capabilities
                .sources
                .into_iter()
                .map(|source| match source {
                    Source::Flatbed => ApiSource::Flatbed,
                    Source::Feeder => ApiSource::Feeder,
                    Source::FeederDuplex => ApiSource::FeederDuplex,
                })
                .collect(),
            templates: capabilities.templates,
        },
        make: api::Make {
            vendor: make.vendor,
            model: make.model,
            serial: make.serial,
            firmware: make.firmware,
        },
        counters,
    }
}
