//! One connection's TLS: ciphertext to plaintext and back, and what waits in between.
//!
//! Pure but for the randomness inside rustls. Ciphertext is worked on in the caller's buffer; kept here are the beginning of a
//! record whose rest has not come, and ciphertext that the socket has not taken. Both are empty while the peer is quiet.

use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::pki_types::ServerName;
use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus};
use rustls::{CommonState, Error, HandshakeKind, ProtocolVersion};

use super::context::TlsContext;
use super::resolver;
use super::trust::TlsTrust;

/// The most plaintext that one record carries (RFC 8446 §5.1).
pub(crate) const RECORD_BYTES: usize = 16 << 10;
/// What a record adds to its plaintext, at most: header, explicit nonce, content type, tag.
const RECORD_OVERHEAD_BYTES: usize = 40;
/// Room for what rustls may want to say besides, such as a key update. More is asked for when it is not enough.
const SPARE_BYTES: usize = 256;
/// How much of a handshake may be underway at a time: chains of certificates are a tenth of that.
const HANDSHAKE_LIMIT_BYTES: usize = 64 << 10;
/// What rustls keeps on the heap for one connection at rest, roughly: keys, key schedule, state.
const ENGINE_BYTES: usize = 2 << 10;

/// What was agreed upon, and who is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFacts {
    /// `TLSv1.3` or `TLSv1.2`.
    pub version: &'static str,
    /// The cipher suite's name.
    pub cipher: &'static str,
    /// The name that the client asked for (SNI).
    pub server_name: Option<Box<str>>,
    /// The session was resumed by a ticket.
    pub resumed: bool,
    /// The client's own certificate, verified, in DER.
    pub client_certificate: Option<Box<[u8]>>,
}

/// Which end of the connection we are.
enum Session {
    Server(UnbufferedServerConnection),
    Client(UnbufferedClientConnection),
}

/// Where the session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Nothing has come yet.
    Fresh,
    Handshake,
    Established,
    /// The peer has said that it will send no more.
    Ended,
    Failed,
}

/// See the module.
pub(crate) struct Tls {
    session: Session,
    standing: Standing,
    has_sent_end: bool,
    server_name: Option<Box<str>>,
    partial: Vec<u8>,
    sealed: Vec<u8>,
    /// Bytes of `sealed` that have left. sent <= sealed.len()
    sent: usize,
}

impl Tls {
    /// The server's side of a connection that has just been accepted.
    pub(crate) fn accept(context: &TlsContext) -> Result<Self, Error> {
        let session = UnbufferedServerConnection::new(context.current())?;
        Ok(Self::new(Session::Server(session)))
    }

    /// The client's side. Its hello waits to be sent.
    pub(crate) fn connect(trust: &TlsTrust, name: ServerName<'static>) -> Result<Self, Error> {
        let session = UnbufferedClientConnection::new(trust.config(), name)?;
        let mut tls = Self::new(Session::Client(session));
        tls.open(&mut [], &mut [])?;
        Ok(tls)
    }

    fn new(session: Session) -> Self {
        Self {
            session,
            standing: Standing::Fresh,
            has_sent_end: false,
            server_name: None,
            partial: Vec::new(),
            sealed: Vec::new(),
            sent: 0,
        }
    }

    /// Nothing has been received yet.
    pub(crate) fn is_fresh(&self) -> bool {
        self.standing == Standing::Fresh
    }

    /// The handshake is neither finished nor given up.
    pub(crate) fn is_in_handshake(&self) -> bool {
        matches!(self.standing, Standing::Fresh | Standing::Handshake)
    }

    /// The peer has announced its end (`close_notify`).
    pub(crate) fn has_ended(&self) -> bool {
        self.standing == Standing::Ended
    }

    /// A record has begun and is not whole.
    pub(crate) fn is_mid_record(&self) -> bool {
        !self.partial.is_empty()
    }

