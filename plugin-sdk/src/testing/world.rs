//! What answers in the host's place, on the thread that entered it.

use std::cell::RefCell;
use std::rc::Rc;

use crate::bindings::bimetal::provider::{certificates as certificates_wit, http as http_wit, ssh as ssh_wit};
use crate::capability::{Code, Fault};

type Answer<T> = Result<T, Fault>;

/// A stand-in for the host. What it isn't given a stand-in for answers that it is denied.
#[derive(Clone)]
pub struct World(Rc<State>);

struct State {
    docker: Rc<dyn Docker>,
    ssh: Rc<dyn Ssh>,
    http: Rc<dyn Http>,
    certificates: Rc<dyn Certificates>,
    now_ms: RefCell<u64>,
    told: RefCell<Vec<String>>,
}

struct Nothing;
impl Docker for Nothing {}
impl Ssh for Nothing {}
impl Http for Nothing {}
impl Certificates for Nothing {}

thread_local! {
    static ENTERED: RefCell<Vec<World>> = const { RefCell::new(Vec::new()) };
}

impl Default for World {
    fn default() -> Self {
        let (docker, ssh, http, certificates) =
            (Rc::new(Nothing), Rc::new(Nothing), Rc::new(Nothing), Rc::new(Nothing));
        World(Rc::new(State { docker, ssh, http, certificates, now_ms: RefCell::new(0), told: RefCell::default() }))
    }
}

impl World {
    /// One with container engines.
    pub fn with_docker(docker: impl Docker + 'static) -> Self {
        World::default().change(|state| state.docker = Rc::new(docker))
    }

    /// One with machines that answer to SSH.
    pub fn with_ssh(ssh: impl Ssh + 'static) -> Self {
        World::default().change(|state| state.ssh = Rc::new(ssh))
    }

    /// One with servers.
    pub fn with_http(http: impl Http + 'static) -> Self {
        World::default().change(|state| state.http = Rc::new(http))
    }

    /// And with an authority for certificates.
    #[must_use]
    pub fn and_certificates(self, certificates: impl Certificates + 'static) -> Self {
        self.change(|state| state.certificates = Rc::new(certificates))
    }

    /// And with machines that answer to SSH.
    #[must_use]
    pub fn and_ssh(self, ssh: impl Ssh + 'static) -> Self {
        self.change(|state| state.ssh = Rc::new(ssh))
    }

    /// Does something in this world; worlds nest.
    pub fn enter<T>(&self, act: impl FnOnce() -> T) -> T {
        /// Leaves even where `act` panics.
        struct Leave;
        impl Drop for Leave {
            fn drop(&mut self) {
                ENTERED.with(|entered| entered.borrow_mut().pop());
            }
        }
        ENTERED.with(|entered| entered.borrow_mut().push(self.clone()));
        let _leave = Leave;
        act()
    }

    /// It is so late, in milliseconds since 1970.
    pub fn set_now_ms(&self, now_ms: u64) {
        *self.0.now_ms.borrow_mut() = now_ms;
    }

    /// What was said of progress and to the log, in order.
    pub fn told(&self) -> Vec<String> {
        self.0.told.borrow().clone()
    }

    fn change(self, change: impl FnOnce(&mut State)) -> Self {
        let old = &*self.0;
        let mut state = State {
            docker: old.docker.clone(),
            ssh: old.ssh.clone(),
            http: old.http.clone(),
            certificates: old.certificates.clone(),
            now_ms: old.now_ms.clone(),
            told: old.told.clone(),
        };
        change(&mut state);
        World(Rc::new(state))
    }
}

fn here() -> Option<World> {
    ENTERED.with(|entered| entered.borrow().last().cloned())
}

fn denied<T>(what: &str) -> Answer<T> {
    let message = format!("nothing stands in for `{what}` here: enter a `testing::World` that does");
    Err(Fault { code: Code::Denied, message, retryable: false })
}

