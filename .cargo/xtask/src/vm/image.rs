//! The machine's kernel and its first file system, made once.
//!
//! The kernel is Debian's, unpacked and never installed; its picture is unpacked too, because an
//! emulated processor takes seconds to do it at each start.
//! The first file system holds busybox and the modules; it mounts this machine's files over it.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, bail};

use crate::packages;
use crate::run::{command, must};

/// The modules that the machine may need, with all that they depend on.
const MODULES: [&str; 23] = [
    "virtio_pci",
    "9p",
    "9pnet_virtio",
    "overlay",
    "configfs",
    "usbhid",
    "hid_generic",
    "hid_multitouch",
    "wacom",
    "uhid",
    "uinput",
    "evdev",
    "vhci_hcd",
    "dummy_hcd",
    "libcomposite",
    "usb_f_acm",
    "usb_f_printer",
    "usb_f_hid",
    "ftdi_sio",
    "cdc_acm",
    "usblp",
    "usbmon",
    "xhci_pci",
];

/// What runs first: it puts a layer of memory over this machine's files and runs the command in it.
const INIT: &str = r#"#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc; /bin/busybox mount -t sysfs sys /sys; /bin/busybox mount -t devtmpfs dev /dev
/bin/busybox --install -s /bin; export PATH=/bin
mkdir -p /dev/pts /dev/shm; mount -t devpts devpts /dev/pts; mount -t tmpfs shm /dev/shm
for module in virtio_pci 9p 9pnet_virtio overlay configfs; do modprobe $module; done
mount -t configfs none /sys/kernel/config; ip link set lo up; hostname vm
options=trans=virtio,version=9p2000.L,msize=512000
mount -t 9p -o $options,cache=loose,ro host /lower || poweroff -f
mount -t tmpfs layer /layer; mkdir /layer/upper /layer/work
mount -t overlay -o lowerdir=/lower,upperdir=/layer/upper,workdir=/layer/work overlay /newroot
for folder in proc sys dev; do mount --rbind /$folder /newroot/$folder; done
mount -t tmpfs run /newroot/run
mkdir -p /newroot/run/vm /newroot/run/udev /newroot/run/pcscd /newroot/lib/modules
mount -t 9p -o $options,cache=none run /newroot/run/vm; mount --bind /lib/modules /newroot/lib/modules
chroot /newroot /bin/sh /run/vm/command; echo $? > /newroot/run/vm/code; poweroff -f
"#;

/// What the machine boots from.
pub(super) struct Image {
    folder: PathBuf,
}

impl Image {
    /// The image in `folder`, made unless it is there.
    pub(super) fn ensure(folder: &Path) -> anyhow::Result<Self> {
        let image = Self {
            folder: folder.to_owned(),
        };
        // What an earlier form of this file made is not what this one needs.
        let made = fs::read_to_string(image.recipe()).unwrap_or_default();
        if made != recipe() {
            image.make().context("cannot make the virtual machine")?;
            fs::write(image.recipe(), recipe())?;
        }
        Ok(image)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn kernel(&self) -> PathBuf {
        self.folder.join("kernel")
    }

    pub(super) fn first_files(&self) -> PathBuf {
        self.folder.join("first-files.gz")
    }

    /// Written last, so it stands for all that comes before.
    fn recipe(&self) -> PathBuf {
        self.folder.join("recipe")
    }

    fn make(&self) -> anyhow::Result<()> {
        let unpacked = self.folder.join("unpacked");
        clear(&unpacked)?;
        let version = fetch_kernel(&unpacked)?;
        unpack_picture(
            &unpacked.join(format!("boot/vmlinuz-{version}")),
            &self.kernel(),
        )?;
        let files = self.folder.join("files");
        clear(&files)?;
        lay_out(&files, &unpacked, &version)?;
        let pack = "cd \"$1\" && find . | cpio --create --format=newc --quiet | gzip -1 > \"$2\"";
        let (from, to) = (text(&files)?.to_owned(), self.first_files());
        must(command("sh", &["-euc", pack, "sh", &from, text(&to)?]))?;
        fs::remove_dir_all(files)?;
        fs::remove_dir_all(unpacked)?;
        Ok(())
    }
}

/// All that the image is made from, as far as this file decides it.
fn recipe() -> String {
    format!("{}\n{INIT}", MODULES.join(" "))
}

fn clear(folder: &Path) -> anyhow::Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    Ok(fs::create_dir_all(folder)?)
}

