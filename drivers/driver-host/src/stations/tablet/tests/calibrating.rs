//! A pen display is calibrated: crosses are shown on the citizen's page and tapped on the display.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

/// Where the crosses stand, as shares of the picture.
const CROSSES: [(f64, f64); 5] = [(0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9), (0.5, 0.5)];
/// A display whose surface is a little larger than the picture, askew, and moved.
const ASKEW: Mapping = Mapping {
    x: [1.08 / 32_000.0, 0.02 / 20_000.0, -0.05],
    y: [-0.015 / 32_000.0, 1.03 / 20_000.0, -0.01],
};

/// What the pen of that display says of a place on the picture.
fn felt(place: (f64, f64)) -> (i32, i32) {
    let (x, y) = ASKEW.device(place).unwrap();
    #[expect(clippy::cast_possible_truncation, reason = "a few thousand units")]
    let whole = (x.round() as i32, y.round() as i32);
    whole
}

/// A job at a tablet, the person at it, and whether the job is over.
struct Person {
    job: Arc<Job>,
    outside: Outside,
    over: Arc<AtomicBool>,
}

impl Person {
    /// Waits for the next cross, and says that it is on the screen.
    fn see(&mut self) {
        let (page, picture) = self.outside.page();
        assert_eq!((page.page, page.pages, page.area), (1, 1, None));
        assert!(picture.starts_with(b"\x89PNG"));
        self.job.act(Act::Shown { page: 1 });
    }

    /// Taps until something comes of it: what the pen does before the cross is there is not heard.
    fn tap(&mut self, pen: &mut TcpStream, (x, y): (i32, i32)) {
        while !self.over.load(Ordering::SeqCst) {
            for switches in [2, 3, 3, 3, 2] {
                say(pen, b'I', &report(switches, x, y, 0)).unwrap();
            }
            if self.outside.is_told_something() {
                return;
            }
        }
    }
}

/// Has a tablet calibrated while a person does `acts`; gives the display's pen back.
fn calibrate<T: Send + 'static>(
    (post, tools): (&mut Box<dyn Post>, &Tools),
    acts: impl FnOnce(&mut Person) -> T + Send + 'static,
) -> (Result<Product, HostFault>, T) {
    let (job, outside) = start(tools, Task::CalibrateTablet {});
    let over = Arc::new(AtomicBool::new(false));
    let mut person = Person {
        job: Arc::clone(&job),
        outside,
        over: Arc::clone(&over),
    };
    let acting = thread::spawn(move || acts(&mut person));
    let product = post.work(&job);
    over.store(true, Ordering::SeqCst);
    (product, acting.join().unwrap())
}

/// Signs at the middle of the signing area; checks that the ink is drawn there.
fn ink_is_where_the_pen_is(
    (post, tools): (&mut Box<dyn Post>, &Tools),
    pen: impl FnOnce() -> TcpStream + Send,
) {
    let (job, mut outside) = ordered(tools, false, (SHORT, "image/png"));
    let job = &job;
    let citizen = move || {
        let pen = pen();
        let area = outside.page().0.area.unwrap();
        job.act(Act::Shown { page: 1 });
        let (x, y) = (area.x + area.width / 2, area.y + area.height / 2);
        let share = |pixel: u32, of: u32| f64::from(pixel) / f64::from(of);
        write_on(pen, felt((share(x, SIZE.0), share(y, SIZE.1))));
        let mut seen = Vec::new();
        while seen.len() < 40 {
            seen.extend(outside.ink());
        }
        job.act(Act::Confirm {});
        (
            seen,
            [x, y].map(|pixel| i32::try_from(pixel * 100).unwrap()),
        )
    };
    let (seen, [x, y]) = thread::scope(|scope| {
        let citizen = scope.spawn(citizen);
        signed(post.work(job));
        citizen.join().unwrap()
    });
    // The stroke is 41 units wide, of which a pixel has 46.
    let near =
        |sample: &InkSample| (-10..=100).contains(&(sample.1 - x)) && (sample.2 - y).abs() <= 10;
    assert!(seen.iter().all(near), "{x} {y} {seen:?}");
}

