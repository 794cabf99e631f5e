//! The table of routes: group of the listener, host, path and method to the route they lead to.
//!
//! All routes of a module can be replaced at once: the new table stands as a whole, or the old one stays.

use matchit::Router;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::route::{Route, RouteKind, owned};

/// For which hosts a site is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Host {
    /// One, in lower case.
    Exact(String),
    /// All below a name, which is kept with its leading dot.
    Below(String),
    /// Whatever nobody else is for.
    Any,
}

impl Host {
    /// Reads "example.org", "*.example.org" and, for any, "*".
    fn parse(text: &str) -> PyResult<Self> {
        let is_name = |name: &str| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
        };
        if text == "*" {
            return Ok(Self::Any);
        }
        let host = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        match host.strip_prefix('*') {
            Some(rest) if rest.strip_prefix('.').is_some_and(is_name) => {
                Ok(Self::Below(rest.to_owned()))
            }
            None if is_name(&host) || (host.starts_with('[') && host.ends_with(']')) => {
                Ok(Self::Exact(host))
            }
            _ => Err(PyValueError::new_err(format!(
                "not a host such as example.org or *.example.org: {text:?}"
            ))),
        }
    }

    /// Whether a request for this name, without port, is meant.
    fn takes(&self, name: &str) -> bool {
        match self {
            Self::Exact(host) => name.eq_ignore_ascii_case(host),
            Self::Below(end) => name
                .len()
                .checked_sub(end.len())
                .filter(|&at| at > 0)
                .and_then(|at| name.get(at..))
                .is_some_and(|rest| rest.eq_ignore_ascii_case(end)),
            Self::Any => true,
        }
    }

    /// In which order hosts are asked: the more is said, the earlier.
    fn rank(&self) -> (u8, std::cmp::Reverse<usize>) {
        match self {
            Self::Exact(_) => (0, std::cmp::Reverse(0)),
            Self::Below(end) => (1, std::cmp::Reverse(end.len())),
            Self::Any => (2, std::cmp::Reverse(0)),
        }
    }
}

/// The name in the value of a field `Host`: without port and final dot.
fn name_of(host: &str) -> &str {
    let name = match host.rfind([':', ']']) {
        Some(at) if host.as_bytes()[at] == b':' => &host[..at],
        _ => host,
    };
    name.strip_suffix('.').unwrap_or(name)
}

/// All that one path leads to: numbers of routes.
#[derive(Default)]
pub(crate) struct Place {
    pub(crate) websocket: Option<usize>,
    pub(crate) http: Vec<(String, usize)>,
}

impl Place {
    /// The route for a method; HEAD is answered by GET's, and any by one for "*".
    pub(crate) fn method(&self, method: &str) -> Option<usize> {
        let find = |wanted: &str| {
            self.http
                .iter()
                .find(|(known, _)| known == wanted)
                .map(|(_, index)| *index)
        };
        find(method)
            .or_else(|| (method == "HEAD").then(|| find("GET")).flatten())
            .or_else(|| self.any())
    }

    /// The route for any method, and for WebSockets.
    pub(crate) fn any(&self) -> Option<usize> {
        let found = self.http.iter().find(|(known, _)| known == "*");
        found.map(|(_, index)| *index)
    }

    /// A route for some method.
    pub(crate) fn some(&self) -> Option<usize> {
        self.http.first().map(|(_, index)| *index)
    }

    /// The value of an `Allow` field (RFC 9110 §10.2.1).
    pub(crate) fn allowed(&self) -> String {
        let mut methods: Vec<&str> = self
            .http
            .iter()
            .map(|(method, _)| method.as_str())
            .collect();
        if methods.contains(&"GET") || self.websocket.is_some() {
            methods.push("HEAD");
        }
        if self.websocket.is_some() && !methods.contains(&"GET") {
            methods.push("GET");
        }
        methods.push("OPTIONS");
        methods.sort_unstable();
        methods.dedup();
        methods.join(", ")
    }
}

/// The paths of one host in one group.
struct Site {
    group: u8,
    host: Host,
    router: Router<usize>,
    places: Vec<Place>,
    paths: Vec<String>,
}

impl Site {
    fn new(group: u8, host: Host) -> Self {
        Self {
            group,
            host,
            router: Router::new(),
            places: Vec::new(),
            paths: Vec::new(),
        }
    }