/// Fetches Debian's kernel into `folder` and tells its version.
fn fetch_kernel(folder: &Path) -> anyhow::Result<String> {
    let package = match kernel_package()? {
        Some(package) => package,
        None => {
            must(packages::as_root(&["apt-get", "update", "--quiet=2"]))?;
            kernel_package()?.context("no package linux-image-amd64")?
        }
    };
    println!("fetching Debian's {package} for the virtual machine");
    let mut download = command("apt-get", &["download", "--quiet=2", &package]);
    download.current_dir(folder);
    must(download)?;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            must(command("dpkg", &["--extract", text(&path)?, text(folder)?]))?;
            fs::remove_file(path)?;
        }
    }
    let version = package.strip_prefix("linux-image-").unwrap_or(&package);
    Ok(version.to_owned())
}

/// The package that Debian's name for "the kernel" leads to.
fn kernel_package() -> anyhow::Result<Option<String>> {
    let output = command("apt-cache", &["depends", "linux-image-amd64"]).output()?;
    let output = String::from_utf8_lossy(&output.stdout).into_owned();
    let package = output
        .lines()
        .find_map(|line| line.trim().strip_prefix("Depends: "));
    Ok(package.map(str::to_owned))
}

/// Takes the kernel out of its compressed picture.
fn unpack_picture(picture: &Path, kernel: &Path) -> anyhow::Result<()> {
    /// How xz data begin.
    const MAGIC: &[u8] = b"\xfd7zXZ\0";
    let bytes = fs::read(picture).with_context(|| format!("no {}", picture.display()))?;
    let at = bytes
        .windows(MAGIC.len())
        .position(|window| window == MAGIC)
        .with_context(|| format!("{} holds no xz data", picture.display()))?;
    let mut unpacking = command("xz", &["--decompress", "--stdout", "--single-stream"])
        .stdin(Stdio::piped())
        .stdout(fs::File::create(kernel)?)
        .stderr(Stdio::null())
        .spawn()?;
    if let Some(mut input) = unpacking.stdin.take() {
        // What follows the data in the picture makes xz stop reading early; whether it has read enough
        // is seen below.
        drop(input.write_all(bytes.get(at..).unwrap_or_default()));
    }
    unpacking.wait()?;
    if !fs::read(kernel)?.starts_with(b"\x7fELF") {
        bail!("{} holds no kernel", picture.display());
    }
    Ok(())
}

/// Lays out the first file system: busybox, modules, the script.
fn lay_out(files: &Path, unpacked: &Path, version: &str) -> anyhow::Result<()> {
    for folder in ["bin", "proc", "sys", "dev", "lower", "layer", "newroot"] {
        fs::create_dir_all(files.join(folder))?;
    }
    fs::copy("/bin/busybox", files.join("bin/busybox"))?;
    let init = files.join("init");
    fs::write(&init, INIT)?;
    must(command("chmod", &["755", text(&init)?]))?;
    must(command("depmod", &["-b", text(unpacked)?, version]))?;
    let below = Path::new("lib/modules").join(version);
    for module in needed_modules(unpacked, version)? {
        let inner = Path::new(&module).strip_prefix(unpacked)?;
        let copy = files.join(inner);
        fs::create_dir_all(copy.parent().unwrap_or(files))?;
        fs::copy(&module, copy)?;
    }
    for list in [
        "modules.builtin",
        "modules.builtin.modinfo",
        "modules.order",
    ] {
        fs::copy(
            unpacked.join(&below).join(list),
            files.join(&below).join(list),
        )?;
    }
    must(command("depmod", &["-b", text(files)?, version]))
}

/// The files of all modules and of what they depend on.
fn needed_modules(unpacked: &Path, version: &str) -> anyhow::Result<Vec<String>> {
    let mut files = Vec::new();
    for module in MODULES {
        let base = ["-d", text(unpacked)?, "-S", version, "--show-depends"];
        let output = command("modprobe", &[&base[..], &[module]].concat()).output()?;
        if !output.status.success() {
            bail!("the kernel {version} has no module {module}");
        }
        let output = String::from_utf8_lossy(&output.stdout).into_owned();
        let named = output
            .lines()
            .filter_map(|line| line.strip_prefix("insmod "));
        files.extend(named.map(|path| path.trim().to_owned()));
    }
    files.sort();
    files.dedup();
    Ok(files)
}

fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str()
        .with_context(|| format!("{} is not UTF-8", path.display()))
}
