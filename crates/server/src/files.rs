//! Files below a directory, opened so that nothing outside can be reached: not by `..`, not by a link that leads out.
//!
//! The kernel resolves the path, so nobody can change it between a check and the opening. Says nothing about who may have
//! which file.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, fstat, open, openat, openat2};
use rustix::io::{Errno, pread};

/// A file that is open for reading, and what was known of it then.
#[derive(Clone, Debug)]
pub struct OpenFile {
    /// The descriptor, shared with answers that are under way.
    pub file: Arc<OwnedFd>,
    /// Its length in bytes.
    pub size: u64,
    /// When it was last changed, in nanoseconds since 1970.
    pub modified_ns: i128,
    /// Its number in the file system, and the file system's.
    pub inode: u64,
    /// See `inode`.
    pub device: u64,
}

/// What stands at a path.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A regular file.
    File(OpenFile),
    /// A directory.
    Directory,
    /// Nothing that may be read from here, for whatever reason.
    Nothing,
}

/// A directory whose files may be read, and no others.
///
/// It is looked for anew each time, as long as its name lasts: what is deployed by putting another directory, or a link to
/// one, in its place is served from then on.
#[derive(Debug)]
pub struct Root {
    path: PathBuf,
}

// What is no regular file must neither keep us waiting nor become our terminal.
const READ: OFlags = OFlags::RDONLY
    .union(OFlags::CLOEXEC)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY);

impl Root {
    /// The directory at a path, which is trusted.
    ///
    /// # Errors
    /// What open(2) may fail with; it is no directory.
    pub fn open(path: &Path) -> io::Result<Self> {
        let root = Self {
            path: std::path::absolute(path)?,
        };
        root.directory()?;
        Ok(root)
    }

    fn directory(&self) -> Result<OwnedFd, Errno> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        openat(CWD, &self.path, flags, Mode::empty())
    }

    /// What stands at a path below: its parts separated by slashes, none of them empty or a dot.
    ///
    /// # Errors
    /// Only what is the machine's fault: no descriptors, no memory, a disk that fails.
    pub fn entry(&self, path: &str) -> io::Result<Entry> {
        let is_plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains('\0');
        if !path.split('/').all(is_plain) {
            return Ok(Entry::Nothing);
        }
        let how = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        let opened = self.directory().and_then(|directory| {
            match openat2(&directory, path, READ, Mode::empty(), how) {
                // Kernels before 5.6, and sandboxes that do not know it.
                Err(Errno::NOSYS | Errno::PERM) => open_by_steps(directory, path),
                other => other,
            }
        });
        match opened {
            Ok(file) => examine(file),
            Err(
                error @ (Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::IO | Errno::AGAIN),
            ) => Err(error.into()),
            Err(_) => Ok(Entry::Nothing),
        }
    }
}

/// The same one part after the other, following no link at all.
fn open_by_steps(directory: OwnedFd, path: &str) -> Result<OwnedFd, Errno> {
    let mut parts = path.split('/').peekable();
    let mut here = directory;
    while let Some(part) = parts.next() {
        let flags = match parts.peek() {
            Some(_) => OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
            None => READ,
        };
        here = openat(&here, part, flags | OFlags::NOFOLLOW, Mode::empty())?;
    }
    Ok(here)
}

impl OpenFile {
    /// Opens a file by its own path, which is trusted.
    ///
    /// # Errors
    /// What open(2) may fail with; it is no regular file.
    pub fn open(path: &Path) -> io::Result<Self> {
        match examine(open(path, READ, Mode::empty())?)? {
            Entry::File(file) => Ok(file),
            Entry::Directory => Err(Errno::ISDIR.into()),
            Entry::Nothing => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "not a regular file",
            )),
        }
    }
}

