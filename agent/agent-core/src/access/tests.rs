//! Claims one by one, grants against scopes, and nonces.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use device_api::{FaultCode, Moment};

use super::{
    Access, Caller, Claims, NONCE_LIFE, Need, Nonces, Owner, Presented, Proof, Scope, TokenRules,
    check_claims,
};
use crate::ids::Origin;

const PAGE: &str = "https://madoguchi.city.example.jp";
const NOW: u64 = 1_795_257_734;

fn claims() -> Claims {
    Claims {
        issuer: "counter-app".into(),
        audience: "agent-1".into(),
        staff: "s-1".into(),
        origin: Origin::new(PAGE),
        counter: "3".into(),
        scopes: vec![Scope::SeeCardReaders, Scope::IdentifyCard],
        issued_at: NOW - 60,
        expires_at: NOW + 600,
        nonce: None,
    }
}

fn check(claims: &Claims) -> Result<Caller, FaultCode> {
    let presented = Presented {
        origin: Origin::new(PAGE),
        unix_seconds: NOW,
        now: at(50),
    };
    let origins = BTreeSet::from([Origin::new(PAGE)]);
    let issuers = BTreeMap::from([
        ("counter-app".to_owned(), origins),
        (
            "other-app".to_owned(),
            BTreeSet::from([Origin::new("https://other.example.jp")]),
        ),
    ]);
    check_claims(
        claims,
        &presented,
        &TokenRules {
            agent: "agent-1".into(),
            issuers,
        },
    )
}

fn at(seconds: u64) -> Moment {
    Moment::after_origin(Duration::from_secs(seconds))
}

fn owner(staff: &str) -> Owner {
    Owner {
        origin: Origin::new(PAGE),
        counter: "3".into(),
        staff: staff.into(),
    }
}

#[test]
fn good_claims_become_a_caller_that_lasts_until_they_expire() {
    let caller = check(&claims()).unwrap();
    assert_eq!(caller.owner, owner("s-1"));
    assert_eq!(
        caller.scopes,
        BTreeSet::from([Scope::SeeCardReaders, Scope::IdentifyCard])
    );
    assert_eq!(
        (caller.proof, caller.until),
        (Proof::Token, Some(at(50 + 600 + 60)))
    );
    let privileged = Claims {
        nonce: Some("n".into()),
        ..claims()
    };
    assert_eq!(check(&privileged).unwrap().proof, Proof::Nonce("n".into()));
}

#[test]
fn every_claim_that_does_not_fit_refuses_the_token_without_saying_why() {
    let origin = |text: String| Claims {
        origin: Origin::new(text),
        ..claims()
    };
    let wrong = [
        Claims {
            issuer: "nobody".into(),
            ..claims()
        },
        Claims {
            issuer: "other-app".into(),
            ..claims()
        },
        Claims {
            issuer: "Counter-app".into(),
            ..claims()
        },
        Claims {
            audience: "agent-2".into(),
            ..claims()
        },
        Claims {
            audience: String::new(),
            ..claims()
        },
        origin(format!("{PAGE}.evil.example")),
        origin(format!("{PAGE}:443")),
        origin(format!("{PAGE}/")),
        origin(PAGE.to_uppercase()),
        origin("null".into()),
        origin(String::new()),
        Claims {
            staff: String::new(),
            ..claims()
        },
        Claims {
            staff: "x".repeat(65),
            ..claims()
        },
        Claims {
            staff: "s-1\nforged line".into(),
            ..claims()
        },
        Claims {
            counter: String::new(),
            ..claims()
        },
        Claims {
            counter: "3\u{7}".into(),
            ..claims()
        },
        Claims {
            issued_at: NOW,
            expires_at: NOW + 901,
            ..claims()
        },
        Claims {
            issued_at: NOW,
            expires_at: NOW,
            ..claims()
        },
        Claims {
            issued_at: NOW + 10,
            expires_at: NOW,
            ..claims()
        },
        Claims {
            issued_at: NOW + 61,
            expires_at: NOW + 300,
            ..claims()
        },
        Claims {
            issued_at: 0,
            expires_at: u64::MAX,
            ..claims()
        },
    ];
    for claims in wrong {
        assert_eq!(check(&claims), Err(FaultCode::DoorToken), "{claims:?}");
    }
}

