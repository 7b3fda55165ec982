//! A provider of machines from outside: `examples/plugins/cumulus`, a cloud that Bimetal knows nothing of.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use bimetal_tests::project::{self, StandIn};
use bimetal_tests::wait::{until, until_true};
use bimetal_tests::{Bimetal, Engine, Lab, http, image};
use serde_json::json;
use xtask::web::Platform;

const PATIENCE: Duration = Duration::from_secs(60);

/// The example's component, built once for all tests as its README says: over a new project.
fn component() -> &'static Path {
    static COMPONENT: OnceLock<PathBuf> = OnceLock::new();
    COMPONENT.get_or_init(|| {
        let bimetal = Bimetal::new("");
        bimetal.ok(&["plugin", "new", "cumulus"]);
        let project = bimetal.folder().join("cumulus");
        copy(&example(), &project);
        let (built, kept) = (project::build(&project, "cumulus"), xtask::target().join("newcomer/cumulus.wasm"));
        std::fs::copy(built, &kept).expect("our own folder");
        kept
    })
}

/// A folder in which the example lies, with its component.
fn cumulus() -> Bimetal {
    let bimetal = Bimetal::new("");
    let project = bimetal.folder().join("cumulus");
    copy(&example(), &project);
    std::fs::copy(component(), project.join("cumulus.wasm")).expect("our own folder");
    bimetal
}

fn example() -> PathBuf {
    xtask::root().join("examples/plugins/cumulus")
}

/// What somebody built in the example's own folder stays there.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("our own folder");
    for entry in std::fs::read_dir(from).expect("the example is there") {
        let entry = entry.expect("the example can be read");
        let (name, file) = (entry.file_name(), entry.path());
        if file.is_dir() && !["sdk", "target"].iter().any(|own| name == *own) {
            copy(&file, &to.join(name));
        } else if file.is_file() {
            std::fs::copy(&file, to.join(name)).expect("our own folder");
        }
    }
}

/// The configuration of the example's `fleet`, over a laboratory's engines: one that is here, and two that the cloud has.
struct Fleet {
    bimetal: Bimetal,
    cloud: StandIn,
    engines: [Engine; 3],
}

impl Fleet {
    fn start(lab: &Lab) -> Fleet {
        let mut bimetal = cumulus();
        let engines = Engine::start_all(lab, ["here", "one", "two"]);
        let [here, one, two] = &engines;
        let project = bimetal.folder().join("cumulus");
        let of_cloud = format!("{},{}", one.host(), two.host());
        let cloud = StandIn::start(&project, &[("CUMULUS_ENGINES", of_cloud.as_str())]);
        let fleet = std::fs::read_to_string(project.join("fleet/main.bm.hcl")).expect("the example has it");
        bimetal.write("main.bm.hcl", &fleet.replace("../target/wasm32-wasip2/release", "./cumulus"));
        image::layout(&bimetal.folder().join("image"), &[Platform::Amd64], "cloud");
        bimetal.set("url", cloud.url()).set("image", "oci:./image");
        bimetal.set("here", format!("unix://{}", here.unix_socket().display()));
        Fleet { bimetal, cloud, engines }
    }

    /// The names of the machines that the cloud has, sorted.
    fn bought(&self) -> Vec<String> {
        let address: SocketAddr = self.cloud.url().trim_start_matches("http://").parse().expect("where it listens");
        // Some requests are one too many.
        let answer = until("the cloud to answer", PATIENCE, || {
            let headers = [("authorization", "Bearer no secret")];
            match http::request(address, "GET", "/v1/machines", &headers, &[]) {
                Ok(answer) if answer.status == 200 => Ok(answer.json()),
                Ok(answer) => Err(answer.text()),
                Err(error) => Err(error.to_string()),
            }
        });
        let machines = answer["machines"].as_array().expect("a list");
        let mut names: Vec<_> = machines.iter().filter_map(|one| one["name"].as_str().map(str::to_owned)).collect();
        names.sort();
        names
    }