impl OpenFile {
    /// All of it, if it has not become shorter.
    ///
    /// # Errors
    /// What pread(2) may fail with; it has become shorter.
    pub fn read(&self) -> io::Result<Vec<u8>> {
        let mut content = vec![0; usize::try_from(self.size).unwrap_or(usize::MAX)];
        let mut filled = 0;
        while filled < content.len() {
            match pread(&self.file, &mut content[filled..], filled as u64) {
                Ok(0) => return Err(Errno::IO.into()),
                Ok(count) => filled += count,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(content)
    }
}

fn examine(file: OwnedFd) -> io::Result<Entry> {
    let status = fstat(&file)?;
    Ok(match FileType::from_raw_mode(status.st_mode) {
        FileType::RegularFile => Entry::File(OpenFile {
            size: u64::try_from(status.st_size).unwrap_or_default(),
            modified_ns: i128::from(status.st_mtime) * 1_000_000_000 + status.st_mtime_nsec as i128,
            inode: status.st_ino,
            device: status.st_dev,
            file: Arc::new(file),
        }),
        FileType::Directory => Entry::Directory,
        _ => Entry::Nothing,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;

    use super::*;

    /// A directory of its own for each test, gone afterwards.
    struct Place(PathBuf);

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn place(name: &str) -> (Place, Root) {
        let top = std::env::temp_dir().join(format!("hubbub-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&top);
        fs::create_dir_all(top.join("root/sub")).expect("a directory");
        fs::write(top.join("secret"), "secret").expect("a file");
        fs::write(top.join("root/page"), "page").expect("a file");
        fs::write(top.join("root/sub/leaf"), "leaf").expect("a file");
        symlink("sub/leaf", top.join("root/inside")).expect("a link");
        symlink("../secret", top.join("root/outside")).expect("a link");
        symlink(top.join("secret"), top.join("root/absolute")).expect("a link");
        symlink("..", top.join("root/up")).expect("a link");
        let root = Root::open(&top.join("root")).expect("a root");
        (Place(top), root)
    }

    fn size(entry: &Entry) -> Option<u64> {
        match entry {
            Entry::File(file) => Some(file.size),
            _ => None,
        }
    }

    const OUTSIDE: [&str; 12] = [
        "outside",
        "absolute",
        "up",
        "up/secret",
        "../secret",
        "/etc/passwd",
        "sub/../../secret",
        "",
        ".",
        "sub//leaf",
        "page/",
        "page\0",
    ];

    #[test]
    fn only_what_is_below() {
        let (_place, root) = place("below");
        assert_eq!(size(&root.entry("page").expect("no fault")), Some(4));
        assert_eq!(size(&root.entry("sub/leaf").expect("no fault")), Some(4));
        assert_eq!(size(&root.entry("inside").expect("no fault")), Some(4));
        assert!(matches!(root.entry("sub"), Ok(Entry::Directory)));
        for path in OUTSIDE {
            assert!(matches!(root.entry(path), Ok(Entry::Nothing)), "{path}");
        }
    }

    #[test]
    fn step_by_step_no_link_is_followed() {
        let (_place, root) = place("steps");
        let by_steps = |path| open_by_steps(root.directory().expect("a directory"), path);
        assert!(by_steps("sub/leaf").is_ok());
        for path in ["inside", "outside", "absolute", "up/secret", "page/more"] {
            assert!(by_steps(path).is_err(), "{path}");
        }
    }

    #[test]
    fn what_is_put_in_the_place_of_the_directory_is_served() {
        let (place, _) = place("replaced");
        let current = place.0.join("current");
        symlink("root", &current).expect("a link");
        let root = Root::open(&current).expect("a root");
        assert_eq!(size(&root.entry("page").expect("no fault")), Some(4));
        fs::create_dir(place.0.join("next")).expect("a directory");
        fs::write(place.0.join("next/page"), "the next").expect("a file");
        symlink("next", place.0.join("new")).expect("a link");
        fs::rename(place.0.join("new"), &current).expect("a name");
        assert_eq!(size(&root.entry("page").expect("no fault")), Some(8));
        fs::remove_file(&current).expect("it is there");
        assert!(matches!(root.entry("page"), Ok(Entry::Nothing)));
    }

    #[test]
    fn devices_and_pipes_are_nothing() {
        let root = Root::open(Path::new("/dev")).expect("a root");
        assert!(matches!(root.entry("null"), Ok(Entry::Nothing)));
        let (place, root) = place("pipes");
        let pipe = place.0.join("root/pipe");
        let made = rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            FileType::Fifo,
            Mode::RUSR | Mode::WUSR,
            0,
        );
        made.expect("a pipe");
        assert!(matches!(root.entry("pipe"), Ok(Entry::Nothing)));
        assert!(OpenFile::open(&pipe).is_err());
    }
}
