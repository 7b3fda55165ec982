//! The whole way: from machines that have nothing but SSH, and droplets that don't exist yet, to running services and back.

use std::collections::BTreeMap;

use bimetal_tests::digital_ocean::Fault;
use bimetal_tests::node::{Setup, make_key};
use bimetal_tests::{Bimetal, DigitalOcean, Lab, Node, image};
use serde_json::Value;
use xtask::web::Platform;

const CONFIGURATION: &str = r#"
variable "rack" {
  type = map(object({ address = string, key = string }))
}

variable "token" {
  type      = string
  sensitive = true
}

variable "api_url" {
  type = string
}

variable "key_file" {
  type = string
}

variable "public_key" {
  type = string
}

variable "droplets" {
  type    = number
  default = 2
}

variable "replicas" {
  type    = number
  default = 8
}

variable "image" {
  type    = string
  default = "one"
}

provider "baremetal" {
  key_file = var.key_file
}

provider "digitalocean" {
  token    = var.token
  api_url  = var.api_url
  key_file = var.key_file
}

data "digitalocean_sizes" "here" {
  region = "fra1"
}

resource "digitalocean_ssh_key" "operator" {
  name       = "operator"
  public_key = var.public_key
}

resource "digitalocean_vpc" "inside" {
  name   = "inside"
  region = "fra1"
}

resource "digitalocean_tag" "web" {
  name = "web"
}

resource "digitalocean_firewall" "web" {
  name        = "web"
  droplet_ids = [for droplet in machine.digitalocean.cloud : droplet.id]

  inbound_rule {
    protocol         = "tcp"
    port_range       = "22"
    source_addresses = ["0.0.0.0/0", "::/0"]
  }
}

machine "baremetal" "rack" {
  for_each = var.rack
  host     = each.value.address
  host_key = each.value.key
}

machine "digitalocean" "cloud" {
  count    = var.droplets
  name     = "cloud-${count.index}"
  region   = "fra1"
  size     = data.digitalocean_sizes.here.sizes[2].slug
  image    = "debian-12-x64"
  ssh_keys = [digitalocean_ssh_key.operator.id]
  vpc_uuid = digitalocean_vpc.inside.id
  tags     = [digitalocean_tag.web.name]
}

pool "all" {
  machines = [machine.baremetal.rack, machine.digitalocean.cloud]
}

service "web" {
  pool     = pool.all
  image    = "oci:./image-${var.image}"
  replicas = var.replicas

  port {
    container = 8080
  }
}
"#;

struct World {
    rack: Vec<Node>,
    cloud: DigitalOcean,
    bimetal: Bimetal,
}

impl World {
    fn start(lab: &Lab, rack: &[&str]) -> World {
        let key = lab.folder("keys").join("operator");
        let public_key = make_key(&key);
        let setup = Setup { authorized_keys: vec![public_key.clone()], ..Setup::default() };
        let rack: Vec<Node> = rack.iter().map(|name| Node::boot(lab, name, &setup)).collect();
        let cloud = DigitalOcean::start(lab);
        let mut bimetal = Bimetal::new(CONFIGURATION);
        for greeting in ["one", "two"] {
            let folder = bimetal.folder().join(format!("image-{greeting}"));
            image::layout(&folder, &[Platform::Amd64], greeting);
        }
        bimetal.set("token", cloud.token()).set("api_url", cloud.url());
        bimetal.set("key_file", key.display()).set("public_key", public_key.trim());
        let mut world = World { rack, cloud, bimetal };
        world.declare(usize::MAX);
        world
    }

    /// The configuration has so many machines of the rack.
    fn declare(&mut self, machines: usize) {
        let machine = |node: &Node| {
            let value = serde_json::json!({ "address": node.address().to_string(), "key": node.host_key() });
            (node.address().to_string(), value)
        };
        let machines: BTreeMap<_, _> = self.rack.iter().take(machines).map(machine).collect();
        self.bimetal.set("rack", serde_json::to_string(&machines).expect("text"));
    }

