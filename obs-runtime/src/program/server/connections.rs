//! Limits the number of connections, of all clients and of each. Where there are too many, a new one closes the idle one that was
//! served first, or the first one that has sent no request in time; so idle clients cannot lock others out. One whose request
//! is being answered is not closed: the new one waits.
//!
//! One address cannot take all places. Beyond its share, it only closes connections of its own; if all of them are busy, the new
//! one is refused. Clients of this machine, which may be a proxy for many, wait instead.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::timeout;

/// The open connections.
#[derive(Debug)]
pub struct Connections {
    limit: usize,
    /// The most connections of one peer.
    share: usize,
    /// How long a connection may take for its first request when others wait.
    patience: Duration,
    open: Mutex<Open>,
    /// Notified when a connection is closed or idle.
    freed: Notify,
}

#[derive(Debug, Default)]
struct Open {
    /// Incremented at each event, to order activity.
    clock: u64,
    by_number: HashMap<u64, Connection>,
}

#[derive(Debug)]
struct Connection {
    peer: IpAddr,
    activity: Activity,
    task: Option<AbortHandle>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Activity {
    /// All its requests were answered, the last one at this event.
    Idle(u64),
    /// It has sent no request since it was opened.
    Fresh(Instant),
    /// A request is being answered.
    Busy,
}

/// Whether a connection may be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Room {
    Free,
    /// Not now.
    Full,
    /// The peer has its share.
    Refused,
}

/// What counts as one client: an address, or for IPv6 the network that one client usually has.
fn peer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
        address => address,
    }
}

impl Open {
    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }
}

impl Connections {
    pub fn new(limit: usize, patience: Duration) -> Self {
        // The rest is for others.
        let share = limit - limit / 4;
        Self { limit, share, patience, open: Mutex::default(), freed: Notify::new() }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a connection of this address, once there is room for it, until the returned value is dropped. `None` if the address
    /// has too many.
    pub async fn add(self: &Arc<Self>, address: IpAddr) -> Option<ConnectionGuard> {
        let peer = peer(address);
        loop {
            match self.make_room(peer) {
                Room::Free => break,
                Room::Refused => return None,
                // The time is over when a fresh connection has become too old.
                Room::Full => drop(timeout(self.patience / 4, self.freed.notified()).await),
            }
        }
        let mut open = self.open();
        let number = open.tick();
        open.by_number.insert(number, Connection { peer, activity: Activity::Fresh(Instant::now()), task: None });
        drop(open);
        Some(ConnectionGuard { number, connections: Arc::clone(self) })
    }

    /// Whether there is room for another connection of a peer. Closes one if need be.
    fn make_room(&self, peer: IpAddr) -> Room {
        let mut open = self.open();
        let of_peer = open.by_number.values().filter(|connection| connection.peer == peer).count();
        let has_share = of_peer >= self.share;
        if open.by_number.len() < self.limit && !has_share {
            return Room::Free;
        }
        let may_close = |connection: &Connection| match connection.activity {
            _ if has_share && connection.peer != peer => false,
            Activity::Idle(_) => true,
            Activity::Fresh(since) => since.elapsed() >= self.patience,
            Activity::Busy => false,
        };
        let candidates = open.by_number.iter().filter(|(_, connection)| may_close(connection));
        let first = candidates.min_by_key(|(_, connection)| connection.activity).map(|(number, _)| *number);
        if let Some(Connection { task: Some(task), .. }) = first.and_then(|number| open.by_number.remove(&number)) {
            task.abort();
            return Room::Free;
        }
        if has_share && !peer.is_loopback() { Room::Refused } else { Room::Full }
    }

    /// Sets the task that serves a connection.
    pub fn attach(&self, number: u64, task: AbortHandle) {
        if let Some(connection) = self.open().by_number.get_mut(&number) {
            connection.task = Some(task);
        }
    }
}

/// Removes its connection when it is dropped.
#[derive(Debug)]
pub struct ConnectionGuard {
    number: u64,
    connections: Arc<Connections>,
}

impl ConnectionGuard {
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Marks the connection as busy until the returned value is dropped.
    pub fn begin_request(&self) -> BusyGuard {
        if let Some(connection) = self.connections.open().by_number.get_mut(&self.number) {
            connection.activity = Activity::Busy;
        }
        BusyGuard { number: self.number, connections: Arc::clone(&self.connections) }
    }
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        self.connections.open().by_number.remove(&self.number);
        self.connections.freed.notify_one();
    }
}

