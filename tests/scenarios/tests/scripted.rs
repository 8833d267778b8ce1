//! The scripted scenario holds, and notices when a trouble does not happen.

use std::process::Command;

use harness::binary;

#[test]
fn every_scene_goes_as_expected() -> anyhow::Result<()> {
    let output = Command::new(binary("demo-once")?).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    Ok(())
}

/// A scene whose trouble is left out must fail: otherwise it is blind.
#[test]
fn a_trouble_that_passes_silently_fails_the_command() -> anyhow::Result<()> {
    for scene in scenarios::script::troubles() {
        let output = Command::new(binary("demo-once")?)
            .args(["--spoil", scene])
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(!output.status.success(), "{scene} was not missed:\n{text}");
        let cross = text
            .lines()
            .any(|line| line.starts_with('✗') && line.contains(scene));
        assert!(cross, "{text}");
    }
    Ok(())
}