/// A trait for tests to implement, and the functions of the same names that ask the world which was entered.
macro_rules! stand_in {
    ($(#[$doc:meta])* $trait:ident, $module:ident: $(fn $name:ident($($argument:ident: $ty:ty),*) -> $answer:ty;)*) => {
        $(#[$doc])*
        pub trait $trait {
            $(
                #[doc = concat!("As `", stringify!($name), "` of the contract; denied unless you say otherwise.")]
                fn $name(&self, $($argument: $ty),*) -> Answer<$answer> {
                    let _ = ($($argument,)*);
                    denied(concat!(stringify!($module), ".", stringify!($name)))
                }
            )*
        }

        pub(crate) mod $module {
            use super::*;
            $(
                pub(crate) fn $name($($argument: $ty),*) -> Answer<$answer> {
                    match here() {
                        Some(world) => world.0.$module.$name($($argument),*),
                        None => denied(concat!(stringify!($module), ".", stringify!($name))),
                    }
                }
            )*
        }
    };
}

stand_in! {
    /// Container engines. Engines, filters, bodies and answers are JSON text.
    Docker, docker:
    fn info(engine: &str) -> String;
    fn containers(engine: &str, filters: &str) -> String;
    fn inspect_container(engine: &str, id: &str) -> Option<String>;
    fn inspect_image(engine: &str, reference: &str) -> Option<String>;
    fn inspect_network(engine: &str, id: &str) -> Option<String>;
    fn networks(engine: &str, filters: &str) -> String;
    fn inspect_volume(engine: &str, name: &str) -> Option<String>;
    fn volumes(engine: &str, filters: &str) -> String;
    fn create_container(engine: &str, name: &str, platform: Option<&str>, body: &str) -> String;
    fn start_container(engine: &str, id: &str) -> ();
    fn stop_container(engine: &str, id: &str, seconds: u32) -> ();
    fn rename_container(engine: &str, id: &str, name: &str) -> ();
    fn update_container(engine: &str, id: &str, body: &str) -> ();
    fn remove_container(engine: &str, id: &str, volumes: bool) -> ();
    fn pull_image(engine: &str, reference: &str, platform: Option<&str>) -> String;
    fn load_image(engine: &str, source: &str) -> String;
    fn remove_image(engine: &str, reference: &str) -> ();
    fn create_network(engine: &str, body: &str) -> String;
    fn remove_network(engine: &str, id: &str) -> ();
    fn create_volume(engine: &str, body: &str) -> String;
    fn remove_volume(engine: &str, name: &str) -> ();
}

stand_in! {
    /// Machines that answer to SSH. Endpoints are JSON text.
    Ssh, ssh:
    fn answers(endpoint: &str) -> bool;
    fn host_key(endpoint: &str) -> String;
    fn run(endpoint: &str, command: &str, arguments: &[String], input: Option<&[u8]>) -> ssh_wit::Output;
    fn read_file(endpoint: &str, path: &str) -> Option<Vec<u8>>;
    fn write_file(endpoint: &str, path: &str, mode: u32, content: &[u8]) -> ();
    fn remove_file(endpoint: &str, path: &str) -> ();
}

stand_in! {
    /// Servers.
    Http, http:
    fn send(request: &http_wit::Request) -> http_wit::Response;
}

stand_in! {
    /// An authority for certificates.
    Certificates, certificates:
    fn install_server(authority: &str, endpoint: &str, directory: &str, names: &[String], days: u32) -> certificates_wit::Installed;
}

pub(crate) mod clock {
    pub(crate) fn now_ms() -> u64 {
        super::here().map_or(0, |world| *world.0.now_ms.borrow())
    }

    /// The same bytes every time.
    pub(crate) fn random(length: u32) -> Vec<u8> {
        (0..length).map(|place| (place % 251) as u8).collect()
    }
}

pub(crate) mod report {
    pub(crate) use crate::bindings::bimetal::provider::report::Level;

    pub(crate) fn log(level: Level, message: &str) {
        tell(format!("{level:?}: {message}"));
    }

    pub(crate) fn progress(index: u32, message: &str, _: Option<u64>, _: Option<u64>) {
        tell(format!("{index}: {message}"));
    }

    fn tell(line: String) {
        if let Some(world) = super::here() {
            world.0.told.borrow_mut().push(line);
        }
    }
}
