//! Connections on real sockets: slow clients, too many of them, and the end.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, routing};
use service::http::{self, Limits};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use crate::served;

const BOUND: Duration = Duration::from_secs(30);

struct Server {
    address: SocketAddr,
    stop: CancellationToken,
    served: JoinHandle<()>,
}

async fn serve(routes: Router, limits: Limits) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let served = tokio::spawn(http::serve(
        listener,
        served(routes, limits),
        stop.clone(),
        limits,
    ));
    Server {
        address,
        stop,
        served,
    }
}

async fn connect(server: &Server, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// Everything that the server says until it closes the connection.
async fn rest(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    let read = tokio::time::timeout(BOUND, stream.read_to_end(&mut text))
        .await
        .expect("the connection is closed");
    read.unwrap();
    String::from_utf8(text).unwrap()
}

fn hello() -> Router {
    Router::new().route("/", routing::get(|| async { "hello" }))
}

const CLOSING: &str = "GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn a_client_that_sends_its_headers_slowly_is_cut_off() {
    let limits = Limits {
        header_time: Duration::from_millis(50),
        ..Limits::default()
    };
    let server = serve(hello(), limits).await;
    let slow = connect(&server, "GET / HTTP/1.1\r\nHost: te").await;
    assert_eq!(rest(slow).await, "");
    assert!(
        rest(connect(&server, CLOSING).await)
            .await
            .ends_with("hello")
    );
}

#[tokio::test]
async fn a_client_that_sends_its_body_slowly_is_answered_and_cut_off() {
    let limits = Limits {
        body_time: Duration::from_millis(50),
        ..Limits::default()
    };
    let routes = Router::new().route("/", routing::post(|body: String| async { body }));
    let server = serve(routes, limits).await;
    let head = "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nslow";
    let answer = rest(connect(&server, head).await).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[tokio::test]
async fn a_client_that_sends_too_much_hears_why() {
    let routes = Router::new().route("/", routing::post(|| async { "not reached" }));
    let server = serve(routes, Limits::default()).await;
    let length = 256 * 1024;
    let head = format!("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: {length}\r\n\r\n");
    let stream = connect(&server, &head).await;
    let (mut answers, mut requests) = stream.into_split();
    let sending = tokio::spawn(async move {
        let body = vec![b'x'; length];
        // Breaks off when the server has heard enough.
        let _ = requests.write_all(&body).await;
    });
    let mut first = [0; 13];
    tokio::time::timeout(BOUND, answers.read_exact(&mut first))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(&first, b"HTTP/1.1 413 ");
    sending.await.unwrap();
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_their_turn() {
    let server = serve(
        hello(),
        Limits {
            connections: 1,
            ..Limits::default()
        },
    )
    .await;
    let first = connect(&server, "").await;
    let mut second = connect(&server, CLOSING).await;
    let early = tokio::time::timeout(Duration::from_millis(50), second.read_u8()).await;
    assert!(
        early.is_err(),
        "the second connection was served beside the first"
    );
    drop(first);
    assert!(rest(second).await.ends_with("hello"));
}

#[tokio::test]
async fn requests_under_way_are_finished_when_the_server_stops() {
    let (began, gate) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let handler = {
        let (began, gate) = (Arc::clone(&began), Arc::clone(&gate));
        || async move {
            began.add_permits(1);
            let _ = gate.acquire().await;
            "finished"
        }
    };
    let server = serve(
        Router::new().route("/", routing::get(handler)),
        Limits::default(),
    )
    .await;
    let idle = connect(&server, "").await;
    let busy = connect(&server, "GET / HTTP/1.1\r\nHost: test\r\n\r\n").await;
    let _ = began.acquire().await.unwrap();
    server.stop.cancel();
    assert_eq!(rest(idle).await, "");
    gate.add_permits(1);
    assert!(rest(busy).await.ends_with("finished"));
    tokio::time::timeout(BOUND, server.served)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_request_that_never_ends_does_not_hold_the_server() {
    let routes = Router::new().route("/", routing::get(std::future::pending::<()>));
    let server = serve(
        routes,
        Limits {
            drain_time: Duration::from_millis(50),
            ..Limits::default()
        },
    )
    .await;
    let _busy = connect(&server, "GET / HTTP/1.1\r\nHost: test\r\n\r\n").await;
    server.stop.cancel();
    tokio::time::timeout(BOUND, server.served)
        .await
        .unwrap()
        .unwrap();
}
