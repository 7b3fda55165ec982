//! An HTTP server that answers as it was told to, and remembers what it was asked.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// A server for one test.
pub(crate) struct Server {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers with these in turn (status line and headers, body `hello`), and then with the last of them.
    pub(crate) async fn new(answers: &'static [&'static str]) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = asked.clone();
        tokio::spawn(async move {
            for turn in 0.. {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = vec![0; 8192];
                let length = stream.read(&mut request).await.unwrap();
                kept.lock().unwrap().push(String::from_utf8_lossy(&request[..length]).to_lowercase());
                let head = answers[turn.min(answers.len() - 1)];
                let answer = format!("HTTP/1.1 {head}\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello");
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Server { url, asked }
    }

    /// The requests so far, in lower case.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}
