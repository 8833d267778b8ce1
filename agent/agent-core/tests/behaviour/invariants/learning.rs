//! What the test learns from effects, and what must hold of each effect by itself.

use super::*;

impl World {
    /// Takes in effects and checks what can be checked one by one.
    pub(super) fn learn(&mut self, out: Vec<Effect<Reading>>) {
        for effect in out {
            match effect {
                Effect::StartHost { run } => {
                    assert!(run.run > self.newest_run, "lives are counted");
                    assert!(self.alive.is_none(), "one life at a time");
                    self.newest_run = run.run;
                    self.alive = Some(run);
                    if run.run % 6 != 0 {
                        self.duties.push(HostSays::Hello { protocols: vec![1] });
                        self.duties.push(all_present());
                    }
                }
                Effect::KillHost { run } => {
                    assert_eq!(self.alive, Some(run), "only what lives is killed");
                    self.alive = None;
                    self.killed.insert(run, self.bench.now);
                    self.works.clear();
                }
                Effect::SendToHost { run, command } => self.learn_command(run, command),
                Effect::AppendAudit { ticket, entry } => self.learn_record(ticket, *entry),
                Effect::Welcome { link, session, .. } => {
                    let open = self.sessions.iter_mut().find(|(open, ..)| *open == link);
                    open.unwrap().1 = session;
                }
                Effect::Publish { link, seq, .. } => {
                    assert!(self.sessions.iter().any(|(open, ..)| *open == link));
                    assert!(seq >= self.seq, "numbers rise");
                    self.seq = seq;
                }
                Effect::TellScreen { link, tell } => self.learn_screen(link, tell),
                Effect::CloseScreen { link } => {
                    self.screens.remove(&link);
                }
                // No host of this world gives items.
                Effect::Pass { .. } => panic!("nothing to pass on"),
                Effect::Reply { .. }
                | Effect::RefuseSession { .. }
                | Effect::StorePairings { .. }
                | Effect::Report(_)
                | Effect::Drained => {}
            }
        }
    }

    fn learn_record(&mut self, ticket: AuditTicket, AuditEntry { job, stage }: AuditEntry) {
        let over = self.recorded.contains_key(&job)
            || self.tickets.iter().any(|(_, ending)| *ending == job);
        match stage {
            AuditStage::Started(_) => {
                assert!(!over, "a start comes before the end");
                assert!(
                    !self.job_of.values().any(|known| *known == job),
                    "one start"
                );
                self.starting = Some(job.clone());
                self.starts.push((ticket, job));
            }
            AuditStage::Ended(..) => {
                assert!(!over, "one end for each job");
                self.tickets.push((ticket, job));
            }
            AuditStage::Withheld => {
                assert_eq!(
                    self.recorded.get(&job),
                    Some(&true),
                    "a record that came late"
                );
                assert!(!self.taken.contains(&job), "nothing was handed out");
                assert!(self.ended.get(&job) != Some(&JobState::Succeeded));
            }
        }
    }

    fn learn_command(&mut self, run: HostRun, command: HostCommand<Reading>) {
        assert_eq!(self.alive, Some(run), "nothing is said to the dead");
        match command {
            HostCommand::Start {
                work, device, task, ..
            } => {
                let busy = self.works.iter().any(|other| other.device == device);
                assert!(!busy, "one job at a time on {device}");
                let recorded = self.starting.take().expect("the record comes first");
                self.job_of.insert(work, recorded);
                let may_ask = task != Task::IdentifyCard;
                let secret = if task == read(Credential::PinOnDevice) {
                    SecretKind::PinOnDevice
                } else {
                    SecretKind::Pin
                };
                self.works.push(Work {
                    run,
                    work,
                    device,
                    asked: 0,
                    may_ask,
                    secret,
                });
            }
            HostCommand::Answer { work, ask, answer } => {
                for known in self.works.iter_mut().filter(|known| known.work == work) {
                    known.may_ask = true;
                }
                let tries = self.asks.get(&(work, ask));
                assert!(
                    self.works.iter().any(|known| known.work == work),
                    "the job is there"
                );
                let spends = match answer {
                    HostAnswer::Secret {
                        value,
                        last_try_allowed,
                    } => {
                        assert_eq!(value.len(), 4);
                        Some(last_try_allowed)
                    }
                    HostAnswer::EnterOnDevice { last_try_allowed } => Some(last_try_allowed),
                    HostAnswer::Declined | HostAnswer::TimedOut => None,
                };
                if let Some(last_try_allowed) = spends {
                    let job = &self.job_of[&work];
                    assert!(self.begun.contains(job), "no secret before the record");
                    assert!(self.secrets.insert((work, ask)), "a secret goes once");
                    if *tries.unwrap() == 1 {
                        assert!(last_try_allowed, "the last try was not allowed");
                        self.last_tries_spent += 1;
                        assert!(self.last_tries_spent <= self.last_tries_allowed);
                    }
                }
            }
            HostCommand::Ping { n } if n % 4 != 0 => self.duties.push(HostSays::Pong { n }),
            HostCommand::Received { .. } | HostCommand::Act { .. } => panic!("no items"),
            HostCommand::Welcome { .. } | HostCommand::Cancel { .. } | HostCommand::Ping { .. } => {
            }
        }
    }

    fn learn_screen(&mut self, link: ScreenLink, tell: ScreenTell) {
        let shown = match tell {
            ScreenTell::Pairing { code } => Shown::Code(code),
            ScreenTell::Paired { .. } | ScreenTell::Idle { .. } => Shown::Nothing,
            ScreenTell::Ask { job, ask, .. } => {
                let twice = self.screens.iter().any(|(other, shown)| {
                    *other != link && matches!(shown, Shown::Ask(j, a) if *j == job && *a == ask)
                });
                assert!(!twice, "a question is shown once");
                Shown::Ask(job, ask)
            }
        };
        assert!(
            self.screens.insert(link, shown).is_some(),
            "screens that are gone hear nothing"
        );
    }
}
