//! What every signature tablet must do, whoever made its driver: run by each implementation's own tests, by
//! simulators and on hardware.
//!
//! A [`Rig`] sets up a tablet on which something happens, without telling the tablet; [`check`] asks for
//! signatures and judges what comes. The rig's document is one short page, so that only one page is shown.

use std::sync::Arc;
use std::time::Duration;

use device_api::{Clock, Deadline, FaultCode, Patience};

use crate::document::{Document, MediaType};
use crate::driver::{CaptureDesk, CaptureRequest, SignatureTablet};
use crate::fault::TabletError;
use crate::ink::CapturedInk;
use crate::picture::{Picture, WHITE};

/// What a citizen, or fate, does in one capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scene {
    /// Two strokes in the signing area with the pen in the air between, then 確定.
    Signs,
    /// One stroke, やり直す, and then as [`Scene::Signs`].
    SignsAnew,
    /// 署名しない.
    Declines,
    /// 確定 at once.
    ConfirmsNothing,
    /// Nothing at all.
    DoesNothing,
    /// A stroke, in whose middle the plug is pulled.
    Unplugged,
}

/// A tablet that is set up, with what surrounds it.
pub struct Stage {
    /// The tablet.
    pub tablet: Box<dyn SignatureTablet>,
    /// Its desk.
    pub desk: Box<dyn CaptureDesk>,
    /// The clock that all of it goes by.
    pub clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stage")
            .field("tablet", &self.tablet)
            .finish_non_exhaustive()
    }
}

/// Sets up tablets.
pub trait Rig {
    /// A tablet on which these scenes happen, one for each capture.
    fn stage(&mut self, scenes: &[Scene]) -> Stage;
}

/// Holds a tablet against all rules.
///
/// # Panics
/// Where a rule is broken, with a sentence that says which.
pub fn check(rig: &mut dyn Rig) {
    a_signature_is_whole(rig);
    a_new_start_keeps_nothing_of_the_old(rig);
    each_end_has_its_fault(rig);
    a_tablet_is_usable_after_a_refusal(rig);
    a_cancelled_capture_ends(rig);
    what_cannot_be_shown_is_not_signed(rig);
}

fn a_signature_is_whole(rig: &mut dyn Rig) {
    let ink = signed(rig, Scene::Signs);
    assert_eq!(ink.strokes().len(), 2, "two strokes were written");
    assert!(
        ink.samples.iter().any(|sample| !sample.tip),
        "the pen in the air is kept"
    );
    assert!(
        ink.samples.is_sorted_by_key(|sample| sample.t_us),
        "time never goes back"
    );
    assert_eq!(ink.attempts, 1, "it was begun once");
    assert_eq!(
        ink.document_sha256,
        document().sha256(),
        "the document is named by its hash"
    );
    assert_eq!(ink.shown.len(), 1, "one page was shown");
    let own_screen = ink.device.screen.is_some();
    assert!(
        ink.shown
            .iter()
            .all(|shown| shown.sent_sha256.is_some() == own_screen),
        "what was sent to a screen of its own is hashed"
    );
    assert!(
        !format!("{ink:?}").contains("x:"),
        "ink does not show itself"
    );
}

fn a_new_start_keeps_nothing_of_the_old(rig: &mut dyn Rig) {
    let ink = signed(rig, Scene::SignsAnew);
    assert_eq!(ink.attempts, 2, "it was begun twice");
    assert_eq!(
        ink.strokes().len(),
        2,
        "only the strokes of the last attempt are kept"
    );
    assert_eq!(ink.shown.len(), 2, "the page was shown anew");
}

fn each_end_has_its_fault(rig: &mut dyn Rig) {
    for (scene, expected) in [
        (Scene::Declines, FaultCode::SignatureDeclined),
        (Scene::ConfirmsNothing, FaultCode::SignatureEmpty),
        (Scene::DoesNothing, FaultCode::SignatureTimeout),
        (Scene::Unplugged, FaultCode::DeviceGone),
    ] {
        let mut stage = rig.stage(&[scene]);
        let fault = capture(&mut stage, &document())
            .err()
            .map(|error| error.fault());
        assert_eq!(fault, Some(expected), "{scene:?}");
    }
}

fn a_tablet_is_usable_after_a_refusal(rig: &mut dyn Rig) {
    let mut stage = rig.stage(&[Scene::Declines, Scene::ConfirmsNothing, Scene::Signs]);
    let first = capture(&mut stage, &document());
    assert!(
        matches!(first, Err(TabletError::Declined)),
        "the first declines"
    );
    let second = capture(&mut stage, &document());
    assert!(
        matches!(second, Err(TabletError::Empty)),
        "the second is empty"
    );
    assert!(capture(&mut stage, &document()).is_ok(), "the third signs");
}

fn a_cancelled_capture_ends(rig: &mut dyn Rig) {
    let mut stage = rig.stage(&[Scene::DoesNothing]);
    let patience = patience(&stage);
    patience.stop();
    let request = request(&document());
    let outcome = stage
        .tablet
        .capture(&request, stage.desk.as_mut(), &patience);
    assert!(
        matches!(outcome, Err(TabletError::Cancelled)),
        "cancelled before it began"
    );
}

fn what_cannot_be_shown_is_not_signed(rig: &mut dyn Rig) {
    let mut stage = rig.stage(&[Scene::Signs]);
    let broken = Document::new(b"no picture".to_vec(), MediaType::Png);
    let fault = broken
        .ok()
        .and_then(|broken| capture(&mut stage, &broken).err())
        .map(|error| error.fault());
    assert_eq!(
        fault,
        Some(FaultCode::SignatureDocument),
        "a broken document"
    );
}

fn signed(rig: &mut dyn Rig, scene: Scene) -> CapturedInk {
    let mut stage = rig.stage(&[scene]);
    let outcome = capture(&mut stage, &document());
    assert!(outcome.is_ok(), "{scene:?}: {:?}", outcome.err());
    #[expect(clippy::unwrap_used, reason = "asserted in the line above")]
    outcome.unwrap()
}

fn capture(stage: &mut Stage, document: &Document) -> Result<CapturedInk, TabletError> {
    let patience = patience(stage);
    stage
        .tablet
        .capture(&request(document), stage.desk.as_mut(), &patience)
}

fn patience(stage: &Stage) -> Patience {
    let limit = stage.clock.now().plus(Duration::from_secs(120));
    Patience::new(Arc::clone(&stage.clock), Deadline::at(limit))
}

fn request(document: &Document) -> CaptureRequest {
    CaptureRequest {
        document: document.clone(),
        every_page: true,
        idle: Duration::from_secs(3),
    }
}

/// One short page.
#[expect(clippy::expect_used, reason = "a small white picture is always a PNG")]
fn document() -> Document {
    let png = Picture::plain(120, 40, WHITE).and_then(|picture| picture.to_png());
    Document::new(png.expect("a picture"), MediaType::Png).expect("a short document")
}
