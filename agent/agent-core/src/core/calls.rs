//! Requests about devices, leases, screens and nonces.
//!
//! Invariant: a right is checked before anything about its subject is told, so that a page without the
//! right cannot tell a device that exists from one that does not.

use device_api::{DeviceClass, DeviceId, FaultCode, Moment};

use super::{Core, Stop};
use crate::access::{Caller, NONCE_LIFE, Need, Owner, Scope};
use crate::chance;
use crate::documents::DOCUMENT_LIFE;
use crate::effect::{Answer, Effect, Happening, Pairing, PinScreenView, Report, ScreenTell};
use crate::event::{Call, DocumentFacts, NewDocument, Refusal};
use crate::ids::{DocumentId, LeaseId, ScreenId, SessionId};
use crate::leases::{MAX_TTL, MIN_TTL, NewLease};
use crate::sealed::Sealed;
use crate::stream::Audience;

use std::time::Duration;

type Outcome<R> = Result<Answer<R>, Refusal>;

impl<R> Core<R> {
    pub(super) fn call(&mut self, caller: &Caller, call: Call<R>, now: Moment) -> Outcome<R> {
        match call {
            Call::Devices => self.list_devices(caller),
            Call::TakeLease {
                device,
                ttl,
                session,
            } => self.take_lease(caller, &device, (ttl, session), now),
            Call::Lease(lease) => self.show_lease(caller, &lease, now),
            Call::Leases => self.list_leases(caller, now),
            Call::RenewLease { lease, ttl } => self.renew_lease(caller, &lease, ttl, now),
            Call::ReleaseLease(lease) => self.release_lease(caller, &lease, now),
            Call::StartJob {
                key,
                order,
                content,
            } => self.start_job(caller, (key, order, content), now),
            Call::KeepDocument { facts, content } => {
                self.keep_document(caller, facts, content, now)
            }
            Call::TakeDocument(document) => self.take_document(caller, &document),
            Call::Job(job) => self.show_job(caller, &job),
            Call::Jobs => {
                let own = self.jobs.iter().filter(|job| self.may_see_job(caller, job));
                Ok(Answer::Jobs(own.map(|job| job.view()).collect()))
            }
            Call::CancelJob(job) => self.cancel_job(caller, &job, now),
            Call::AnswerJob { job, ask, answer } => {
                self.answer_job(caller, (&job, ask), answer, now)
            }
            Call::TakeResult(job) => self.take_result(caller, &job),
            Call::PinScreens => self.list_screens(caller),
            Call::PairScreen { code } => self.pair_screen(caller, &code, now),
            Call::UnpairScreen(screen) => self.unpair_screen(caller, &screen, now),
            Call::NewNonce => self.new_nonce(caller, now),
        }
    }

    /// Checks rights that need no nonce.
    fn need(&self, caller: &Caller, scope: Scope) -> Result<(), FaultCode> {
        self.access.check(
            caller,
            &Need {
                scopes: vec![scope],
                privileged: false,
            },
        )
    }

    /// Checks that a caller may see devices of any class.
    fn need_sight(&self, caller: &Caller) -> Result<(), FaultCode> {
        let sees = |class: &DeviceClass| self.access.permits(caller, Scope::to_see(*class));
        if DeviceClass::ALL.iter().any(sees) {
            return Ok(());
        }
        Err(FaultCode::DoorGrant)
    }

    fn keep_document(
        &mut self,
        caller: &Caller,
        facts: DocumentFacts,
        content: Sealed<R>,
        now: Moment,
    ) -> Outcome<R> {
        let uses = [
            Scope::CaptureSignature,
            Scope::PrintTickets,
            Scope::PrintDocuments,
        ];
        if !uses.iter().any(|scope| self.access.permits(caller, *scope)) {
            return Err(FaultCode::DoorGrant.into());
        }
        if self.stop != Stop::No {
            return Err(FaultCode::AgentStopping.into());
        }
        let id = DocumentId::new(chance::name(&mut *self.chance));
        let document = NewDocument {
            id: id.clone(),
            facts: facts.clone(),
            content,
        };
        self.documents
            .keep_for_job(document, caller.owner.clone(), now)
            .map_err(|code| Refusal::about(code, "documents"))?;
        Ok(Answer::Document {
            id,
            facts,
            expires_in: DOCUMENT_LIFE,
        })
    }