    /// What the containers of each machine say, those of the rack first.
    fn pages(&self) -> Vec<Vec<String>> {
        let say = |node: &Node| node.pages(8080).into_iter().map(|(_, page)| page).collect();
        let rack = self.rack.iter().map(say);
        rack.chain(self.cloud.with_nodes(|nodes| nodes.iter().map(|(_, node)| say(node)).collect::<Vec<_>>())).collect()
    }

    fn counts(&self) -> Vec<usize> {
        self.pages().iter().map(Vec::len).collect()
    }

    /// How often each action is planned.
    fn planned(&self) -> BTreeMap<String, usize> {
        let (plan, _) = self.bimetal.plan();
        let actions = plan["changes"].as_array().expect("changes").iter().filter_map(|one| one["action"].as_str());
        let mut counts = BTreeMap::new();
        actions
            .filter(|action| *action != "keep")
            .for_each(|action| *counts.entry(action.to_owned()).or_default() += 1);
        counts
    }

    fn assert_nothing_is_left(&self) {
        assert_eq!(self.cloud.counts(), [0; 5], "{:?}", self.cloud.droplets());
        for node in &self.rack {
            assert!(!node.has_docker() && node.read("/etc/bimetal/machine.json").is_none());
        }
        assert_eq!(self.bimetal.ok(&["state", "list"]), "");
    }
}

fn counted(actions: &[(&str, usize)]) -> BTreeMap<String, usize> {
    actions.iter().map(|(action, count)| ((*action).to_owned(), *count)).collect()
}

#[test]
fn one_apply_goes_from_nothing_to_running_services() {
    let Some(lab) = Lab::start() else { return };
    let mut world = World::start(&lab, &["rack-1", "rack-2"]);
    world.bimetal.apply();
    let pages = world.pages();
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 2, 2]);
    let machine = world.rack[0].run(&["uname", "-m"]);
    assert!(pages.iter().flatten().all(|page| page.starts_with(&format!("{} ", machine.trim()))), "{pages:?}");
    assert_eq!(world.cloud.counts(), [2, 1, 3, 1, 1]);
    world.bimetal.assert_settled();
    let machines = world.bimetal.ok(&["machines"]);
    assert_eq!(machines.matches("running ").count(), 4, "{machines}");
    let rack = format!("machine.baremetal.rack[\"{}\"]", world.rack[0].address());
    assert_eq!(world.bimetal.ok(&["ssh", &rack, "hostname"]), "rack-1\n");
    assert_eq!(world.bimetal.ok(&["ssh", "machine.digitalocean.cloud[1]", "hostname"]), "cloud-1\n");

    // Growing only adds; shrinking only removes.
    world.bimetal.set("replicas", 12);
    assert_eq!(world.planned(), counted(&[("create", 4)]));
    world.bimetal.apply();
    assert_eq!(world.counts(), [3, 3, 3, 3]);
    world.bimetal.set("replicas", 4);
    assert_eq!(world.planned(), counted(&[("delete", 8)]));
    world.bimetal.apply();
    assert_eq!(world.counts(), [1, 1, 1, 1]);

    // A machine that leaves takes only its own replica along, and loses everything that was put on it.
    world.declare(1);
    assert_eq!(world.planned(), counted(&[("delete", 1), ("replace", 1)]));
    world.bimetal.apply();
    assert!(!world.rack[1].has_docker() && world.rack[1].read("/etc/bimetal/machine.json").is_none());
    world.bimetal.assert_settled();

    // Another image replaces every replica, and nothing else.
    world.bimetal.set("image", "two");
    assert_eq!(world.planned(), counted(&[("replace", 4)]));
    world.bimetal.apply();
    assert!(world.pages().iter().flatten().all(|page| page.contains("two")));
    world.bimetal.assert_settled();

    world.bimetal.ok(&["destroy", "--auto-approve"]);
    world.assert_nothing_is_left();
    assert_eq!(world.cloud.complaints(), Vec::<String>::new());
}

