//! A serial line through the system's communication functions, by way of `serialport`.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use device_api::Clock;
use serialport::{ErrorKind, SerialPort};

use super::pipe::{Pipe, Timed};
use crate::LinkError;
use crate::serial::{DataBits, FlowControl, Parity, SerialSettings, StopBits};

/// Opens and sets a line; the system gives it to one program only.
pub(crate) fn open_serial(
    settings: &SerialSettings,
    clock: Arc<dyn Clock>,
) -> Result<Pipe, LinkError> {
    let name = settings.path.display().to_string();
    let port = serialport::new(&*name, settings.baud)
        .data_bits(match settings.data_bits {
            DataBits::Seven => serialport::DataBits::Seven,
            DataBits::Eight => serialport::DataBits::Eight,
        })
        .parity(match settings.parity {
            Parity::None => serialport::Parity::None,
            Parity::Even => serialport::Parity::Even,
            Parity::Odd => serialport::Parity::Odd,
        })
        .stop_bits(match settings.stop_bits {
            StopBits::One => serialport::StopBits::One,
            StopBits::Two => serialport::StopBits::Two,
        })
        .flow_control(match settings.flow {
            FlowControl::None => serialport::FlowControl::None,
            FlowControl::Software => serialport::FlowControl::Software,
            FlowControl::Hardware => serialport::FlowControl::Hardware,
        })
        .open()
        .map_err(|error| of_error("opening the line", &error))?;
    port.clear(serialport::ClearBuffer::Input)
        .map_err(|error| of_error("emptying the line", &error))?;
    Ok(Pipe::over(Box::new(Line(port)), name, clock))
}

struct Line(Box<dyn SerialPort>);

impl Timed for Line {
    fn read_within(&mut self, buffer: &mut [u8], within: Duration) -> io::Result<usize> {
        self.0.set_timeout(within)?;
        self.0.read(buffer)
    }

    fn write_within(&mut self, bytes: &[u8], within: Duration) -> io::Result<usize> {
        self.0.set_timeout(within)?;
        self.0.write(bytes)
    }
}

fn of_error(attempted: &'static str, error: &serialport::Error) -> LinkError {
    match error.kind() {
        // The system says "access denied" for a line that another program holds.
        ErrorKind::Io(io::ErrorKind::PermissionDenied) => LinkError::Busy,
        ErrorKind::NoDevice | ErrorKind::Io(io::ErrorKind::NotFound) => LinkError::Gone,
        ErrorKind::InvalidInput => LinkError::Malformed { attempted },
        ErrorKind::Io(kind) => LinkError::Io {
            attempted,
            source: kind.into(),
        },
        ErrorKind::Unknown => LinkError::Io {
            attempted,
            source: io::ErrorKind::Other.into(),
        },
    }
}