#[test]
fn five_taps_tell_how_a_display_is_mounted_and_count_from_then_on() {
    let (address, streams) = display();
    let connection = json!({ "simulated": address });
    let (at, tools) = station(&connection, &json!({}));
    let mut post = (at.post)();
    let (product, (pen, streams)) = calibrate((&mut post, &tools), move |person| {
        let mut pen = streams.recv().unwrap();
        for cross in CROSSES {
            person.see();
            person.tap(&mut pen, felt(cross));
        }
        (pen, Mutex::new(streams))
    });
    let Product::Calibration { calibration } = product.unwrap() else {
        panic!("something else than a calibration")
    };
    let found = Mapping {
        x: calibration.x,
        y: calibration.y,
    };
    for place in [(0.0, 0.0), (32_000.0, 0.0), (9_000.0, 20_000.0)] {
        let ((x, y), (there_x, there_y)) = (found.picture(place), ASKEW.picture(place));
        assert!((x - there_x).hypot(y - there_y) < 0.001, "{found:?}");
    }
    assert!(calibration.worst_error < 0.2, "{calibration:?}");
    assert!(at.sheet.shown().unwrap().capabilities.calibrates);
    ink_is_where_the_pen_is((&mut post, &tools), || pen);

    drop(post);
    let next_pen = || streams.lock().unwrap().recv().unwrap();
    // One who takes the place of a thread that was given up.
    let mut successor = (at.post)();
    ink_is_where_the_pen_is((&mut successor, &tools), next_pen);
    drop(successor);
    // A host that was started anew, and told what the agent kept.
    let kept = json!({"1": {"x": calibration.x, "y": calibration.y}});
    let (anew, tools) = station(&connection, &kept);
    ink_is_where_the_pen_is((&mut (anew.post)(), &tools), next_pen);
}

#[test]
fn a_tap_far_from_its_cross_changes_nothing() {
    let (address, streams) = display();
    let (at, tools) = station(&json!({ "simulated": address }), &json!({}));
    let mut post = (at.post)();
    let (product, _pen) = calibrate((&mut post, &tools), move |person| {
        let mut pen = streams.recv().unwrap();
        for cross in CROSSES {
            person.see();
            let (x, y) = felt(cross);
            let slip = if cross == CROSSES[1] { 3_000 } else { 0 };
            person.tap(&mut pen, (x, y + slip));
        }
        pen
    });
    assert_eq!(product.unwrap_err().code, "SIG-CALIBRATION");
    let seen = at.sheet.shown().unwrap();
    assert_eq!((seen.state, seen.fault), (DeviceState::Ready, None));
}

/// How a calibration ends where this is done when the second cross is on the screen.
fn fault_of(act: impl FnOnce(&Job, TcpStream) + Send + 'static) -> String {
    let (address, streams) = display();
    let (at, tools) = station(&json!({ "simulated": address }), &json!({}));
    let (product, ()) = calibrate((&mut (at.post)(), &tools), move |person| {
        let mut pen = streams.recv().unwrap();
        person.see();
        person.tap(&mut pen, felt(CROSSES[0]));
        person.see();
        act(&person.job, pen);
    });
    product.unwrap_err().code
}

#[test]
fn a_calibration_can_be_cancelled_between_two_crosses() {
    // The pen stays until the job is over, so that it is not what ends the job.
    let (stays, pens) = channel();
    let code = fault_of(move |job, pen| {
        stays.send(pen).unwrap();
        job.cancel();
    });
    assert_eq!(code, "JOB-CANCELLED");
    drop(pens);
}

#[test]
fn a_display_that_is_pulled_between_two_crosses_is_gone() {
    assert_eq!(fault_of(|_job, pen| drop(pen)), "DEV-GONE");
}

#[test]
fn a_page_says_itself_where_its_pen_is_and_takes_no_calibration() {
    let (at, tools) = station(&json!("page"), &json!({}));
    let (job, _outside) = start(&tools, Task::CalibrateTablet {});
    let code = (at.post)().work(&job).unwrap_err().code;
    assert_eq!(code, "DEV-UNSUPPORTED");
}
