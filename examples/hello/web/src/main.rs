//! A web server that answers every request with the processor it runs on: `aarch64 web-0 hello`.
//!
//! The processor is what the kernel says at that moment, never what this file was compiled for.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

const PORT: u16 = 8080;

fn main() -> ExitCode {
    let result = match std::env::args().nth(1).as_deref() {
        None => serve(),
        Some("uname") => page().map(|page| print!("{page}")),
        Some("check") => check(),
        Some(other) => Err(io::Error::other(format!("`{other}` is none of: uname, check"))),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// `<machine> <host name> <$GREETING>`, one line.
fn page() -> io::Result<String> {
    let uname = nix::sys::utsname::uname()?;
    let greeting = std::env::var("GREETING").unwrap_or_else(|_| "hello".to_owned());
    let (machine, host) = (uname.machine().to_string_lossy(), uname.nodename().to_string_lossy());
    Ok(format!("{machine} {host} {greeting}\n"))
}

fn serve() -> io::Result<()> {
    stop_when_told();
    let port = port();
    let listener = TcpListener::bind(("0.0.0.0", port))?;
    println!("listening on port {port}: {}", page()?.trim_end());
    for stream in listener.incoming().flatten() {
        std::thread::spawn(move || answer(stream));
    }
    Ok(())
}

/// The first process of a container ignores signals that it doesn't handle, so `docker stop` would wait ten seconds.
fn stop_when_told() {
    use nix::sys::signal::{SigSet, Signal};
    let mut stopping = SigSet::empty();
    stopping.add(Signal::SIGTERM);
    stopping.add(Signal::SIGINT);
    if stopping.thread_block().is_ok() {
        std::thread::spawn(move || {
            let _ = stopping.wait();
            std::process::exit(0);
        });
    }
}

fn answer(mut stream: TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let page = page()?;
    println!("{request}");
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close";
    write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{page}", page.len())
}

/// For a health check: whether the server answers.
fn check() -> io::Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port()))?;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if answer.starts_with("HTTP/1.1 200") {
        Ok(())
    } else {
        Err(io::Error::other("the server doesn't answer with 200"))
    }
}

fn port() -> u16 {
    std::env::var("PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(PORT)
}
