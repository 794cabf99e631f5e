//! Endpoints from outside: against vectors, against a slow reading of the RFC, against each other, and what they cost.

mod costs;
mod cuttings;
mod oracle;
mod pair;
mod stream;
mod vectors;
