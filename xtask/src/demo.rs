//! `cargo xtask demo`: `examples/hello` on a Docker engine, from nothing to the page, and back to nothing.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::docker::{self, Private};
use crate::process::{cargo, is_root, run};
use crate::web::Platform;
use crate::{image, packages, setup, web};

/// Where the page is, as `examples/hello` says.
const PAGE: &str = "127.0.0.1:8080";

/// Everything up to the page.
pub fn up() -> Result<()> {
    let demo = Demo::new();
    say("building bimetal and its providers");
    setup::targets()?;
    run(cargo().args(["build", "--package", "bimetal"]))?;
    let host = demo.engine()?;
    say(&format!("using the Docker engine at {host}"));
    demo.prepare()?;
    demo.bimetal(&host, &["init"])?;
    demo.bimetal(&host, &["plan", "--out", "plan"])?;
    demo.bimetal(&host, &["apply", "plan"])?;
    demo.bimetal(&host, &["machines"])?;
    demo.bimetal(&host, &["ps"])?;
    say(&format!("fetching http://{PAGE}/"));
    print!("{}", fetch(PAGE)?);
    say("`cargo xtask demo -- --destroy` removes it all");
    Ok(())
}

/// Removes what [`up`] made. What was installed or built stays.
pub fn destroy() -> Result<()> {
    let demo = Demo::new();
    if demo.configuration().join("main.bm.hcl").exists() {
        run(cargo().args(["build", "--package", "bimetal"]))?;
        let host = demo.engine()?;
        demo.bimetal(&host, &["destroy", "--auto-approve"])?;
    }
    demo.private.remove()?;
    if demo.folder.exists() {
        fs::remove_dir_all(&demo.folder).with_context(|| format!("cannot remove {}", demo.folder.display()))?;
    }
    say("nothing of the demo is left");
    Ok(())
}

struct Demo {
    folder: PathBuf,
    private: Private,
}

impl Demo {
    fn new() -> Demo {
        let folder = crate::root().join(".demo");
        let private = Private::new(&folder.join("docker"));
        Demo { folder, private }
    }

    /// The one that an earlier run started, the one that answers, or else one of our own.
    fn engine(&self) -> Result<String> {
        let own = self.private.host();
        if docker::answers(&own) {
            return Ok(own);
        }
        if let Some(host) = docker::answering() {
            return Ok(host);
        }
        if !is_root() {
            bail!("no Docker engine answers, and only root can start one: set DOCKER_HOST, or run this as root");
        }
        packages::install(packages::ENGINE)?;
        say("no Docker engine answers: starting a private one, with its data in .demo/docker");
        self.private.start()?;
        Ok(own)
    }

    /// A copy of the example with the image that it names: state and lock file stay out of the repository.
    fn prepare(&self) -> Result<()> {
        say("building the image for linux/amd64 and linux/arm64");
        let images = Platform::ALL.map(|platform| {
            let program = fs::read(web::build(platform)?)?;
            Ok(image::image(platform, &program, "hello from Bimetal")?)
        });
        let images = images.into_iter().collect::<Result<Vec<_>>>()?;
        let source = crate::root().join("examples/hello/main.bm.hcl");
        fs::create_dir_all(self.configuration())?;
        fs::copy(&source, self.configuration().join("main.bm.hcl"))
            .with_context(|| format!("cannot copy {}", source.display()))?;
        image::write_layout(&self.configuration().join("image"), &images).context("cannot write the image")
    }

    fn configuration(&self) -> PathBuf {
        self.folder.join("hello")
    }

    fn bimetal(&self, host: &str, words: &[&str]) -> Result<()> {
        eprintln!("\n$ bimetal {}", words.join(" "));
        let mut command = Command::new(binary());
        command.current_dir(self.configuration()).args(words);
        command.env("BIMETAL_VAR_docker_host", host).env("XDG_CONFIG_HOME", self.folder.join("config"));
        run(&mut command)
    }
}

fn binary() -> PathBuf {
    crate::target().join("debug/bimetal")
}

/// Fetches a page that may take a moment to be there.
fn fetch(address: &str) -> Result<String> {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        match fetch_once(address) {
            Ok(page) => return Ok(page),
            Err(error) if Instant::now() > until => {
                return Err(error.context(format!("http://{address}/ gives no page")));
            }
            Err(_) => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}

fn fetch_once(address: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(stream, "GET / HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    match answer.split_once("\r\n\r\n") {
        Some((head, page)) if head.starts_with("HTTP/1.1 200") => Ok(page.to_owned()),
        _ => bail!("unexpected answer: {answer:?}"),
    }
}

fn say(text: &str) {
    eprintln!("xtask: {text}");
}
