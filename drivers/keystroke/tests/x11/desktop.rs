//! An X server of the test's own, and programs on it.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    os::fd::AsFd as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, mpsc},
    time::Duration,
};

use device_api::{Clock as _, Deadline, Patience, SystemClock};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, pidfd_open},
};
use tempfile::TempDir;
use x11rb::{
    connection::Connection as _,
    protocol::{
        xproto::{
            AtomEnum, ChangeWindowAttributesAux, ConfigureWindowAux, ConnectionExt as _, EventMask,
            ImageFormat, InputFocus, PropMode, StackMode,
        },
        xtest::ConnectionExt as _,
    },
    rust_connection::RustConnection,
    wrapper::ConnectionExt as _,
};

const FONT: &str = "/usr/share/fonts/truetype/bizud-gothic/BIZUDGothic-Regular.ttf";
const BANNER: &str = "窓口エージェント";

pub(crate) fn font() -> Vec<u8> {
    fs::read(FONT).unwrap()
}

pub(crate) fn patience(seconds: u64) -> Patience {
    let clock = Arc::new(SystemClock::new());
    let deadline = Deadline::at(clock.now().plus(Duration::from_secs(seconds)));
    Patience::new(clock, deadline)
}

/// Lets time pass on a real desktop: what is waited for is a moment somewhere in the middle.
pub(crate) fn pass(span: Duration) {
    let (_keep, never) = mpsc::channel::<()>();
    let _over = never.recv_timeout(span);
}

/// An X server that ends with the value.
pub(crate) struct Desktop {
    pub(crate) name: String,
    server: Child,
    connection: RustConnection,
    root: u32,
}

impl Drop for Desktop {
    fn drop(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }
}

