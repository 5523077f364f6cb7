use super::follow::END_OF_STREAM;
use super::script::{Act, ReplayConfig, Step, script};
use crate::Error;
use artifacts::Timestamp;
use rand::Rng;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tungstenite::Message;
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;

/// An exchange on this machine that replays bars: WebSocket and REST on one port, as fast as its client reads.
///
/// Its time goes on with what it sends: REST knows only the bars that are over by then, and its `Date` header says so. A client that
/// comes back finds the stream where it is by then, not where it left.
pub struct ReplayServer {
    address: SocketAddr,
    state: Arc<State>,
    accepts: Option<JoinHandle<()>>,
}

struct State {
    config: ReplayConfig,
    steps: Vec<Step>,
    position: Mutex<usize>,
    /// How many bars are over.
    over: AtomicUsize,
    requests: AtomicU64,
    told_the_end: AtomicBool,
    stop: AtomicBool,
}

/// Starts a server; port 0 takes a free one.
///
/// # Errors
/// The port is taken.
pub fn serve(config: ReplayConfig, port: u16) -> Result<ReplayServer, Error> {
    let fail = |e: std::io::Error| Error::BadConfig(format!("port {port}: {e}; give another with --port"));
    let listener = TcpListener::bind(("127.0.0.1", port)).map_err(fail)?;
    let address = listener.local_addr().map_err(fail)?;
    let state = Arc::new(State {
        steps: script(&config),
        config,
        position: Mutex::new(0),
        over: AtomicUsize::new(0),
        requests: AtomicU64::new(0),
        told_the_end: AtomicBool::new(false),
        stop: AtomicBool::new(false),
    });
    let shared = state.clone();
    let accepts = std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if shared.stop.load(Ordering::SeqCst) {
                return;
            }
            let state = shared.clone();
            // A client that hangs up is not a fault of the server.
            std::thread::spawn(move || state.client(stream).ok());
        }
    });
    Ok(ReplayServer { address, state, accepts: Some(accepts) })
}

impl ReplayServer {
    /// The address of the stream.
    pub fn url(&self) -> String {
        format!("ws://{}/ws", self.address)
    }

    /// The address of the candles.
    pub fn rest_url(&self) -> String {
        format!("http://{}/klines", self.address)
    }

    /// How many requests and connections there were.
    pub fn requests(&self) -> u64 {
        self.state.requests.load(Ordering::SeqCst)
    }

    /// Waits until a client was told the end of the stream and nobody asks anything for two seconds.
    pub fn wait(&self) {
        let mut before = None;
        loop {
            std::thread::sleep(Duration::from_secs(2));
            let now = self.requests();
            if self.state.told_the_end.load(Ordering::SeqCst) && before == Some(now) {
                return;
            }
            before = Some(now);
        }
    }
}

impl Drop for ReplayServer {
    fn drop(&mut self) {
        self.state.stop.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for a client.
        TcpStream::connect(self.address).ok();
        if let Some(accepts) = self.accepts.take() {
            accepts.join().ok();
        }
    }
}

