//! A citizen's data are found nowhere; `cargo xtask soak canaries redaction-removed` runs the long form.

use scenarios::canaries;

#[test]
fn no_secret_and_nothing_of_a_citizen_is_left_anywhere() -> anyhow::Result<()> {
    let told = canaries::canaries(2)?;
    assert!(told.contains("no canary found"), "{told}");
    Ok(())
}