    fn take_document(&mut self, caller: &Caller, id: &DocumentId) -> Outcome<R> {
        let rights = self.documents.rights_to_take(id, &caller.owner);
        let scopes = rights.ok_or(FaultCode::DoorNotFound)?.to_vec();
        self.access.check(
            caller,
            &Need {
                scopes,
                privileged: false,
            },
        )?;
        let taken = self.documents.take(id).ok_or(FaultCode::DoorNotFound)?;
        Ok(Answer::Content {
            facts: taken.facts,
            content: taken.content,
        })
    }

    fn list_devices(&self, caller: &Caller) -> Outcome<R> {
        self.need_sight(caller)?;
        let may_see = |class| self.access.permits(caller, Scope::to_see(class));
        Ok(Answer::Devices(self.devices.view(may_see)))
    }

    fn take_lease(
        &mut self,
        caller: &Caller,
        device: &DeviceId,
        (ttl, session): (Duration, Option<SessionId>),
        now: Moment,
    ) -> Outcome<R> {
        self.need_sight(caller)?;
        if self.stop != Stop::No {
            return Err(FaultCode::AgentStopping.into());
        }
        check_ttl(ttl)?;
        let class = self
            .devices
            .class_of(device)
            .ok_or(FaultCode::DoorNotFound)?;
        if !self.access.permits(caller, Scope::to_see(class)) {
            return Err(FaultCode::DoorNotFound.into());
        }
        let session = match session {
            None => None,
            Some(id) => Some(
                self.stream
                    .link_of(&id, &caller.owner)
                    .ok_or(Refusal::about(FaultCode::DoorNotFound, "session"))?,
            ),
        };
        let id = LeaseId::new(chance::name(&mut *self.chance));
        let lease = NewLease {
            id: id.clone(),
            owner: caller.owner.clone(),
            session,
            ttl,
        };
        self.leases.take(device, lease, now)?;
        self.show_lease(caller, &id, now)
    }

    fn list_leases(&self, caller: &Caller, now: Moment) -> Outcome<R> {
        self.need_sight(caller)?;
        let own = self.leases.views(&caller.owner, now);
        Ok(Answer::Leases(own.collect()))
    }

    fn show_lease(&self, caller: &Caller, lease: &LeaseId, now: Moment) -> Outcome<R> {
        self.need_sight(caller)?;
        let view = self
            .leases
            .view(lease, &caller.owner, now)
            .ok_or(FaultCode::DoorNotFound)?;
        Ok(Answer::Lease(view))
    }

    fn renew_lease(
        &mut self,
        caller: &Caller,
        lease: &LeaseId,
        ttl: Duration,
        now: Moment,
    ) -> Outcome<R> {
        self.need_sight(caller)?;
        check_ttl(ttl)?;
        self.leases
            .view(lease, &caller.owner, now)
            .ok_or(FaultCode::DoorNotFound)?;
        if !self.leases.renew(lease, ttl, now) {
            return Err(Refusal::about(FaultCode::DoorConflict, "waiting"));
        }
        self.show_lease(caller, lease, now)
    }

    fn release_lease(&mut self, caller: &Caller, lease: &LeaseId, now: Moment) -> Outcome<R> {
        self.need_sight(caller)?;
        self.leases
            .view(lease, &caller.owner, now)
            .ok_or(FaultCode::DoorNotFound)?;
        self.leases.release(lease, now);
        Ok(Answer::Released)
    }