impl Desktop {
    /// On a display that the server finds free.
    pub(crate) fn start() -> Self {
        let mut server = Command::new("Xvfb")
            .args([
                "-displayfd",
                "1",
                "-screen",
                "0",
                "1024x768x24",
                "-nolisten",
                "tcp",
                "-noreset",
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb is installed");
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let name = format!(":{}", line.trim());
        let (connection, screen) = RustConnection::connect(Some(&name)).unwrap();
        let root = connection.setup().roots[screen].root;
        let aux = ChangeWindowAttributesAux::new().event_mask(EventMask::SUBSTRUCTURE_NOTIFY);
        connection
            .change_window_attributes(root, &aux)
            .unwrap()
            .check()
            .unwrap();
        Self {
            name,
            server,
            connection,
            root,
        }
    }

    /// A terminal that takes one line. No window manager is there, so tests move the focus.
    pub(crate) fn terminal(&self, title: &str, class: &str) -> Terminal<'_> {
        let folder = tempfile::tempdir().unwrap();
        let script = "stty -echo; IFS= read -r line; printf %s \"$line\" > line";
        let child = Command::new("xterm")
            .args([
                "-u8", "-T", title, "-class", class, "-e", "sh", "-c", script,
            ])
            .env("DISPLAY", &self.name)
            .env("LC_ALL", "C.UTF-8")
            .env_remove("XMODIFIERS")
            .current_dir(folder.path())
            .stderr(Stdio::null())
            .spawn()
            .expect("xterm is installed");
        let window =
            self.until(|desktop| desktop.find(|found| found.1 == title && found.2 == class));
        Terminal {
            desktop: self,
            child,
            folder,
            window,
        }
    }

    /// A browser with a page of two fields.
    pub(crate) fn browser(&self, title: &str) -> Browser<'_> {
        let (address, values) = serve(title);
        let profile = tempfile::tempdir().unwrap();
        let child = Command::new("chromium")
            .args([
                "--no-sandbox",
                "--no-first-run",
                "--disable-gpu",
                "--password-store=basic",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(format!("--app={address}"))
            .env("DISPLAY", &self.name)
            .env_remove("XMODIFIERS")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromium is installed");
        let window = self.until(|desktop| desktop.find(|found| found.1.starts_with(title)));
        Browser {
            desktop: self,
            child,
            _profile: profile,
            values,
            window,
        }
    }

    pub(crate) fn focus_nothing(&self) {
        self.focus(0);
    }

    /// Presses a key as another program would.
    pub(crate) fn press(&self, key: &str) {
        let symbol = match key {
            "Escape" => 0xFF1B,
            "Return" => 0xFF0D,
            "a" => 0x61,
            "Caps_Lock" => 0xFFE5,
            _ => panic!("{key}"),
        };
        let keyboard = self.keyboard();
        let (code, _) = keyboard
            .iter()
            .find(|(_, symbols)| symbols.first() == Some(&symbol))
            .unwrap();
        for kind in [2, 3] {
            self.connection
                .xtest_fake_input(kind, *code, 0, self.root, 0, 0, 0)
                .unwrap()
                .check()
                .unwrap();
        }
    }

    /// What each key means.
    pub(crate) fn keyboard(&self) -> BTreeMap<u8, Vec<u32>> {
        let setup = self.connection.setup();
        let (first, last) = (setup.min_keycode, setup.max_keycode);
        let table = self
            .connection
            .get_keyboard_mapping(first, last - first + 1)
            .unwrap()
            .reply()
            .unwrap();
        let symbols = table.keysyms.chunks(usize::from(table.keysyms_per_keycode));
        let symbols = symbols.map(|symbols| {
            let used = symbols
                .iter()
                .rposition(|symbol| *symbol != 0)
                .map_or(0, |last| last + 1);
            symbols[..used].to_vec()
        });
        (first..=last)
            .zip(symbols)
            .filter(|(_, symbols)| !symbols.is_empty())
            .collect()
    }

    /// As if a process had been killed while it typed.
    pub(crate) fn leave_keys_behind(&self, one: char) {
        let used = self.keyboard();
        let code = (9..=255).find(|code| !used.contains_key(code)).unwrap();
        let symbol = 0x0100_0000 | u32::from(one);
        let property = self
            .connection
            .intern_atom(false, b"_MADOGUCHI_KEYS")
            .unwrap()
            .reply()
            .unwrap()
            .atom;
        let kind = u32::from(AtomEnum::CARDINAL);
        let listed =
            self.connection
                .change_property8(PropMode::REPLACE, self.root, property, kind, &[code]);
        listed.unwrap().check().unwrap();
        self.connection
            .change_keyboard_mapping(1, code, 2, &[symbol, symbol])
            .unwrap()
            .check()
            .unwrap();
    }

    /// Clicks as another program would.
    pub(crate) fn click(&self, x: i16, y: i16) {
        for (kind, detail) in [(6, 0), (4, 1), (5, 1)] {
            self.connection
                .xtest_fake_input(kind, detail, 0, self.root, x, y, 0)
                .unwrap()
                .check()
                .unwrap();
        }
    }

    /// Enters itself as input methods do.
    pub(crate) fn pretend_input_method(&self) {
        let atom = |name: &[u8]| {
            self.connection
                .intern_atom(false, name)
                .unwrap()
                .reply()
                .unwrap()
                .atom
        };
        let (property, server) = (atom(b"XIM_SERVERS"), atom(b"@server=test"));
        let owner = self.find(|found| found.2 == "LegacyForm").unwrap();
        self.connection
            .set_selection_owner(owner, server, 0_u32)
            .unwrap()
            .check()
            .unwrap();
        let kind = u32::from(AtomEnum::ATOM);
        let listed = self.connection.change_property32(
            PropMode::REPLACE,
            self.root,
            property,
            kind,
            &[server],
        );
        listed.unwrap().check().unwrap();
    }

    pub(crate) fn until_banner(&self) {
        self.until(|desktop| desktop.find(|found| found.1.starts_with(BANNER)));
    }

    pub(crate) fn picture(&self) -> Picture {
        let (width, height) = (1024, 768);
        let image =
            self.connection
                .get_image(ImageFormat::Z_PIXMAP, self.root, 0, 0, width, height, !0);
        Picture {
            width,
            pixels: image.unwrap().reply().unwrap().data,
        }
    }

    fn focus(&self, window: u32) {
        self.connection
            .set_input_focus(InputFocus::PARENT, window, 0_u32)
            .unwrap()
            .check()
            .unwrap();
    }

    fn configure(&self, window: u32, aux: &ConfigureWindowAux) {
        self.connection
            .configure_window(window, aux)
            .unwrap()
            .check()
            .unwrap();
    }

    /// Looks now, and again after each event.
    fn until<T>(&self, mut look: impl FnMut(&Self) -> Option<T>) -> T {
        let deadline = Timespec::try_from(Duration::from_secs(20)).unwrap();
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            if self.connection.poll_for_event().unwrap().is_none() {
                let mut waited = [PollFd::from_borrowed_fd(
                    self.connection.stream().as_fd(),
                    PollFlags::IN,
                )];
                assert_ne!(
                    poll(&mut waited, Some(&deadline)).unwrap(),
                    0,
                    "nothing happens any more"
                );
            }
        }
    }

    /// A visible window by its title and class.
    fn find(&self, fits: impl Fn(&(u32, String, String)) -> bool) -> Option<u32> {
        let tree = self
            .connection
            .query_tree(self.root)
            .unwrap()
            .reply()
            .unwrap();
        tree.children.into_iter().find(|window| {
            let mask = EventMask::PROPERTY_CHANGE;
            let aux = ChangeWindowAttributesAux::new().event_mask(mask);
            let _gone = self
                .connection
                .change_window_attributes(*window, &aux)
                .unwrap()
                .check();
            let attributes = self
                .connection
                .get_window_attributes(*window)
                .unwrap()
                .reply();
            let visible = attributes.is_ok_and(|found| u8::from(found.map_state) == 2);
            let net = self
                .connection
                .intern_atom(false, b"_NET_WM_NAME")
                .unwrap()
                .reply()
                .unwrap()
                .atom;
            let title = String::from_utf8(self.text(*window, net)).unwrap();
            let old = String::from_utf8_lossy(&self.text(*window, u32::from(AtomEnum::WM_NAME)))
                .into_owned();
            let title = if title.is_empty() { old } else { title };
            let class =
                String::from_utf8(self.text(*window, u32::from(AtomEnum::WM_CLASS))).unwrap();
            let class = class.split('\0').nth(1).unwrap_or_default().to_owned();
            visible && fits(&(*window, title, class))
        })
    }

    fn text(&self, window: u32, property: u32) -> Vec<u8> {
        let asked = self
            .connection
            .get_property(false, window, property, 0_u32, 0, 1024)
            .unwrap();
        asked.reply().map(|reply| reply.value).unwrap_or_default()
    }
}

pub(crate) struct Terminal<'a> {
    desktop: &'a Desktop,
    child: Child,
    folder: TempDir,
    window: u32,
}

