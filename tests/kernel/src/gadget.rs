//! A serial device, made by the kernel's gadget framework on its `dummy_hcd`: the other end of a CDC ACM
//! line, and a plug that can be pulled.
//!
//! The folders are those of `Documentation/usb/gadget_configfs.rst`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

const GADGETS: &str = "/sys/kernel/config/usb_gadget";

/// The controller that `dummy_hcd` makes.
const CONTROLLER: &str = "dummy_udc.0";

/// A serial device, taken apart when it is dropped.
#[derive(Debug)]
pub struct SerialGadget {
    folder: PathBuf,
    configuration: PathBuf,
    function: PathBuf,
}

impl SerialGadget {
    /// The numbers of the device.
    pub const VENDOR: u16 = 0x1209;
    /// Its product's number.
    pub const PRODUCT: u16 = 0x0a0c;

    /// Makes the device, unplugged.
    ///
    /// # Errors
    /// Where the kernel has no gadgets.
    pub fn make() -> anyhow::Result<Self> {
        let folder = Path::new(GADGETS).join("line");
        let gadget = Self {
            configuration: folder.join("configs/c.1"),
            function: folder.join("functions/acm.line"),
            folder,
        };
        let make = |path: &Path| {
            fs::create_dir_all(path).with_context(|| format!("cannot make {}", path.display()))
        };
        make(&gadget.folder)?;
        gadget.write("idVendor", &format!("{:#06x}", Self::VENDOR))?;
        gadget.write("idProduct", &format!("{:#06x}", Self::PRODUCT))?;
        make(&gadget.folder.join("strings/0x409"))?;
        gadget.write("strings/0x409/product", "Played line")?;
        gadget.write("strings/0x409/serialnumber", "ACM0001")?;
        make(&gadget.configuration)?;
        make(&gadget.function)?;
        std::os::unix::fs::symlink(&gadget.function, gadget.configuration.join("line"))?;
        Ok(gadget)
    }

    /// The device's own end of the line.
    ///
    /// # Errors
    /// Where the kernel does not tell which it is.
    pub fn end(&self) -> anyhow::Result<PathBuf> {
        let number = fs::read_to_string(self.function.join("port_num"))?;
        Ok(PathBuf::from(format!("/dev/ttyGS{}", number.trim())))
    }

    /// Plugs it in.
    ///
    /// # Errors
    /// Where the controller is not there.
    pub fn plug(&self) -> anyhow::Result<()> {
        self.write("UDC", CONTROLLER)
    }

    /// Pulls it out.
    ///
    /// # Errors
    /// Where it is not plugged in.
    pub fn unplug(&self) -> anyhow::Result<()> {
        self.write("UDC", "\n")
    }

    fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let path = self.folder.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }
}

impl Drop for SerialGadget {
    /// Takes it apart in the order that the kernel demands; what is not there needs no taking apart.
    fn drop(&mut self) {
        drop(self.unplug());
        drop(fs::remove_file(self.configuration.join("line")));
        for folder in [
            &self.configuration,
            &self.function,
            &self.folder.join("strings/0x409"),
            &self.folder,
        ] {
            drop(fs::remove_dir(folder));
        }
    }
}
