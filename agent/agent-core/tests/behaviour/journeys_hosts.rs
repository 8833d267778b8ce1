//! Driver hosts: started, watched, given up, started again; and the devices that they serve.

use std::time::Duration;

use agent_core::effect::{
    Answer, CardService, DeviceListView, Effect, Happening, HostCommand, HostLoss, Report,
};
use agent_core::event::{Call, DeviceState, HostSays, ServiceState};
use agent_core::ids::{HostId, HostRun};
use agent_core::task::Task;
use agent_core::{Event, Position};
use device_api::{DeviceId, FaultCode};

use crate::bench::{Bench, READER, Reading, caller, ended, order, published, read, reader, run};

fn devices(bench: &mut Bench) -> DeviceListView {
    match bench.call(&caller("s-1"), Call::Devices) {
        Ok(Answer::Devices(list)) => list,
        other => panic!("{other:?}"),
    }
}

fn starts(out: &[Effect<Reading>]) -> Vec<u64> {
    let start = |effect: &Effect<Reading>| match effect {
        Effect::StartHost { run } => Some(run.run),
        _ => None,
    };
    out.iter().filter_map(start).collect()
}

fn losses(out: &[Effect<Reading>]) -> Vec<(HostLoss, u32, Duration)> {
    let loss = |effect: &Effect<Reading>| match effect {
        Effect::Report(Report::HostLost {
            why,
            in_a_row,
            restart_in,
            ..
        }) => Some((*why, *in_a_row, *restart_in)),
        _ => None,
    };
    out.iter().filter_map(loss).collect()
}

fn kills(out: &[Effect<Reading>]) -> usize {
    out.iter()
        .filter(|effect| matches!(effect, Effect::KillHost { .. }))
        .count()
}

#[test]
fn every_host_is_started_when_the_daemon_is_ready() {
    let mut bench = Bench::with_hosts(3);
    let started: Vec<HostRun> = bench
        .event(Event::Started)
        .iter()
        .filter_map(|effect| match effect {
            Effect::StartHost { run } => Some(*run),
            _ => None,
        })
        .collect();
    assert_eq!(
        started,
        [0, 1, 2].map(|host| HostRun {
            host: HostId(host),
            run: 1
        })
    );
}

#[test]
fn an_idle_agent_with_a_healthy_host_has_no_timer() {
    let bench = Bench::ready();
    assert_eq!(bench.core.next_wakeup(), None);
}

#[test]
fn a_host_that_keeps_dying_is_restarted_ever_more_slowly_and_never_given_up() {
    let mut bench = Bench::new();
    bench.event(Event::Started);
    let mut waits = Vec::new();
    for life in 1..=12 {
        bench.event(Event::HostExited { run: run(life) });
        let lost = losses(&bench.out);
        let (why, in_a_row, restart_in) = lost[0];
        assert_eq!(
            (lost.len(), why, u64::from(in_a_row)),
            (1, HostLoss::Died, life)
        );
        assert_eq!(starts(&bench.pass(restart_in)), [life + 1]);
        waits.push(restart_in.as_millis());
    }
    let expected = [
        100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000, 30_000,
    ];
    assert_eq!(waits, expected);
}

#[test]
fn a_life_in_health_makes_the_next_restart_quick_again() {
    let mut bench = Bench::ready();
    bench.event(Event::HostExited { run: run(1) });
    bench.pass(Duration::from_millis(100));
    bench.hello(run(2));
    bench.event(Event::HostExited { run: run(2) });
    assert_eq!(losses(&bench.out)[0].1, 2);
    bench.pass(Duration::from_millis(200));
    bench.hello(run(3));
    bench.pass(Duration::from_secs(30));
    bench.event(Event::HostExited { run: run(3) });
    assert_eq!(
        losses(&bench.out),
        [(HostLoss::Died, 1, Duration::from_millis(100))]
    );
}

#[test]
fn a_host_that_says_nothing_or_speaks_another_version_is_killed() {
    let mut bench = Bench::new();
    bench.event(Event::Started);
    let out = bench.pass(Duration::from_secs(5));
    assert_eq!((kills(&out), losses(&out)[0].0), (1, HostLoss::Silent));
    bench.event(Event::HostExited { run: run(1) });
    assert!(losses(&bench.out).is_empty(), "each end is reported once");
    bench.pass(Duration::from_millis(100));
    bench.host(
        run(2),
        HostSays::Hello {
            protocols: vec![2, 3],
        },
    );
    assert_eq!(
        (kills(&bench.out), losses(&bench.out)[0].0),
        (1, HostLoss::WrongVersion)
    );
}

#[test]
fn a_process_that_cannot_be_reaped_does_not_keep_its_successor_from_starting() {
    let mut bench = Bench::new();
    bench.event(Event::Started);
    bench.pass(Duration::from_secs(5));
    assert_eq!(starts(&bench.pass(Duration::from_secs(6))), [2]);
    bench.hello(run(2));
    bench.event(Event::HostExited { run: run(1) });
    assert!(
        losses(&bench.out).is_empty(),
        "a late end of an old life changes nothing"
    );
}