impl State {
    fn client(&self, mut stream: TcpStream) -> Result<(), Box<dyn std::error::Error>> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut head = [0; 4096];
        let length = loop {
            let n = stream.peek(&mut head)?;
            if n == 0 {
                return Ok(());
            }
            if head.get(..n).is_some_and(|h| h.windows(4).any(|w| w == b"\r\n\r\n")) || n == head.len() {
                break n;
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        let text = String::from_utf8_lossy(head.get(..length).unwrap_or_default()).into_owned();
        if text.to_ascii_lowercase().contains("upgrade: websocket") {
            return self.stream(stream);
        }
        // Taken off the socket, so that closing it does not reset the connection.
        let mut taken = vec![0; length];
        stream.read_exact(&mut taken)?;
        self.answer(&mut stream, text.lines().next().unwrap_or_default())
    }

    fn stream(&self, stream: TcpStream) -> Result<(), Box<dyn std::error::Error>> {
        let mut socket = tungstenite::accept(stream)?;
        while !self.stop.load(Ordering::SeqCst) {
            let step = {
                let mut position = self.position.lock().unwrap_or_else(PoisonError::into_inner);
                let step = self.steps.get(*position).copied();
                *position += 1;
                step
            };
            let Some(Step { over, act }) = step else {
                self.over.store(self.config.bars.len(), Ordering::SeqCst);
                let frame = CloseFrame { code: CloseCode::Normal, reason: END_OF_STREAM.into() };
                socket.close(Some(frame))?;
                while socket.read().is_ok() {}
                self.told_the_end.store(true, Ordering::SeqCst);
                return Ok(());
            };
            self.over.fetch_max(over, Ordering::SeqCst);
            if !self.config.delay.is_zero() {
                std::thread::sleep(self.config.delay);
            }
            match (act, self.config.text(act)) {
                (Act::HalfFrame(_), Some(text)) => {
                    socket.flush()?;
                    let mut raw = socket.get_ref();
                    // A text frame that promises more than comes.
                    let promised = (text.len() as u16).saturating_mul(2).max(126);
                    let [high, low] = promised.to_be_bytes();
                    raw.write_all(&[0x81, 126, high, low])?;
                    raw.write_all(text.as_bytes())?;
                    raw.flush()?;
                    raw.shutdown(Shutdown::Both)?;
                    return Ok(());
                }
                (_, Some(text)) => socket.send(Message::text(text))?,
                (_, None) => {
                    socket.flush()?;
                    socket.get_ref().shutdown(Shutdown::Both)?;
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn answer(&self, stream: &mut TcpStream, request: &str) -> Result<(), Box<dyn std::error::Error>> {
        let n = self.requests.load(Ordering::SeqCst);
        let query = request.split_whitespace().nth(1).and_then(|p| p.split_once('?')).map_or("", |(_, q)| q);
        let of: BTreeMap<&str, String> = query
            .split('&')
            .filter_map(|p| p.split_once('='))
            .map(|(k, v)| (k, v.replace("%3A", ":").replace("%3a", ":")))
            .collect();
        let over = self.over.load(Ordering::SeqCst);
        let date =
            over.checked_sub(1).and_then(|i| self.config.bars.get(i)).map_or(Timestamp::default(), |b| b.available_at);
        let get = |name: &str| of.get(name).map(String::as_str).unwrap_or_default();
        let body = if of.contains_key("granularity") {
            let (from, until) = (get("start").parse()?, get("end").parse()?);
            self.config.rest(over, from, until, 300, true)
        } else {
            let time = |name| get(name).parse::<i64>().map(|ms| Timestamp::from_micros(ms.saturating_mul(1000)));
            let limit = get("limit").parse::<usize>().unwrap_or(500).min(1000);
            self.config.rest(over, time("startTime")?, time("endTime")?, limit, false)
        };
        // By the request, not by the client: the same order of requests meets the same faults.
        let fault = if self.config.faults.rest {
            SmallRng::seed_from_u64(self.config.seed.derive("ingest/replay/rest").0 ^ n).random_range(0..20)
        } else {
            u32::MAX
        };
        let (status, extra, body, cut) = match fault {
            0 => (
                "429 Too Many Requests",
                "Retry-After: 0\r\n",
                r#"{"code":-1003,"msg":"Too many requests."}"#.to_owned(),
                false,
            ),
            1 => ("503 Service Unavailable", "", "busy".to_owned(), false),
            2 => ("200 OK", "", "<!doctype html><title>Bad gateway</title>".to_owned(), false),
            3 => ("200 OK", "", body, true),
            _ => ("200 OK", "", body, false),
        };
        let date = http_date(date);
        write!(
            stream,
            "HTTP/1.1 {status}\r\nDate: {date}\r\n{extra}Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        )?;
        let sent = if cut { body.len() / 2 } else { body.len() };
        stream.write_all(body.as_bytes().get(..sent).unwrap_or_default())?;
        stream.flush()?;
        stream.shutdown(Shutdown::Write)?;
        // The client closes first.
        let mut rest = Vec::new();
        stream.take(4096).read_to_end(&mut rest).ok();
        Ok(())
    }
}

/// A moment as HTTP writes it.
fn http_date(at: Timestamp) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let text = at.to_string();
    let weekday = DAYS.get(at.micros().div_euclid(86_400_000_000).rem_euclid(7) as usize).copied().unwrap_or_default();
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    let month =
        part(5, 7).parse::<usize>().ok().and_then(|m| MONTHS.get(m.wrapping_sub(1)).copied()).unwrap_or_default();
    format!("{weekday}, {} {month} {} {} GMT", part(8, 10), part(0, 4), part(11, 19))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_written_as_http_wants_it() {
        assert_eq!(http_date("1994-11-06T08:49:37Z".parse().unwrap()), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(http_date(Timestamp::default()), "Thu, 01 Jan 1970 00:00:00 GMT");
    }
}