/// Marks its connection as idle when it is dropped.
#[derive(Debug)]
pub struct BusyGuard {
    number: u64,
    connections: Arc<Connections>,
}

impl Drop for BusyGuard {
    fn drop(&mut self) {
        let mut open = self.connections.open();
        let now = open.tick();
        if let Some(connection) = open.by_number.get_mut(&self.number) {
            connection.activity = Activity::Idle(now);
        }
        drop(open);
        self.connections.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_TIME: Duration = Duration::ZERO;

    fn address(last: u8) -> IpAddr {
        [203, 0, 113, last].into()
    }

    #[tokio::test]
    async fn one_address_cannot_take_the_places_of_others() {
        let connections = Arc::new(Connections::new(8, Duration::from_hours(1)));
        let mut open = Vec::new();
        for _ in 0..6 {
            let guard = connections.add(address(1)).await.unwrap();
            open.push((guard.begin_request(), guard));
        }
        assert!(connections.add(address(1)).await.is_none(), "all of its own are busy");
        let (second, third) = (connections.add(address(2)).await.unwrap(), connections.add(address(3)).await);
        assert!(third.is_some());
        // All places are taken: an idle connection makes room for any client.
        drop(second.begin_request());
        connections.attach(second.number(), tokio::spawn(std::future::pending::<()>()).abort_handle());
        assert!(connections.add(address(4)).await.is_some());
    }

    #[tokio::test]
    async fn an_address_with_its_share_closes_connections_of_its_own_only() {
        let connections = Arc::new(Connections::new(8, NO_TIME));
        let task = || tokio::spawn(std::future::pending::<()>()).abort_handle();
        let other = connections.add(address(2)).await.unwrap();
        connections.attach(other.number(), task());
        let mut open = Vec::new();
        for _ in 0..20 {
            let guard = connections.add(address(1)).await.unwrap();
            connections.attach(guard.number(), task());
            open.push(guard);
        }
        let open = connections.open();
        assert!(open.by_number.contains_key(&other.number()));
        assert_eq!(open.by_number.len(), 7);
    }

    #[tokio::test]
    async fn clients_of_this_machine_wait_for_a_place() {
        let connections = Arc::new(Connections::new(4, Duration::from_hours(1)));
        let local = IpAddr::from([127, 0, 0, 1]);
        let first = connections.add(local).await.unwrap();
        let busy: Vec<_> = [connections.add(local).await.unwrap(), connections.add(local).await.unwrap()].into();
        let requests: Vec<_> = busy.iter().chain([&first]).map(ConnectionGuard::begin_request).collect();
        assert!(timeout(Duration::from_millis(50), connections.add(local)).await.is_err(), "it waits");
        drop((requests, first));
        assert!(connections.add(local).await.is_some());
    }

    #[test]
    fn an_ipv6_network_is_one_client() {
        let peer_of = |text: &str| peer(text.parse().unwrap());
        assert_eq!(peer_of("2001:db8::1"), peer_of("2001:db8::ffff:1"));
        assert_ne!(peer_of("2001:db8::1"), peer_of("2001:db8:0:1::1"));
        assert_eq!(peer_of("::ffff:192.0.2.1"), peer_of("192.0.2.1"));
        assert!(peer_of("::1").is_loopback());
    }
}