#[test]
fn a_host_that_writes_nonsense_is_killed_before_it_fills_the_log() {
    let mut bench = Bench::ready();
    let mut reports = 0;
    for _line in 0..100 {
        bench.host(run(1), HostSays::Accepted { work: 99 });
        reports += bench.out.len();
    }
    assert!(reports < 30, "{reports}");
    let mut bench = Bench::ready();
    let killed: usize = (0..100)
        .map(|_| kills(bench.event(Event::HostGarbled { run: run(1) })))
        .sum();
    assert_eq!(killed, 1);
}

#[test]
fn only_a_host_that_does_not_take_a_job_on_is_pinged_and_killed_when_deaf() {
    let (mut bench, clerk) = (Bench::ready(), caller("s-1"));
    let (job, _) = bench.started(&clerk, Task::IdentifyCard);
    let out = bench.pass(Duration::from_secs(1));
    let ping = out.iter().find_map(|effect| match effect {
        Effect::SendToHost {
            command: HostCommand::Ping { n },
            ..
        } => Some(*n),
        _ => None,
    });
    bench.host(run(1), HostSays::Pong { n: ping.unwrap() });
    assert_eq!(kills(&bench.pass(Duration::from_secs(10))), 0, "it listens");

    bench.call(&clerk, Call::CancelJob(job.id)).unwrap();
    let out = bench.pass(Duration::from_secs(3));
    assert_eq!(losses(&out)[0].0, HostLoss::Overdue);

    let (mut bench, clerk) = (Bench::ready(), caller("s-1"));
    let (job, _) = bench.started(&clerk, Task::IdentifyCard);
    bench.out = bench.pass(Duration::from_secs(3));
    assert_eq!(losses(&bench.out)[0].0, HostLoss::Deaf);
    bench.audit(true);
    assert_eq!(
        bench.view(&clerk, &job.id).fault.unwrap().code,
        FaultCode::HostDied
    );
}

#[test]
fn the_jobs_of_a_dead_host_end_once_with_one_fault_each() {
    let (mut bench, clerk) = (Bench::ready(), caller("s-1"));
    let (job, work) = bench.started(&clerk, Task::IdentifyCard);
    bench.host(run(1), HostSays::Accepted { work });
    bench.event(Event::HostExited { run: run(1) });
    bench.audit(true);
    assert_eq!(
        bench.view(&clerk, &job.id).fault.unwrap().code,
        FaultCode::HostDied
    );
    bench.done(run(1), work, 7);
    assert!(
        bench.out.is_empty(),
        "a dead host's word counts for nothing"
    );
}

#[test]
fn a_host_that_dies_with_a_pin_in_its_hands_leaves_the_outcome_unknown() {
    let (mut bench, clerk) = (Bench::ready(), caller("s-1"));
    bench.pair(1, &clerk);
    let task = read(agent_core::task::Credential::PinOnScreen { shuffled: false });
    let (job, work) = bench.started(&clerk, task);
    bench.ask(run(1), work, 1, 3);
    bench.type_pin(1, &job.id, 1, "1234");
    bench.event(Event::HostExited { run: run(1) });
    bench.audit(true);
    assert_eq!(
        bench.view(&clerk, &job.id).fault.unwrap().code,
        FaultCode::PinUnknown
    );
}

#[test]
fn a_device_that_cannot_be_used_stays_listed_with_the_reason() {
    let mut bench = Bench::ready();
    for (state, trouble) in [
        (DeviceState::Empty, None),
        (DeviceState::CardPresent, None),
        (DeviceState::CardMute, None),
        (DeviceState::InUse, Some(FaultCode::ReaderBusy)),
        (DeviceState::Unresponsive, Some(FaultCode::ReaderHung)),
    ] {
        bench.readers(run(1), state);
        let shown = devices(&mut bench).devices.swap_remove(0);
        assert_eq!((shown.state, shown.trouble), (state, trouble));
    }
    bench.host(
        run(1),
        HostSays::Devices {
            service: ServiceState::Up,
            devices: vec![],
        },
    );
    let shown = devices(&mut bench).devices.swap_remove(0);
    assert_eq!(
        (shown.state, shown.trouble),
        (DeviceState::Absent, Some(FaultCode::ReaderGone))
    );
    for (service, trouble) in [
        (ServiceState::Down, FaultCode::ServiceAbsent),
        (ServiceState::Denied, FaultCode::ReaderDenied),
    ] {
        let devices = vec![];
        bench.host(run(1), HostSays::Devices { service, devices });
        let list = self::devices(&mut bench);
        assert_eq!(list.devices[0].trouble, Some(trouble));
        assert_eq!(list.card_service, CardService::Known(service));
    }
    bench.event(Event::HostExited { run: run(1) });
    let list = devices(&mut bench);
    assert_eq!(
        (list.devices[0].trouble, list.card_service),
        (Some(FaultCode::HostDied), CardService::Starting)
    );
}