#[test]
fn whatever_the_cloud_answers_nothing_is_bought_twice_and_nothing_is_leaked() {
    let Some(lab) = Lab::start() else { return };
    let mut world = World::start(&lab, &[]);
    world.bimetal.set("droplets", 1).set("replicas", 1);
    let cloud = &world.cloud;
    cloud.inject("POST", "/v2/account/keys", Fault::LostAnswer);
    cloud.inject("POST", "/v2/vpcs", Fault::Broken);
    cloud.inject("POST", "/v2/droplets", Fault::TooMany(1));
    cloud.inject("POST", "/v2/droplets", Fault::LostAnswer);
    cloud.inject("GET", "/v2/droplets", Fault::Broken);
    cloud.inject("GET", "/v2/droplets", Fault::TooMany(1));
    cloud.inject("POST", "/v2/firewalls", Fault::LostAnswer);
    world.bimetal.apply();
    assert!(cloud.faults_are_over(), "{:?}", cloud.requests());
    assert_eq!(cloud.counts(), [1, 1, 2, 1, 1]);
    world.bimetal.assert_settled();

    cloud.inject("DELETE", &format!("/v2/droplets/{}", cloud.droplets()[0]["id"]), Fault::Broken);
    world.bimetal.ok(&["destroy", "--auto-approve"]);
    assert!(cloud.faults_are_over(), "{:?}", cloud.requests());
    world.assert_nothing_is_left();
}

#[test]
fn killed_again_and_again_it_gets_there_all_the_same() {
    let Some(lab) = Lab::start() else { return };
    let mut world = World::start(&lab, &["rack-1"]);
    world.bimetal.set("droplets", 1).set("replicas", 2);
    let mut kills = ["before-intent:1", "after-intent:1", "after-effect:1", "after-outcome:1"].iter().cycle();
    // Each round finishes one object at least: machines, key, network, tag, firewall and two replicas.
    let killed = (0..40).take_while(|_| {
        let at = kills.next().expect("a cycle has no end");
        let ran = world.bimetal.run_with(&[("BIMETAL_CRASH_AT", at)], &["apply", "--auto-approve"]);
        assert!(ran.code <= 0, "it failed by itself: {ran}");
        ran.code != 0
    });
    let killed = killed.count();
    assert!((8..40).contains(&killed), "killed {killed} times");
    assert_eq!((world.cloud.counts(), world.counts()), ([1, 1, 2, 1, 1], vec![1, 1]));
    world.bimetal.assert_settled();
    world.bimetal.ok(&["destroy", "--auto-approve"]);
    world.assert_nothing_is_left();
}

#[test]
fn what_the_cloud_refuses_is_said_where_it_was_written() {
    let Some(lab) = Lab::start() else { return };
    let mut world = World::start(&lab, &[]);
    world.bimetal.set("token", "wrong");
    let error = world.bimetal.run(&["apply", "--auto-approve"]).failed();
    assert!(error.contains("does not accept the token"), "{error}");
    world.bimetal.set("token", world.cloud.token()).set("public_key", "ssh-ed25519 nonsense");
    let error = world.bimetal.run(&["apply", "--auto-approve"]).failed();
    assert!(error.contains("Key invalid") && error.contains("digitalocean_ssh_key"), "{error}");
    world.bimetal.ok(&["destroy", "--auto-approve"]);
    world.assert_nothing_is_left();
}

#[test]
fn what_can_be_bought_can_be_asked() {
    let Some(lab) = Lab::start() else { return };
    let cloud = DigitalOcean::start(&lab);
    let mut bimetal = Bimetal::new(
        r#"
variable "api_url" { type = string }
variable "token" { type = string }

provider "digitalocean" {
  token   = var.token
  api_url = var.api_url
}

data "digitalocean_sizes" "here" { region = "fra1" }
data "digitalocean_regions" "all" {}
data "digitalocean_images" "debian" {
  type         = "distribution"
  distribution = "Debian"
}

output "cheapest" { value = data.digitalocean_sizes.here.sizes[0] }
output "regions" { value = data.digitalocean_regions.all.regions[*].slug }
output "images" { value = data.digitalocean_images.debian.images[*].slug }
"#,
    );
    bimetal.set("token", cloud.token()).set("api_url", cloud.url());
    bimetal.apply();
    let cheapest = bimetal.output("cheapest");
    assert_eq!((&cheapest["slug"], &cheapest["memory"]), (&Value::from("s-1vcpu-512mb-10gb"), &Value::from(512 << 20)));
    assert_eq!(bimetal.output("regions"), serde_json::json!(["ams3", "fra1", "nyc3", "sgp1"]));
    assert_eq!(bimetal.output("images"), serde_json::json!(["debian-12-x64", "debian-13-x64"]));
    assert_eq!(cloud.complaints(), Vec::<String>::new());
}

