//! The Python module `hubbub._core`: bindings only.
//!
//! Nothing here knows the protocol or the sockets; it turns events into calls and arguments into bytes. The public face is
//! `python/hubbub`, its types are in `_core.pyi`.

mod answers;
mod authors;
mod bench;
mod caller;
mod cell;
mod channels;
mod client;
mod convert;
mod dispatch;
mod driver;
mod engine;
mod errors;
mod exchange;
mod file;
mod handover;
mod insight;
mod lag;
mod large;
mod pace;
mod park;
mod peers;
mod processor;
mod request;
mod requests;
mod route;
mod sent;
mod settings;
mod steps;
mod stream;
mod table;
mod text;
mod timers;
mod tls;
mod watch;
mod websocket;

use pyo3::prelude::*;

/// How much memory this machine has, in bytes.
#[pyfunction]
fn system_memory_bytes() -> u64 {
    hubbub_server::system_memory_bytes()
}

/// Asks for short slices of the processor for the calling thread.
#[pyfunction]
fn prefer_short_slices() {
    hubbub_server::prefer_short_slices();
}

#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<engine::Engine>()?;
    module.add_class::<route::Route>()?;
    module.add_class::<request::Request>()?;
    module.add_class::<request::Headers>()?;
    module.add_class::<exchange::Exchange>()?;
    module.add_class::<file::OpenFile>()?;
    module.add_class::<file::Directory>()?;
    module.add_class::<websocket::WebSocket>()?;
    module.add_class::<sent::Sent>()?;
    module.add_class::<channels::Channels>()?;
    module.add_class::<authors::Authors>()?;
    module.add_class::<pace::Pace>()?;
    module.add_class::<tls::TlsContext>()?;
    module.add_class::<tls::TlsInfo>()?;
    module.add_class::<tls::TlsTrust>()?;
    module.add_function(wrap_pyfunction!(channels::delta, module)?)?;
    module.add_function(wrap_pyfunction!(answers::prefers_json, module)?)?;
    module.add_function(wrap_pyfunction!(bench::bench, module)?)?;
    module.add_function(wrap_pyfunction!(system_memory_bytes, module)?)?;
    module.add_function(wrap_pyfunction!(prefer_short_slices, module)?)?;
    let py = module.py();
    steps::install::<driver::Driver>(py);
    steps::install::<sent::Ready>(py);
    steps::install::<stream::Messages>(py);
    steps::install_itself::<stream::Messages>(py);
    Ok(())
}