#[test]
fn no_job_starts_on_a_device_that_cannot_be_used() {
    let (mut bench, clerk) = (Bench::ready(), caller("s-1"));
    let lease = bench.lease(&clerk, None);
    bench.readers(run(1), DeviceState::Unresponsive);
    let call = Call::StartJob {
        key: "k".into(),
        order: order(&lease, Task::IdentifyCard),
        content: None,
    };
    assert_eq!(
        bench.call(&clerk, call).unwrap_err().code,
        FaultCode::ReaderHung
    );
    assert!(ended(&bench.out).is_none());
}

#[test]
fn a_device_belongs_to_the_host_that_offered_it_first() {
    let mut bench = Bench::with_hosts(2);
    bench.event(Event::Started);
    let other = HostRun {
        host: HostId(1),
        run: 1,
    };
    bench.hello(run(1));
    bench.hello(other);
    bench.readers(run(1), DeviceState::CardPresent);
    let devices = vec![reader(READER, DeviceState::Unresponsive)];
    bench.host(
        other,
        HostSays::Devices {
            service: ServiceState::Up,
            devices,
        },
    );
    let twice = Report::DeviceOfferedTwice {
        host: HostId(1),
        device: DeviceId::new(READER),
    };
    assert!(
        bench
            .out
            .iter()
            .any(|effect| matches!(effect, Effect::Report(r) if *r == twice))
    );
    assert_eq!(
        self::devices(&mut bench).devices[0].state,
        DeviceState::CardPresent
    );
}

#[test]
fn the_list_of_devices_cannot_grow_without_end() {
    let mut bench = Bench::ready();
    for round in 0..50 {
        let fresh = |n| reader(&format!("pcsc:{round}/{n}"), DeviceState::Empty);
        let devices = (0..16).map(fresh).collect();
        bench.host(
            run(1),
            HostSays::Devices {
                service: ServiceState::Up,
                devices,
            },
        );
    }
    let list = devices(&mut bench);
    assert!(list.devices.len() <= 64);
    let present = list
        .devices
        .iter()
        .filter(|device| device.state == DeviceState::Empty)
        .count();
    assert_eq!(present, 16, "what is there is listed");
}

#[test]
fn pages_hear_of_changes_only_and_get_what_they_missed() {
    let (mut bench, clerk) = (Bench::ready(), caller("s-1"));
    bench.session(1, &clerk);
    bench.readers(run(1), DeviceState::Empty);
    assert!(published(&bench.out).is_empty(), "nothing changed");
    bench.readers(run(1), DeviceState::CardPresent);
    let heard = published(&bench.out);
    assert!(matches!(heard[0].2, Happening::Devices(_)));

    let welcome = |bench: &Bench| {
        bench.out.iter().find_map(|effect| match effect {
            Effect::Welcome {
                position, missed, ..
            } => Some((position.clone(), *missed)),
            _ => None,
        })
    };
    bench.session(2, &clerk);
    let (here, _) = welcome(&bench).unwrap();
    assert_eq!(here.seq, heard[0].1);
    bench.readers(run(1), DeviceState::Empty);
    let open = |bench: &mut Bench, link, after: Position| {
        let (link, caller) = (agent_core::ids::SessionLink(link), caller("s-1"));
        bench.event(Event::SessionOpened {
            link,
            caller,
            after: Some(after),
        });
    };
    open(&mut bench, 3, here.clone());
    assert_eq!(welcome(&bench), Some((here.clone(), false)));
    assert_eq!(
        published(&bench.out)
            .iter()
            .map(|(link, seq, _)| (*link, *seq))
            .collect::<Vec<_>>(),
        [(3, here.seq + 1)]
    );
    for lost in [
        Position {
            run: "another run".into(),
            ..here.clone()
        },
        Position {
            seq: here.seq + 2,
            ..here.clone()
        },
        Position {
            seq: u64::MAX,
            ..here.clone()
        },
    ] {
        open(&mut bench, 4, lost);
        assert!(welcome(&bench).unwrap().1);
        bench.event(Event::SessionClosed {
            link: agent_core::ids::SessionLink(4),
        });
    }
    for round in 0..300 {
        let state = if round % 2 == 0 {
            DeviceState::CardPresent
        } else {
            DeviceState::Empty
        };
        bench.readers(run(1), state);
        bench.host(
            run(1),
            HostSays::Devices {
                service: if round % 2 == 0 {
                    ServiceState::Up
                } else {
                    ServiceState::Down
                },
                devices: vec![],
            },
        );
    }
    open(&mut bench, 5, here);
    assert!(welcome(&bench).unwrap().1, "too long ago");
}
