//! What comes of a job before its end, and what citizens do with a document that is shown.
//!
//! Invariants: an item goes to the session of the job's lease and to the screen that shows the job, to
//! nobody else, and is kept nowhere; an item counts as taken over when that session says so; what a
//! citizen did counts only from the page that shows the document.

use device_api::{FaultCode, Moment, Pen};

use super::Core;
use crate::access::{Owner, scope_to_start};
use crate::effect::{Closed, Effect, HostCommand, ScreenTell};
use crate::event::{ItemKind, SessionSays};
use crate::ids::{HostRun, JobId, ScreenLink, SessionLink};
use crate::jobs::Job;
use crate::sealed::Sealed;
use crate::task::{Surface, Task};

/// The number under which a document that is shown stands in the place of a question's.
const SHOWN: u32 = 0;

impl<R> Core<R> {
    /// A host gave an item.
    pub(super) fn item_came(
        &mut self,
        (run, work): (HostRun, u64),
        (n, kind): (u32, ItemKind),
        item: Sealed<R>,
        now: Moment,
    ) {
        let Some(id) = self.job_at(run, work, now) else {
            return;
        };
        self.heard_of(&id);
        let fits = self
            .jobs
            .find(&id)
            .is_some_and(|job| n > job.last_item && kind_fits(kind, &job.order.task));
        if !fits {
            self.out_of_turn(run, now);
            return;
        }
        if kind == ItemKind::Show && !self.bring_up(&id) {
            self.want_end(&id, FaultCode::SignatureNoScreen, now);
            return;
        }
        let Some(job) = self.jobs.find_mut(&id) else {
            return;
        };
        job.last_item = n;
        let surface = job.order.task.surface();
        let for_session = match kind {
            ItemKind::Scan | ItemKind::Ink | ItemKind::Page => true,
            ItemKind::Show => surface == Some(Surface::Application),
        };
        let for_screen = matches!(kind, ItemKind::Ink | ItemKind::Show);
        let session = job
            .session
            .filter(|link| for_session && self.stream.is_open(*link));
        let screen = job.shown_on.filter(|_| for_screen);
        if session.is_none() && screen.is_none() {
            return;
        }
        self.out.push(Effect::Pass {
            job: id,
            n,
            session,
            screen: screen.map(|link| (link, job.word)),
            item,
        });
    }

    /// A client said something on its event stream.
    pub(super) fn session_said(&mut self, link: SessionLink, said: SessionSays<R>) {
        match said {
            SessionSays::Received { job, n } => {
                if self.session_may(link, &job) {
                    self.received(&job, n);
                }
            }
            SessionSays::Act { job, act } => {
                let shows = self
                    .jobs
                    .find(&job)
                    .is_some_and(|job| job.order.task.surface() == Some(Surface::Application));
                if shows && self.session_may(link, &job) {
                    self.pass_act(&job, act);
                }
            }
        }
    }

    /// What the citizen did on the screen of this counter.
    pub(super) fn screen_acted(&mut self, link: ScreenLink, id: &JobId, act: Sealed<R>) {
        if self.screens.is_asked(link, id, SHOWN) {
            self.pass_act(id, act);
        }
    }

    /// The screen that showed a document is lost: nobody can tell any more what the citizen saw.
    pub(super) fn document_out_of_sight(&mut self, link: ScreenLink, now: Moment) {
        let shown = self.jobs.iter_mut().find(|job| job.shown_on == Some(link));
        if let Some(job) = shown {
            job.shown_on = None;
            let id = job.id.clone();
            self.want_end(&id, FaultCode::SignatureNoScreen, now);
        }
    }

    /// Takes a document off the screen.
    pub(super) fn take_down(&mut self, id: &JobId, last: Closed) {
        let Some(link) = self.jobs.find_mut(id).and_then(|job| job.shown_on.take()) else {
            return;
        };
        if self.screens.set_asked(link, None) {
            let tell = ScreenTell::Idle { last: Some(last) };
            self.out.push(Effect::TellScreen { link, tell });
        }
    }

    /// Whether a document can be shown where the order wants it.
    pub(super) fn can_show(&self, owner: &Owner, task: &Task, pen: Option<Pen>) -> bool {
        let by_page = matches!(pen, Some(Pen::Display | Pen::Page));
        match task.surface() {
            Some(Surface::CitizenScreen) if by_page => self.screens.reachable(owner),
            Some(Surface::CitizenScreen | Surface::Application) | None => true,
        }
    }

    /// Finds a screen for a document, where that is where it is to be shown.
    fn bring_up(&mut self, id: &JobId) -> bool {
        let Some(job) = self.jobs.find(id) else {
            return false;
        };
        if job.shown_on.is_some() || job.order.task.surface() == Some(Surface::Application) {
            return true;
        }
        let Some(link) = self.screens.free(&job.owner, None) else {
            return false;
        };
        self.screens.set_asked(link, Some((id.clone(), SHOWN)));
        if let Some(job) = self.jobs.find_mut(id) {
            job.shown_on = Some(link);
        }
        true
    }

    /// Whether a session is the one to which the job's lease is bound, and still has the rights.
    fn session_may(&self, link: SessionLink, id: &JobId) -> bool {
        let Some(job) = self.jobs.find(id) else {
            return false;
        };
        let need = scope_to_start(&job.order.task);
        let caller = self.stream.caller_of(link);
        job.session == Some(link)
            && caller.is_some_and(|caller| {
                caller.owner == job.owner && self.access.check(caller, &need).is_ok()
            })
    }

    fn received(&mut self, id: &JobId, n: u32) {
        let Some(job) = self.jobs.find_mut(id) else {
            return;
        };
        // One item is under way at a time, so only the last one can be meant; a page that says so twice has
        // still taken over one.
        if n != job.last_item || n == job.last_received {
            return;
        }
        let Some((run, work)) = at(job) else { return };
        job.last_received = n;
        job.items = job.items.saturating_add(1);
        self.out.push(Effect::SendToHost {
            run,
            command: HostCommand::Received { work, n },
        });
    }

    fn pass_act(&mut self, id: &JobId, act: Sealed<R>) {
        if let Some((run, work)) = self.jobs.find(id).and_then(at) {
            self.out.push(Effect::SendToHost {
                run,
                command: HostCommand::Act { work, act },
            });
        }
    }
}

fn at<R>(job: &Job<R>) -> Option<(HostRun, u64)> {
    let at = job.work().filter(|at| at.ending.is_none())?;
    Some((at.run, at.work))
}

const fn kind_fits(kind: ItemKind, task: &Task) -> bool {
    match kind {
        ItemKind::Scan => matches!(task, Task::ScanCodes),
        ItemKind::Ink => matches!(task, Task::CaptureSignature { .. }),
        ItemKind::Show => task.surface().is_some(),
        ItemKind::Page => matches!(task, Task::ScanDocument),
    }
}