    /// Whatever comes next is the beginning of a record, and the session carries data.
    #[inline]
    pub(crate) fn is_between_records(&self) -> bool {
        self.standing == Standing::Established && self.partial.is_empty()
    }

    /// Ciphertext that waits for the socket.
    pub(crate) fn unsent(&self) -> &[u8] {
        &self.sealed[self.sent..]
    }

    /// Marks bytes of [`Tls::unsent`] as gone.
    pub(crate) fn advance(&mut self, sent: usize) {
        self.sent += sent;
        if self.sent >= self.sealed.len() {
            (self.sealed, self.sent) = (Vec::new(), 0);
        }
    }

    /// Keeps ciphertext that the socket has not taken.
    pub(crate) fn keep(&mut self, rest: &[u8]) {
        self.sealed.extend_from_slice(rest);
    }

    /// Memory held for this peer.
    pub(crate) fn held_bytes(&self) -> usize {
        size_of::<Self>() + ENGINE_BYTES + self.partial.capacity() + self.sealed.capacity()
    }

    /// What is left of the last read; it goes before the next one.
    pub(crate) fn partial(&self) -> &[u8] {
        &self.partial
    }

    /// Puts it at the beginning of `buffer`.
    pub(crate) fn take_partial(&mut self, buffer: &mut [u8]) {
        buffer[..self.partial.len()].copy_from_slice(&self.partial);
        self.partial.clear();
    }

    /// The session was resumed by a ticket.
    pub(crate) fn is_resumed(&self) -> bool {
        self.common().handshake_kind() == Some(HandshakeKind::Resumed)
    }

    fn common(&self) -> &CommonState {
        match &self.session {
            Session::Server(session) => session,
            Session::Client(session) => session,
        }
    }

    /// Decrypts `cipher`, everything received and not yet worked off, into `plain`, and tells how many bytes that gave.
    /// What rustls wants to answer is appended to [`Tls::unsent`].
    ///
    /// # Errors
    /// The peer broke TLS, or could not be believed. An alert that tells it so waits to be sent.
    pub(crate) fn open(&mut self, cipher: &mut [u8], plain: &mut [u8]) -> Result<usize, Error> {
        if matches!(self.standing, Standing::Ended | Standing::Failed) {
            return Ok(0);
        }
        if self.is_fresh() && !cipher.is_empty() {
            self.standing = Standing::Handshake;
        }
        let mut read = Read {
            used: 0,
            plain_bytes: 0,
            is_established: self.standing == Standing::Established,
            has_ended: false,
        };
        let out = &mut self.sealed;
        let opened = match &mut self.session {
            Session::Server(session) => read.drive(session, cipher, plain, out),
            Session::Client(session) => read.drive(session, cipher, plain, out),
        };
        if self.standing == Standing::Handshake && self.server_name.is_none() {
            self.server_name = resolver::take_asked();
        }
        if let Err(error) = opened {
            self.standing = Standing::Failed;
            self.partial = Vec::new();
            return Err(error);
        }
        if read.has_ended {
            self.standing = Standing::Ended;
        } else if read.is_established {
            self.standing = Standing::Established;
        }
        let rest = &cipher[read.used..];
        if self.is_in_handshake() && rest.len() > HANDSHAKE_LIMIT_BYTES {
            self.standing = Standing::Failed;
            self.partial = Vec::new();
            return Err(Error::PeerSentOversizedRecord);
        }
        if rest.is_empty() {
            self.partial = Vec::new();
        } else {
            self.partial.extend_from_slice(rest);
        }
        Ok(read.plain_bytes)
    }

    /// Whether [`Tls::seal`] may be called.
    pub(crate) fn may_seal(&self) -> bool {
        matches!(self.standing, Standing::Established | Standing::Ended) && !self.has_sent_end
    }

