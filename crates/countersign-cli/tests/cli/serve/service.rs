use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, mpsc},
    thread,
};

/// A service that records every byte that reaches it.
pub(super) struct Service {
    pub(super) address: SocketAddr,
    received: Arc<Mutex<Vec<u8>>>,
}

/// What it does with a request that has arrived.
#[derive(Clone)]
pub(super) enum Reply {
    /// These bytes.
    Bytes(&'static [u8]),
    /// These bytes, and the end of the connection.
    Last(&'static [u8]),
    /// Nothing, for as long as the connection lasts.
    Nothing,
    /// The bytes that come through the channel, once they come.
    Later(Arc<Mutex<mpsc::Receiver<&'static [u8]>>>),
}

pub(super) const OK: Reply = Reply::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");

impl Service {
    pub(super) fn start(reply: Reply) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), reply)
    }

    pub(super) fn on(listener: TcpListener, reply: Reply) -> Self {
        let address = listener.local_addr().unwrap();
        let received = Arc::<Mutex<Vec<u8>>>::default();
        let record = Arc::clone(&received);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, record, reply) = (stream.unwrap(), Arc::clone(&record), reply.clone());
                thread::spawn(move || serve(stream, &record, &reply));
            }
        });
        Self { address, received }
    }

    /// Everything that has arrived so far, on all connections.
    pub(super) fn received(&self) -> Vec<u8> {
        self.received.lock().unwrap().clone()
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.received()).into_owned()
    }

    /// The lines of the head of the only request that has arrived, and its body.
    #[track_caller]
    pub(super) fn only(&self) -> (Vec<String>, Vec<u8>) {
        let received = self.received();
        let end = received.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let head = String::from_utf8_lossy(&received[..end]).into_owned();
        let lines = head.split("\r\n").map(str::to_owned).collect();
        (lines, received[end + 4..].to_vec())
    }
}

/// Whether a request has arrived whole, as its own length says.
fn is_whole(bytes: &[u8]) -> bool {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    let length = head.split("\r\n").find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    bytes.len() >= end + 4 + length.unwrap_or(0_usize)
}

fn serve(mut stream: TcpStream, record: &Mutex<Vec<u8>>, reply: &Reply) {
    let mut buffer = [0; 16 * 1024];
    let mut request = Vec::new();
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        request.extend_from_slice(&buffer[..read]);
        record.lock().unwrap().extend_from_slice(&buffer[..read]);
        if !is_whole(&request) {
            continue;
        }
        request.clear();
        let bytes = match reply {
            Reply::Nothing => continue,
            Reply::Bytes(bytes) | Reply::Last(bytes) => *bytes,
            Reply::Later(receiver) => receiver.lock().unwrap().recv().unwrap_or_default(),
        };
        if stream.write_all(bytes).is_err() || matches!(reply, Reply::Last(_)) {
            return;
        }
    }
}