impl Terminal<'_> {
    pub(crate) fn focus(&self) {
        self.desktop.focus(self.window);
    }

    pub(crate) fn move_to_top(&self) {
        self.desktop
            .configure(self.window, &ConfigureWindowAux::new().x(100).y(0));
    }

    pub(crate) fn raise(&self) {
        self.desktop.configure(
            self.window,
            &ConfigureWindowAux::new().stack_mode(StackMode::ABOVE),
        );
    }

    /// The line that was typed; the terminal ends with it.
    pub(crate) fn line(mut self) -> String {
        let pid = pidfd_open(Pid::from_child(&self.child), PidfdFlags::empty()).unwrap();
        let deadline = Timespec::try_from(Duration::from_secs(60)).unwrap();
        let ended = poll(&mut [PollFd::new(&pid, PollFlags::IN)], Some(&deadline)).unwrap();
        if ended == 0 {
            save(&self.desktop.picture(), "waiting.png");
            panic!("no line came to an end; waiting.png shows the screen");
        }
        self.child.wait().unwrap();
        fs::read_to_string(self.folder.path().join("line")).unwrap()
    }
}

pub(crate) struct Browser<'a> {
    desktop: &'a Desktop,
    child: Child,
    _profile: TempDir,
    values: mpsc::Receiver<String>,
    window: u32,
}

impl Browser<'_> {
    pub(crate) fn focus(&self) {
        self.desktop.focus(self.window);
        // The page says when its first field has the focus.
        assert_eq!(
            self.values.recv_timeout(Duration::from_secs(20)).unwrap(),
            "ready"
        );
    }

    /// Both fields, once the second was left.
    pub(crate) fn values(&self) -> [String; 2] {
        loop {
            let text = self.values.recv_timeout(Duration::from_secs(20)).unwrap();
            let (first, second) = text.split_once('\n').unwrap();
            if !second.is_empty() {
                return [first.to_owned(), second.to_owned()];
            }
        }
    }
}

impl Drop for Browser<'_> {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Serves the page, and hands on what it posts.
fn serve(title: &str) -> (String, mpsc::Receiver<String>) {
    let page = format!(
        "<!doctype html><meta charset=utf-8><title>{title}</title><body style='margin-top:80px'>\
         <input id=a autofocus><input id=b><button>-</button><script>\
         const post = text => fetch('/', {{ method: 'POST', body: text }});\
         const [a, b] = document.querySelectorAll('input');\
         for (const one of [a, b]) one.onchange = () => post(a.value + '\\n' + b.value);\
         const ready = () => document.hasFocus() && document.activeElement === a \
             ? post('ready') : requestAnimationFrame(() => {{ a.focus(); ready(); }});\
         ready();</script>"
    );
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            if answer(stream.unwrap(), &page, &sender).is_none() {
                return;
            }
        }
    });
    (address, receiver)
}

/// `None` when the test has ended.
fn answer(mut stream: TcpStream, page: &str, sender: &mpsc::Sender<String>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut line, mut length, mut post) = (String::new(), 0, false);
    while reader.read_line(&mut line).is_ok_and(|count| count > 2) {
        post |= line.starts_with("POST ");
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        line.clear();
    }
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).is_ok() && post {
        sender.send(String::from_utf8(body).unwrap()).ok()?;
    }
    let content = if post { "" } else { page };
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n";
    let _gone = write!(
        stream,
        "{head}Content-Length: {}\r\n\r\n{content}",
        content.len()
    );
    Some(())
}

/// The whole screen.
pub(crate) struct Picture {
    width: u16,
    pixels: Vec<u8>,
}

impl Picture {
    /// How many pixels of the top rows have this colour.
    pub(crate) fn count(&self, rows: usize, [red, green, blue]: [u8; 3]) -> usize {
        let top = &self.pixels[..rows * usize::from(self.width) * 4];
        top.chunks(4)
            .filter(|pixel| pixel[..3] == [blue, green, red])
            .count()
    }
}

/// Keeps a picture beside the test program, for people.
pub(crate) fn save(picture: &Picture, name: &str) {
    let path: PathBuf = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let file = fs::File::create(path).unwrap();
    let mut encoder = png::Encoder::new(file, u32::from(picture.width), 768);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let rgb: Vec<u8> = picture
        .pixels
        .chunks(4)
        .flat_map(|pixel| [pixel[2], pixel[1], pixel[0]])
        .collect();
    encoder
        .write_header()
        .unwrap()
        .write_image_data(&rgb)
        .unwrap();
}