    /// Appends `plain` to `out` as records.
    ///
    /// # Errors
    /// The session cannot be used any more.
    pub(crate) fn seal(&mut self, plain: &[u8], out: &mut Sealed) -> Result<(), Error> {
        // rustls remembers places in what it has not been able to finish: it must be shown the same bytes each time.
        let partial = &mut self.partial[..];
        match &mut self.session {
            Session::Server(session) => seal(session, partial, Some(plain), out),
            Session::Client(session) => seal(session, partial, Some(plain), out),
        }
    }

    /// Appends the announcement that nothing more will come (`close_notify`, RFC 8446 §6.1).
    ///
    /// # Errors
    /// The session cannot be used any more.
    pub(crate) fn seal_end(&mut self, out: &mut Sealed) -> Result<(), Error> {
        self.has_sent_end = true;
        let partial = &mut self.partial[..];
        match &mut self.session {
            Session::Server(session) => seal(session, partial, None, out),
            Session::Client(session) => seal(session, partial, None, out),
        }
    }

    /// What was agreed upon; nothing before the end of the handshake.
    pub(crate) fn facts(&self) -> Option<TlsFacts> {
        let common = self.common();
        let of_client = matches!(self.session, Session::Server(_));
        Some(TlsFacts {
            version: match common.protocol_version()? {
                ProtocolVersion::TLSv1_3 => "TLSv1.3",
                _ => "TLSv1.2",
            },
            cipher: common.negotiated_cipher_suite()?.suite().as_str()?,
            server_name: self.server_name.clone(),
            resumed: self.is_resumed(),
            client_certificate: common
                .peer_certificates()
                .filter(|_| of_client)
                .and_then(|chain| chain.first())
                .map(|first| first.as_ref().into()),
        })
    }
}

/// Records on their way to the socket, in a buffer that is made once: clearing it costs nothing, and neither does its room.
#[derive(Default)]
pub(crate) struct Sealed {
    bytes: Vec<u8>,
    /// How many of `bytes` are records; the rest is room.
    len: usize,
}

