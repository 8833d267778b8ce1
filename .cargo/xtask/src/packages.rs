//! Debian packages: what a command needs, and installing what is missing.

use std::process::Command;

use anyhow::Context as _;

use crate::run::{command, must, succeeds};

/// What building and running a counter needs: the PC/SC and USB libraries to link, the service with its
/// virtual reader, the fonts of what is shown and printed, and the linker itself.
///
/// Where the USB library cannot be found, rusb builds a copy of its own into the product.
pub(crate) const COUNTER: &[&str] = &[
    "fonts-ipafont-gothic",
    "fonts-ipamj-mincho",
    "fonts-morisawa-bizud-gothic",
    "gcc",
    "libc6-dev",
    "libpcsclite-dev",
    "libusb-1.0-0-dev",
    "pcscd",
    "pkg-config",
    "vsmartcard-vpcd",
];

/// What the browser tests need.
pub(crate) const BROWSER: &[&str] = &["chromium"];

/// What judges our work as a third party would: the audit log's worked example, files for other systems,
/// signatures, ink and documents, codes on paper, scanned pages.
pub(crate) const JUDGES: &[&str] = &[
    "libxml2-utils",
    "openssl",
    "poppler-utils",
    "python3",
    "python3-venv",
    "sane-airscan",
    "sane-utils",
    "zbar-tools",
];

/// The brokers that telemetry passes through, and clients for them; none of them stays running where it was
/// installed.
pub(crate) const BROKERS: &[&str] = &[
    "mosquitto",
    "mosquitto-clients",
    "nats-server",
    "openssl",
    "rabbitmq-server",
];

/// The services that come with brokers, by package.
const UNITS: &[(&str, &str)] = &[
    ("mosquitto", "mosquitto.service"),
    ("nats-server", "nats-server.service"),
    ("rabbitmq-server", "rabbitmq-server.service"),
];

/// What takes the place of other programs and machines at a counter: print servers and a printer that
/// announces itself, a desktop with a window to type into.
pub(crate) const SURROUNDINGS: &[&str] = &[
    "avahi-daemon",
    "cups-client",
    "cups-core-drivers",
    "cups-daemon",
    "cups-ipp-utils",
    "dbus-daemon",
    "xterm",
    "xvfb",
];

/// What making and running the virtual machine needs: the machine, what its first files are made of, the
/// service that knows its devices, card service and driver of USB readers, and what drivers are built and
/// tickets drawn with.
pub(crate) const MACHINE: &[&str] = &[
    "busybox-static",
    "cpio",
    "fonts-ipafont-gothic",
    "fonts-ipamj-mincho",
    "fonts-morisawa-bizud-gothic",
    "kmod",
    "libccid",
    "libpcsclite-dev",
    "libusb-1.0-0-dev",
    "pcscd",
    "pkg-config",
    "qemu-system-x86",
    "udev",
    "xz-utils",
];

/// What building the fuzz targets needs besides.
pub(crate) const FUZZ: &[&str] = &["g++"];

/// What building for Windows needs, besides the compiler that is unpacked under `target`.
pub(crate) const WINDOWS: &[&str] = &["gcc-mingw-w64-x86-64-posix"];

/// What building the pages needs, where there is no Node.js yet.
const NODE: &[&str] = &["nodejs", "npm"];

/// Names `packages` and installs those of them that are missing.
pub(crate) fn ensure(packages: &[&str]) -> anyhow::Result<()> {
    let mut packages = packages.to_vec();
    packages.sort_unstable();
    packages.dedup();
    let missing: Vec<&str> = packages
        .iter()
        .copied()
        .filter(|name| !is_installed(name))
        .collect();
    println!("{}", announcement(&packages, &missing));
    if missing.is_empty() {
        return Ok(());
    }
    must(as_root(&["apt-get", "update", "--quiet=2"]))?;
    let install = [
        "apt-get",
        "install",
        "--yes",
        "--quiet=2",
        "--no-install-recommends",
        "--option=Dpkg::Use-Pty=0",
    ];
    must(as_root(&[&install, missing.as_slice()].concat()))
        .with_context(|| format!("provide them with: apt-get install {}", missing.join(" ")))?;
    stop_installed(&missing)
}

/// Stops what Debian started on its own because it was just installed; what was there before is left alone.
///
/// A machine whose services are not systemd's, such as a container, starts none.
fn stop_installed(installed: &[&str]) -> anyhow::Result<()> {
    if !std::path::Path::new("/run/systemd/system").exists() {
        return Ok(());
    }
    for (package, unit) in UNITS {
        if installed.contains(package) {
            must(as_root(&["systemctl", "disable", "--now", "--quiet", unit]))?;
        }
    }
    Ok(())
}

/// Installs Node.js with its package tool, unless some Node.js is there.
pub(crate) fn ensure_node() -> anyhow::Result<()> {
    if succeeds(command("node", &["--version"])) && succeeds(command("npm", &["--version"])) {
        return Ok(());
    }
    ensure(NODE)
}

/// Adds a component to the Rust toolchain, unless `probe` works already.
pub(crate) fn ensure_component(component: &str, probe: &[&str]) -> anyhow::Result<()> {
    if succeeds(crate::run::cargo(probe)) {
        return Ok(());
    }
    println!("missing Rust component, to be added now: {component}");
    must(command("rustup", &["component", "add", component]))
        .with_context(|| format!("provide it with: rustup component add {component}"))
}

/// A command that runs as root, by `sudo` where this is another user.
pub(crate) fn as_root(words: &[&str]) -> Command {
    let is_root = command("id", &["-u"])
        .output()
        .is_ok_and(|output| output.stdout == b"0\n");
    let words: Vec<&str> = if is_root {
        [&["env", "DEBIAN_FRONTEND=noninteractive"], words].concat()
    } else {
        [&["sudo", "env", "DEBIAN_FRONTEND=noninteractive"], words].concat()
    };
    command(
        words.first().copied().unwrap_or_default(),
        words.get(1..).unwrap_or_default(),
    )
}

/// What is needed, and what of it will be installed.
fn announcement(packages: &[&str], missing: &[&str]) -> String {
    let needed = format!("needs the Debian packages {}", packages.join(" "));
    if missing.is_empty() {
        format!("{needed}: all there")
    } else {
        format!("{needed}; to be installed now: {}", missing.join(" "))
    }
}

fn is_installed(package: &str) -> bool {
    let query = command(
        "dpkg-query",
        &["--show", "--showformat=${db:Status-Status}", package],
    );
    let mut query = query;
    query
        .output()
        .is_ok_and(|output| output.stdout == b"installed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_is_named_even_where_nothing_is_missing() {
        assert_eq!(
            announcement(&["gcc", "pcscd"], &[]),
            "needs the Debian packages gcc pcscd: all there"
        );
        assert_eq!(
            announcement(&["gcc", "pcscd"], &["pcscd"]),
            "needs the Debian packages gcc pcscd; to be installed now: pcscd"
        );
    }
}
