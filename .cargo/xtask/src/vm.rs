//! `cargo xtask vm`: drivers against real kernel devices, inside a throw-away virtual machine.
//!
//! The machine boots Debian's kernel, sees this machine's files read-only under a layer of its own, and
//! runs `kernel-run` of `tests/kernel`, which plays the devices through the kernel's own simulators.
//! Whatever it writes is gone afterwards. No `/dev/kvm` is needed: the processor is emulated.
//!
//! Kernel and first file system are made once and kept in `target/vm`; delete that folder to begin anew.

mod image;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, bail};

use crate::packages;
use crate::run::{cargo, command, must, root};
use image::Image;

/// Longest run, in seconds: of the checks as they are part of the tests, and of named ones or long forms.
const LONGEST: &str = "170";
const LONGEST_BY_HAND: &str = "7200";
/// Says that the programs are there.
const AS_BUILT: &str = "--as-built";

/// Builds the machine and the checks, and runs them in it; `arguments` go to `kernel-run`.
pub(crate) fn run(arguments: &[&str]) -> anyhow::Result<ExitCode> {
    packages::ensure(packages::MACHINE)?;
    let image = Image::ensure(&root().join("target/vm"))?;
    let arguments = match arguments {
        [AS_BUILT] => &[],
        _ => {
            let words = ["build", "--quiet", "--package", "kernel", "--bins"];
            must(cargo(&words))?;
            arguments
        }
    };
    let program = built("kernel-run")?;
    let run = Run::prepare(&image, &program, arguments)?;
    let limit = if arguments.is_empty() {
        LONGEST
    } else {
        LONGEST_BY_HAND
    };
    run.boot(&image, limit)
}

/// The command that does it, for the list of steps of `cargo xtask test`.
///
/// The workspace was built then; one package alone would be built anew, with fewer features of what it uses.
pub(crate) fn step() -> Command {
    command(
        &crate::run::beside_this_program("xtask").to_string_lossy(),
        &["vm", AS_BUILT],
    )
}

/// A program that must have been built.
fn built(name: &str) -> anyhow::Result<PathBuf> {
    let program = crate::run::beside_this_program(name);
    if !program.exists() {
        bail!("{} was not built", program.display());
    }
    Ok(program)
}

/// The folder through which one run gets its command and gives its result.
struct Run {
    folder: PathBuf,
}

impl Run {
    fn prepare(image: &Image, program: &Path, arguments: &[&str]) -> anyhow::Result<Self> {
        let folder = image.folder().join(format!("run-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let words: Vec<String> = arguments.iter().map(|word| quoted(word)).collect();
        // Whether udev loads the driver of pen displays before or after somebody has opened one is a matter
        // of luck on a counter; here a check loads it, so that it comes after.
        let script = format!(
            "export PATH=/usr/sbin:/usr/bin:/sbin:/bin SYSTEMD_IGNORE_CHROOT=1\n\
             echo 'blacklist wacom' > /etc/modprobe.d/by-hand.conf\n\
             /lib/systemd/systemd-udevd --daemon 2>/dev/null\n\
             exec {} {}\n",
            quoted(&program.to_string_lossy()),
            words.join(" ")
        );
        fs::write(folder.join("command"), script)?;
        Ok(Self { folder })
    }

    /// Two USB serial converters that neither we nor the kernel's gadgets made, each the other end of the
    /// other's line.
    fn crossed_lines() -> Vec<String> {
        // Below the folder of the run, by a short name: a socket's path has few characters.
        let socket = |id, role| format!("socket,id={id},path=line{role}");
        let words = [
            "-device",
            "qemu-xhci",
            "-chardev",
            &socket("first", ",server=on,wait=off"),
            "-device",
            "usb-serial,chardev=first",
            "-chardev",
            &socket("second", ""),
            "-device",
            "usb-serial,chardev=second",
        ];
        words.map(str::to_owned).to_vec()
    }

    /// Boots, shows what the machine prints, and passes the exit code of what ran in it on.
    fn boot(&self, image: &Image, limit: &str) -> anyhow::Result<ExitCode> {
        let mut machine = command("timeout", &["--kill-after=5", limit, "qemu-system-x86_64"]);
        machine
            .args(["-nodefaults", "-no-user-config", "-M", "q35", "-cpu", "max"])
            .args(["-accel", "tcg,thread=multi", "-smp", "1", "-m", "1024"])
            .args(["-display", "none", "-serial", "stdio", "-no-reboot"])
            .arg("-kernel")
            .arg(image.kernel())
            .arg("-initrd")
            .arg(image.first_files())
            .arg("-append")
            .arg("console=ttyS0 quiet loglevel=1 panic=-1 mitigations=off")
            .args(shared(
                "host",
                Path::new("/"),
                "readonly=on,multidevs=remap",
            ))
            .args(shared("run", &self.folder, "readonly=off"))
            .args(Self::crossed_lines())
            .stdin(Stdio::null())
            .current_dir(&self.folder);
        let booted = machine.status();
        let code = fs::read_to_string(self.folder.join("code"));
        fs::remove_dir_all(&self.folder)?;
        let status = booted.context("cannot start qemu-system-x86_64")?;
        let code = code
            .ok()
            .and_then(|text| text.trim().parse::<u8>().ok())
            .with_context(|| {
                format!("the virtual machine gave no result ({status}); run: cargo xtask vm")
            })?;
        Ok(ExitCode::from(code))
    }
}

/// A folder of this machine that the other one sees.
fn shared(tag: &str, folder: &Path, options: &str) -> [String; 4] {
    [
        "-fsdev".to_owned(),
        format!(
            "local,id={tag},path={},security_model=none,{options}",
            folder.display()
        ),
        "-device".to_owned(),
        format!("virtio-9p-pci,fsdev={tag},mount_tag={tag}"),
    ]
}

/// A word as the shell takes it.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_word_reaches_the_shell_as_it_is() {
        assert_eq!(quoted("--cycles"), "'--cycles'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