#[test]
fn time_is_checked_with_a_minute_of_tolerance() {
    for (issued_at, expires_at, outcome) in [
        (NOW, NOW + 900, None),
        (NOW + 60, NOW + 960, None),
        (NOW - 900, NOW, None),
        (NOW - 900, NOW - 59, None),
        (NOW - 900, NOW - 60, Some(FaultCode::DoorTokenExpired)),
        (NOW - 10_000, NOW - 9_500, Some(FaultCode::DoorTokenExpired)),
    ] {
        let outcome_now = check(&Claims {
            issued_at,
            expires_at,
            ..claims()
        })
        .err();
        assert_eq!(outcome_now, outcome, "{issued_at} to {expires_at}");
    }
}

#[test]
fn grant_and_scope_must_both_cover_a_call() {
    let grant = BTreeSet::from([Scope::SeeCardReaders, Scope::LastTry]);
    let mut access = Access::new(BTreeMap::from([(Origin::new(PAGE), grant)]));
    for scope in Scope::ALL {
        let caller = |scopes: &[Scope], origin: &str| Caller {
            owner: Owner {
                origin: Origin::new(origin),
                ..owner("s-1")
            },
            scopes: scopes.iter().copied().collect(),
            proof: Proof::Peer,
            until: None,
        };
        let granted = [Scope::SeeCardReaders, Scope::LastTry].contains(scope);
        assert_eq!(access.permits(&caller(&[*scope], PAGE), *scope), granted);
        assert!(!access.permits(&caller(&[], PAGE), *scope));
        assert!(!access.permits(&caller(&[*scope], "https://evil.example"), *scope));
    }
    let need = Need {
        scopes: vec![],
        privileged: true,
    };
    let mut caller = check(&claims()).unwrap();
    assert_eq!(
        access.confirm(&caller, &need, at(0)),
        Err(FaultCode::DoorNonce)
    );
    access
        .nonces
        .keep("n".into(), &caller.owner, at(0))
        .unwrap();
    caller.proof = Proof::Nonce("n".into());
    assert_eq!(access.confirm(&caller, &need, at(1)), Ok(()));
    assert_eq!(
        access.confirm(&caller, &need, at(1)),
        Err(FaultCode::DoorNonce)
    );
}

#[test]
fn scopes_are_named_as_in_tokens() {
    for scope in Scope::ALL {
        assert_eq!(Scope::from_name(scope.as_str()), Some(*scope));
    }
    assert_eq!(Scope::from_name("cardReader"), None);
}

#[test]
fn a_nonce_is_spent_once_by_its_owner_within_its_life() {
    let mut nonces = Nonces::default();
    for nonce in ["a", "b"] {
        nonces.keep(nonce.into(), &owner("s-1"), at(0)).unwrap();
    }
    assert_eq!(
        nonces.spend("a", &owner("s-2"), at(1)),
        Err(FaultCode::DoorNonce)
    );
    assert_eq!(
        nonces.spend("c", &owner("s-1"), at(1)),
        Err(FaultCode::DoorNonce)
    );
    assert_eq!(nonces.spend("a", &owner("s-1"), at(1)), Ok(()));
    assert_eq!(
        nonces.spend("a", &owner("s-1"), at(1)),
        Err(FaultCode::DoorNonce)
    );
    let late = Moment::after_origin(NONCE_LIFE);
    assert_eq!(
        nonces.spend("b", &owner("s-1"), late),
        Err(FaultCode::DoorNonce)
    );
}

#[test]
fn nonces_are_bounded_for_each_owner_and_in_all() {
    let mut nonces = Nonces::default();
    for number in 0..20 {
        nonces
            .keep(format!("n{number}"), &owner("s-1"), at(0))
            .unwrap();
    }
    assert_eq!(nonces.len(), 8);
    assert_eq!(
        nonces.spend("n11", &owner("s-1"), at(1)),
        Err(FaultCode::DoorNonce)
    );
    assert_eq!(nonces.spend("n12", &owner("s-1"), at(1)), Ok(()));
    let kept = (0..2000).filter(|number| {
        nonces
            .keep(format!("m{number}"), &owner(&format!("t-{number}")), at(0))
            .is_ok()
    });
    assert!(kept.count() < 512);
    assert!(nonces.len() <= 512);
    assert_eq!(
        nonces.keep("late".into(), &owner("x"), Moment::after_origin(NONCE_LIFE)),
        Ok(())
    );
}