    fn new_nonce(&mut self, caller: &Caller, now: Moment) -> Outcome<R> {
        // The page asks with its everyday token; only the one that will carry the nonce brings the
        // privileged scope. A token that permits nothing gets nothing.
        let mut privileged = Scope::PRIVILEGED.iter();
        let useful = privileged.any(|scope| self.access.grants_origin(caller, *scope));
        if !useful || caller.scopes.is_empty() {
            return Err(FaultCode::DoorGrant.into());
        }
        let nonce = chance::name(&mut *self.chance);
        self.access.nonces.keep(nonce.clone(), &caller.owner, now)?;
        Ok(Answer::Nonce {
            nonce,
            expires_in: NONCE_LIFE,
        })
    }

    fn list_screens(&self, caller: &Caller) -> Outcome<R> {
        self.need(caller, Scope::PairPinScreen)
            .or_else(|_| self.need(caller, Scope::SeeCardReaders))
            .or_else(|_| self.need(caller, Scope::SeeSignatureTablets))?;
        Ok(Answer::PinScreens(self.screens_of(&caller.owner)))
    }

    fn pair_screen(&mut self, caller: &Caller, code: &str, now: Moment) -> Outcome<R> {
        self.need(caller, Scope::PairPinScreen)?;
        if !self.screens.has_room(&caller.owner) {
            return Err(Refusal::about(FaultCode::DoorTooMany, "pinScreens"));
        }
        let owner = &caller.owner;
        let found = self.screens.guess(code, owner, now);
        if found == Err(FaultCode::DoorTooMany) {
            let (origin, counter) = (owner.origin.clone(), owner.counter.clone());
            self.out
                .push(Effect::Report(Report::PairingGuesses { origin, counter }));
        }
        self.replace_stale_codes(now);
        let link = found?;
        let key = chance::key(&mut *self.chance);
        let pairing = Pairing {
            screen: ScreenId::new(chance::name(&mut *self.chance)),
            digest: self.chance.digest(&key),
            origin: owner.origin.clone(),
            counter: owner.counter.clone(),
        };
        self.screens.pair(link, pairing);
        self.out.push(Effect::StorePairings {
            pairings: self.screens.pairings(),
        });
        let tell = ScreenTell::Paired {
            key: Some(key),
            counter: owner.counter.clone(),
        };
        self.out.push(Effect::TellScreen { link, tell });
        self.out.push(Effect::TellScreen {
            link,
            tell: ScreenTell::Idle { last: None },
        });
        self.publish_screens(owner);
        Ok(Answer::PinScreens(self.screens_of(owner)))
    }

    fn unpair_screen(&mut self, caller: &Caller, screen: &ScreenId, now: Moment) -> Outcome<R> {
        self.need(caller, Scope::PairPinScreen)?;
        if let Some(link) = self.screens.unpair(screen, &caller.owner)? {
            self.take_question_from(link, None, now);
            self.document_out_of_sight(link, now);
            self.out.push(Effect::CloseScreen { link });
        }
        self.out.push(Effect::StorePairings {
            pairings: self.screens.pairings(),
        });
        self.publish_screens(&caller.owner);
        Ok(Answer::PinScreens(self.screens_of(&caller.owner)))
    }

    fn screens_of(&self, owner: &Owner) -> Vec<PinScreenView> {
        self.screens.views(&owner.origin, &owner.counter)
    }

    pub(super) fn publish_screens(&mut self, owner: &Owner) {
        let happening = Happening::PinScreens(self.screens_of(owner));
        self.publish(
            Audience::Counter(owner.origin.clone(), owner.counter.clone()),
            happening,
        );
    }
}

fn check_ttl(ttl: Duration) -> Result<(), Refusal> {
    if (MIN_TTL..=MAX_TTL).contains(&ttl) {
        return Ok(());
    }
    Err(Refusal::about(FaultCode::DoorSchema, "ttlMs"))
}