    /// How many containers each engine has.
    fn counts(&self) -> [usize; 3] {
        self.engines.each_ref().map(|engine| engine.containers().len())
    }

    /// One replica on each engine, and nothing left to do.
    fn assert_there(&self) {
        assert_eq!(self.bought(), ["cloud-0", "cloud-1"]);
        assert_eq!(self.counts(), [1, 1, 1]);
        let pages = self.engines.each_ref().map(|engine| http::page(engine.page(8080)));
        assert!(pages.iter().all(|page| page.contains("cloud")), "{pages:?}");
        self.bimetal.assert_settled();
    }

    /// Everything is given back.
    fn destroy(&self) {
        self.bimetal.ok(&["destroy", "--auto-approve"]);
        assert_eq!(self.bought(), [""; 0]);
        assert_eq!(self.counts(), [0, 0, 0]);
        assert_eq!(self.bimetal.ok(&["state", "list"]), "");
    }
}

#[test]
fn a_provider_of_machines_keeps_the_contract() {
    let bimetal = cumulus();
    let words = ["--chdir", "cumulus", "plugin", "test", "cumulus.wasm", "--stand-in", "python3 stand_in.py"];
    let said = bimetal.ok(&words);
    assert!(said.contains("Success! 21 passed, 0 failed, 1 skipped."), "{said}");
    let words = ["--chdir", "cumulus", "plugin", "docs", "cumulus.wasm", "--stand-in", "python3 stand_in.py"];
    let reference = bimetal.ok(&words);
    for wanted in ["## machine \"cumulus\"", "machine \"cumulus\" \"web\" {", "## data \"cumulus_sizes\""] {
        assert!(reference.contains(wanted), "{wanted}: {reference}");
    }
}

#[test]
fn a_pool_has_machines_of_a_cloud_from_outside_beside_those_that_are_here() {
    let Some(lab) = Lab::start() else { return };
    let fleet = Fleet::start(&lab);
    let bimetal = &fleet.bimetal;
    bimetal.ok(&["init"]);

    // What a size is, is known before there is a machine: so replicas are placed.
    let (plan, _) = bimetal.plan();
    let mut changes = plan["changes"].as_array().expect("changes").iter();
    let machine = changes.find(|change| change["address"] == "machine.cumulus.cloud[0]").expect("it is planned");
    assert_eq!([&machine["after"]["platform"], &machine["after"]["cpus"]], [&json!("linux/amd64"), &json!(1)]);
    let said = bimetal.run(&["plan", "--var", "size=huge"]).failed();
    assert!(said.contains("Cumulus has no size `huge`") && said.contains("`board`, `small`, `large`"), "{said}");
    let said = bimetal.run(&["plan", "--var", "token=wrong"]).failed();
    assert!(said.contains("Cumulus does not accept the token") && said.contains("`provider \"cumulus\"`"), "{said}");
    assert_eq!(fleet.bought(), [""; 0]);

    bimetal.apply();
    fleet.assert_there();
    let urls = bimetal.output("urls");
    let on_cloud = fleet.engines[1..].iter().map(|engine| format!("http://{}", engine.page(8080)));
    for url in on_cloud {
        assert!(urls.as_array().expect("a list").iter().any(|one| *one == *url), "{url}: {urls}");
    }
    fleet.destroy();
}

#[test]
fn killed_while_machines_boot_an_apply_is_finished_by_the_next_one_and_nothing_is_bought_twice() {
    let Some(lab) = Lab::start() else { return };
    let fleet = Fleet::start(&lab);
    fleet.bimetal.ok(&["init"]);
    let running = fleet.bimetal.start(&["apply", "--auto-approve"]);
    until_true("a machine to boot", PATIENCE, || running.said().contains("booting"));
    drop(running.kill());
    fleet.bimetal.apply();
    fleet.assert_there();
    fleet.destroy();
}
