//! A line to the database that breaks as networks do: it falls silent, or is cut, and the last answer is lost.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_util::task::AbortOnDropHandle;

/// Passes connections on to a server. It ends, and they with it, when this value is dropped.
#[derive(Debug)]
pub struct Line {
    url: String,
    faults: Faults,
    _passing: AbortOnDropHandle<()>,
}

/// How a connection breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// It ends.
    Cut,
    /// It stays open, and nothing comes any more.
    Silent,
}

/// Where the next connection breaks: at an answer with these words, which gets lost.
#[derive(Debug, Clone, Default)]
struct Faults(Arc<Mutex<Option<(&'static str, Break)>>>);

impl Line {
    /// A line to the database with this URL.
    ///
    /// # Panics
    /// There is no free port.
    pub async fn to(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        Self::at(listener.expect("a free port"), url)
    }

    /// The same, on a port that was chosen.
    ///
    /// # Panics
    /// The URL is not that of a database.
    #[must_use]
    pub fn at(listener: TcpListener, url: &str) -> Self {
        let (user, rest) = url.split_once('@').expect("a URL with a user");
        let (server, name) = rest.split_once('/').expect("a URL with a database");
        let address = listener.local_addr().expect("it listens");
        let faults = Faults::default();
        Self {
            url: format!("{user}@{address}/{name}"),
            _passing: AbortOnDropHandle::new(tokio::spawn(
                faults.clone().accept(listener, server.to_owned()),
            )),
            faults,
        }
    }

    /// The URL by which the database is reached over this line.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The next answer of the server that contains `words` gets lost, and its connection breaks. Others are as good as ever.
    pub fn breaks_at(&self, words: &'static str, how: Break) {
        *self.faults.next() = Some((words, how));
    }
}

impl Faults {
    async fn accept(self, listener: TcpListener, server: String) {
        let mut connections = JoinSet::new();
        while let Ok((client, _)) = listener.accept().await {
            let (faults, server) = (self.clone(), server.clone());
            connections.spawn(async move { faults.pass_on(client, &server).await });
            while connections.try_join_next().is_some() {}
        }
    }

    async fn pass_on(&self, mut client: TcpStream, server: &str) -> io::Result<()> {
        let mut server = TcpStream::connect(server).await?;
        let (mut asked, mut answered) = ([0; 8192], [0; 8192]);
        loop {
            tokio::select! {
                count = client.read(&mut asked) => match count? {
                    0 => return Ok(()),
                    count => server.write_all(&asked[..count]).await?,
                },
                count = server.read(&mut answered) => {
                    let answer = &answered[..count?];
                    match self.breaks(answer) {
                        Some(Break::Silent) => std::future::pending().await,
                        Some(Break::Cut) => return Ok(()),
                        None if answer.is_empty() => return Ok(()),
                        None => client.write_all(answer).await?,
                    }
                }
            }
        }
    }

    fn breaks(&self, answer: &[u8]) -> Option<Break> {
        let here = |next: &mut (&str, Break)| {
            let words = next.0.as_bytes();
            answer.windows(words.len()).any(|window| window == words)
        };
        self.next().take_if(here).map(|(_, how)| how)
    }

    fn next(&self) -> MutexGuard<'_, Option<(&'static str, Break)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