#[test]
fn what_a_data_source_answers_may_say_how_many_modules_there_are() {
    let Some(lab) = Lab::start() else { return };
    let cloud = DigitalOcean::start(&lab);
    let mut bimetal = Bimetal::new(
        r#"
variable "api_url" { type = string }
variable "token" { type = string }

provider "digitalocean" {
  token   = var.token
  api_url = var.api_url
}

data "digitalocean_regions" "all" {}

module "tag" {
  source   = "./tag"
  for_each = toset(data.digitalocean_regions.all.regions[*].slug)
  region   = each.key
}

module "count" {
  source = "./tag"
  count  = length(module.tag) - 3
  region = "number-${count.index}"
}

output "names" { value = sort(values(module.tag)[*].name) }
"#,
    );
    bimetal.write(
        "tag/main.bm.hcl",
        r#"
variable "region" { type = string }
resource "digitalocean_tag" "this" { name = "in-${var.region}" }
output "name" { value = digitalocean_tag.this.name }
"#,
    );
    bimetal.set("token", cloud.token()).set("api_url", cloud.url());
    bimetal.ok(&["validate"]);
    bimetal.ok(&["plan", "--out", "plan"]);
    bimetal.ok(&["apply", "plan"]);
    assert_eq!(bimetal.output("names"), serde_json::json!(["in-ams3", "in-fra1", "in-nyc3", "in-sgp1"]));
    bimetal.ok(&["state", "show", "module.count[0].digitalocean_tag.this"]);
    let again = bimetal.ok(&["plan", "--detailed-exitcode"]);
    assert!(again.contains("No changes"), "{again}");
    bimetal.ok(&[
        "plan",
        "--out",
        "plan",
        "--replace",
        "module.tag[\"fra1\"].digitalocean_tag.this",
        "--target",
        "module.tag[\"fra1\"]",
    ]);
    bimetal.ok(&["apply", "plan"]);
    bimetal.ok(&["plan", "--destroy", "--out", "plan"]);
    bimetal.ok(&["apply", "plan"]);
    assert_eq!(bimetal.ok(&["state", "list"]), "");
    assert_eq!(cloud.complaints(), Vec::<String>::new());
}

#[test]
fn a_token_that_is_ephemeral_is_in_no_plan() {
    let Some(lab) = Lab::start() else { return };
    let cloud = DigitalOcean::start(&lab);
    let mut bimetal = Bimetal::new(
        r#"
variable "api_url" { type = string }
variable "token" {
  type      = string
  ephemeral = true
}

provider "digitalocean" {
  token   = var.token
  api_url = var.api_url
}

resource "digitalocean_tag" "mine" { name = "mine" }
"#,
    );
    bimetal.set("token", cloud.token()).set("api_url", cloud.url());
    bimetal.ok(&["plan", "--out", "plan"]);
    // Whoever does the plan gives the token again.
    bimetal.set("token", "wrong");
    let error = bimetal.run(&["apply", "plan"]).failed();
    assert!(error.contains("does not accept the token"), "{error}");
    let token = format!("token={}", cloud.token());
    bimetal.ok(&["plan", "--out", "plan", "--var", &token]);
    let refused = bimetal.run(&["apply", "plan", "--var", &token, "--var", "api_url=elsewhere"]).failed();
    assert!(refused.contains("`api_url` got its value when this was planned"), "{refused}");
    bimetal.ok(&["apply", "plan", "--var", &token]);
    bimetal.ok(&["state", "show", "digitalocean_tag.mine"]);
    bimetal.write("out.bm.hcl", "output \"token\" {\n  value = var.token\n}\n");
    bimetal.set("token", cloud.token());
    let refused = bimetal.run(&["plan"]).failed();
    assert!(refused.contains("output `token` has something ephemeral"), "{refused}");
    std::fs::remove_file(bimetal.folder().join("out.bm.hcl")).expect("it was just written");
    bimetal.ok(&["destroy", "--auto-approve"]);
}
