//! The table of routes: group of the listener, host, path and method to the route they lead to.
//!
//! A route keeps its number for as long as the table lives, so that a connection need only remember that.

use matchit::Router;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::route::{Route, RouteKind};

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
    /// The route for a method; HEAD is answered by GET's.
    pub(crate) fn method(&self, method: &str) -> Option<usize> {
        let find = |wanted: &str| {
            self.http
                .iter()
                .find(|(known, _)| known == wanted)
                .map(|(_, index)| *index)
        };
        find(method).or_else(|| (method == "HEAD").then(|| find("GET")).flatten())
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

    /// The route of this number.
    #[inline]
    pub(crate) fn route(&self, index: usize) -> Option<&Py<Route>> {
        self.entries.get(index).map(|entry| &entry.route)
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

    /// The same for a route that is known.
    pub(crate) fn params_of(&self, index: usize, path: &str) -> Vec<(String, String)> {
        let Some(entry) = self.entries.get(index) else {
            return Vec::new();
        };
        let site = self
            .sites
            .iter()
            .find(|site| site.group == entry.group && site.host == entry.host);
        site.and_then(|site| site.router.at(path).ok())
            .map_or_else(Vec::new, |found| owned(&found.params))
    }

    fn sites_for(&self, group: u8, host: &str) -> impl Iterator<Item = &Site> {
        let name = name_of(host);
        self.sites
            .iter()
            .filter(move |site| site.group == group && site.host.takes(name))
    }
}

fn owned(params: &matchit::Params<'_, '_>) -> Vec<(String, String)> {
    params
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