impl Sealed {
    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn push(&mut self, bytes: &[u8]) {
        self.room(bytes.len())[..bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    /// Room behind the records: so many bytes at least.
    fn room(&mut self, bytes: usize) -> &mut [u8] {
        if self.bytes.len() < self.len + bytes {
            self.bytes.resize(self.len + bytes, 0);
        }
        &mut self.bytes[self.len..]
    }
}

/// The two sides differ for rustls in type only.
trait Engine {
    type Data;
    fn wants_write(&self) -> bool;
    fn process<'c, 'i>(&'c mut self, cipher: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data>;
}

impl Engine for UnbufferedServerConnection {
    type Data = ServerConnectionData;
    fn wants_write(&self) -> bool {
        CommonState::wants_write(self)
    }
    fn process<'c, 'i>(&'c mut self, cipher: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.process_tls_records(cipher)
    }
}

impl Engine for UnbufferedClientConnection {
    type Data = ClientConnectionData;
    fn wants_write(&self) -> bool {
        CommonState::wants_write(self)
    }
    fn process<'c, 'i>(&'c mut self, cipher: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.process_tls_records(cipher)
    }
}

/// How far one call of [`Tls::open`] has come.
struct Read {
    used: usize,
    plain_bytes: usize,
    is_established: bool,
    has_ended: bool,
}

impl Read {
    fn drive<E: Engine>(
        &mut self,
        engine: &mut E,
        cipher: &mut [u8],
        plain: &mut [u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        loop {
            let UnbufferedStatus { mut discard, state } = engine.process(&mut cipher[self.used..]);
            let mut is_over = false;
            let mut is_settled = false;
            let mut failure = None;
            match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(record) = traffic.next_record() {
                        let record = record?;
                        discard += record.discard;
                        let end = self.plain_bytes + record.payload.len();
                        // Plaintext is shorter than its ciphertext, so a buffer of the same size has room.
                        let room = plain
                            .get_mut(self.plain_bytes..end)
                            .ok_or(Error::PeerSentOversizedRecord)?;
                        room.copy_from_slice(record.payload);
                        self.plain_bytes = end;
                    }
                    // Where all has been read and nothing is to be said, rustls need not be asked what comes next.
                    is_settled = self.is_established;
                }
                Ok(ConnectionState::EncodeTlsData(mut data)) => {
                    encode(out, |room| data.encode(room))?
                }
                Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
                Ok(ConnectionState::PeerClosed) => self.has_ended = true,
                Ok(ConnectionState::WriteTraffic(_)) => {
                    self.is_established = true;
                    is_over = true;
                }
                // Blocked in the handshake, or closed on both sides.
                Ok(_) => is_over = true,
                Err(error) => failure = Some(error),
            }
            self.used = cipher.len().min(self.used + discard);
            if let Some(error) = failure {
                last_words(engine, &mut cipher[self.used..], out);
                return Err(error);
            }
            if is_over || is_settled && self.used == cipher.len() && !engine.wants_write() {
                return Ok(());
            }
        }
    }
}

/// After a failure: the alert that rustls has for the peer.
fn last_words<E: Engine>(engine: &mut E, cipher: &mut [u8], out: &mut Vec<u8>) {
    // As long as something is to be written, rustls looks at nothing else; after that it would stumble over `cipher` again.
    while engine.wants_write() {
        let Ok(ConnectionState::EncodeTlsData(mut data)) = engine.process(cipher).state else {
            return;
        };
        if encode(out, |room| data.encode(room)).is_err() {
            return;
        }
    }
}

/// Appends records with `plain` in them, or the end.
fn seal<E: Engine>(
    engine: &mut E,
    partial: &mut [u8],
    plain: Option<&[u8]>,
    out: &mut Sealed,
) -> Result<(), Error> {
    loop {
        let mut writer = match engine.process(partial).state? {
            ConnectionState::WriteTraffic(writer) => writer,
            ConnectionState::EncodeTlsData(mut data) => {
                let mut words = Vec::new();
                encode(&mut words, |room| data.encode(room))?;
                out.push(&words);
                continue;
            }
            ConnectionState::TransmitTlsData(data) => {
                data.done();
                continue;
            }
            // The peer's end was told when it was read, and does not keep us from sending.
            ConnectionState::PeerClosed => continue,
            _ => return Err(Error::HandshakeNotComplete),
        };
        let len = plain.map_or(0, <[u8]>::len);
        let records = len.div_ceil(RECORD_BYTES);
        let mut room = len + records * RECORD_OVERHEAD_BYTES + SPARE_BYTES;
        loop {
            let free = out.room(room);
            let sealed = match plain {
                Some(plain) => writer.encrypt(plain, free),
                None => writer.queue_close_notify(free),
            };
            match sealed {
                Ok(written) => {
                    out.len += written;
                    return Ok(());
                }
                Err(EncryptError::InsufficientSize(wanted)) if wanted.required_size > room => {
                    room = wanted.required_size;
                }
                Err(_) => return Err(Error::EncryptError),
            }
        }
    }
}

/// Appends what rustls encodes, which tells its size only when asked without room.
fn encode(
    out: &mut Vec<u8>,
    mut write: impl FnMut(&mut [u8]) -> Result<usize, EncodeError>,
) -> Result<(), Error> {
    let start = out.len();
    let room = match write(&mut []) {
        Err(EncodeError::InsufficientSize(wanted)) => wanted.required_size,
        _ => 0,
    };
    out.resize(start + room, 0);
    let written = write(&mut out[start..]);
    out.truncate(start + written.as_ref().copied().unwrap_or(0));
    written.map(drop).map_err(|_| Error::EncryptError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_at_rest_is_small() {
        // With what rustls has on the heap, an idle connection is meant to stay below 6 KiB.
        assert!(size_of::<Tls>() <= 1536, "{}", size_of::<Tls>());
    }
}