    fn add(&mut self, index: usize, route: &Route) -> PyResult<()> {
        let at = match self.paths.iter().position(|path| *path == route.path) {
            Some(at) => at,
            None => {
                self.router
                    .insert(&route.path, self.places.len())
                    .map_err(|error| {
                        PyValueError::new_err(format!("route {:?}: {error}", route.path))
                    })?;
                self.paths.push(route.path.clone());
                self.places.push(Place::default());
                self.places.len() - 1
            }
        };
        let place = &mut self.places[at];
        if route.kind == RouteKind::Http {
            if place.http.iter().any(|(method, _)| *method == route.method) {
                let (method, path) = (&route.method, &route.path);
                let text = format!("two routes for {method} {path:?}");
                return Err(PyValueError::new_err(text));
            }
            place.http.push((route.method.clone(), index));
        } else if place.websocket.is_some() {
            let text = format!("two websocket routes for {:?}", route.path);
            return Err(PyValueError::new_err(text));
        } else {
            place.websocket = Some(index);
        }
        Ok(())
    }
}

/// A route and where it stands.
struct Entry {
    route: Py<Route>,
    group: u8,
    host: Host,
}

impl Entry {
    /// Whether it is for the requests that another one was for.
    fn is_for_same(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.route.get(), other.route.get());
        let is_http = |route: &Route| route.kind == RouteKind::Http;
        ours.module == theirs.module
            && ours.path == theirs.path
            && is_http(ours) == is_http(theirs)
            && (!is_http(ours) || ours.method == theirs.method)
            && (self.group, &self.host) == (other.group, &other.host)
    }
}

/// What a table says of a request.
pub(crate) enum Found<'a> {
    Place(&'a Place),
    /// The path leads nowhere.
    Nothing,
    /// Nothing here is for that host (RFC 9110 §15.5.20).
    Misdirected,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Table {
    entries: Vec<Entry>,
    /// The first that is for a host and has the path is meant.
    sites: Vec<Site>,
}

impl Table {
    /// Adds a route; a table that refuses it is as before.
    pub(crate) fn add(&mut self, route: Py<Route>, group: u8, host: Option<&str>) -> PyResult<()> {
        let host = host.map_or(Ok(Host::Any), Host::parse)?;
        self.place(route, group, host)
    }

    /// The route of this number.
    #[inline]
    pub(crate) fn route(&self, index: usize) -> &Py<Route> {
        &self.entries[index].route
    }

    fn place(&mut self, route: Py<Route>, group: u8, host: Host) -> PyResult<()> {
        let index = self.entries.len();
        let site = self
            .sites
            .iter_mut()
            .find(|site| site.group == group && site.host == host);
        match site {
            Some(site) => site.add(index, route.get())?,
            None => {
                let mut site = Site::new(group, host.clone());
                site.add(index, route.get())?;
                self.sites.push(site);
                self.sites.sort_by_key(|site| site.host.rank());
            }
        }
        self.entries.push(Entry { route, group, host });
        Ok(())
    }

    /// Puts these routes in the place of all that a module has; a table that refuses one is as before.
    ///
    /// Every old route learns what has taken its place: the new one for the same requests, or none. Returns the old ones, to
    /// be dropped where that may run Python code.
    pub(crate) fn replace(
        &mut self,
        py: Python<'_>,
        module: u16,
        routes: Vec<(Py<Route>, u8, Option<String>)>,
    ) -> PyResult<Vec<Py<Route>>> {
        let mut table = Self::default();
        for entry in &self.entries {
            if entry.route.get().module != module {
                table.place(entry.route.clone_ref(py), entry.group, entry.host.clone())?;
            }
        }
        for (route, group, host) in routes {
            table.add(route, group, host.as_deref())?;
        }
        let old = std::mem::replace(self, table);
        let mut gone = Vec::new();
        for entry in old.entries {
            if entry.route.get().module == module {
                let successor = self.entries.iter().find(|new| new.is_for_same(&entry));
                let successor = successor.map(|new| new.route.clone_ref(py));
                entry.route.get().give_way(successor);
            }
            gone.push(entry.route);
        }
        Ok(gone)
    }

    /// What a path leads to: at its host or else, where that has no such path, at the one that is for any.
    #[inline]
    pub(crate) fn find(&self, group: u8, host: &str, path: &str) -> Found<'_> {
        let mut is_meant = false;
        for site in self.sites_for(group, host) {
            is_meant = true;
            if let Ok(found) = site.router.at(path) {
                return Found::Place(&site.places[*found.value]);
            }
        }
        if is_meant || self.sites.is_empty() {
            Found::Nothing
        } else {
            Found::Misdirected
        }
    }

    /// What stands in a path for the names in the pattern of the route that it leads to.
    pub(crate) fn params(&self, group: u8, host: &str, path: &str) -> Vec<(String, String)> {
        let found = self
            .sites_for(group, host)
            .find_map(|site| site.router.at(path).ok());
        found.map_or_else(Vec::new, |found| owned(&found.params))
    }

    fn sites_for(&self, group: u8, host: &str) -> impl Iterator<Item = &Site> {
        let name = name_of(host);
        self.sites
            .iter()
            .filter(move |site| site.group == group && site.host.takes(name))
    }
}
