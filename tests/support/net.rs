//! Network namespaces of a test's own, programs that run in them, and a folder to write to. Nothing leaves
//! the namespaces; everything is taken away when the test ends, also when it fails.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Why a test with namespaces cannot run here, if it cannot: privileges, programs or the kernel.
pub fn missing(programs: &[&str]) -> Option<String> {
    // SAFETY: no pointers, cannot fail.
    if unsafe { libc::geteuid() } != 0 {
        return Some("needs root".to_owned());
    }
    for program in programs {
        let found =
            Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        if found.is_err() {
            return Some(format!("needs the program {program}"));
        }
    }
    /// Tests run side by side.
    static PROBES: AtomicU32 = AtomicU32::new(0);
    let number = PROBES.fetch_add(1, Ordering::Relaxed);
    let probe = format!("gridtap-{}-probe{number}", std::process::id());
    let made = Command::new("ip").args(["netns", "add", &probe]).output().unwrap();
    if !made.status.success() {
        return Some(format!("namespaces: {}", String::from_utf8_lossy(&made.stderr).trim()));
    }
    let _ = Command::new("ip").args(["netns", "del", &probe]).output();
    None
}

/// A folder of the test's own, removed when it ends well and kept when it does not.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(test: &str) -> Folder {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        std::fs::write(self.file(name), content).unwrap();
        self.file(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

/// A network namespace; its interfaces go with it.
pub struct Namespace(String);

impl Namespace {
    /// A namespace without IPv6, whose interfaces then send nothing of themselves. The loopback is up.
    pub fn new(role: &str) -> Namespace {
        let namespace = Namespace(format!("gridtap-{}-{role}", std::process::id()));
        must(Command::new("ip").args(["netns", "add", &namespace.0]));
        for which in ["all", "default"] {
            let path = format!("/proc/sys/net/ipv6/conf/{which}/disable_ipv6");
            // Without IPv6 in the kernel there is no such file, and nothing to switch off.
            namespace.inside(move || _ = std::fs::write(path, "1"));
        }
        namespace.run("ip link set lo up");
        namespace
    }

    pub fn name(&self) -> &str {
        &self.0
    }

    /// Run a command in the namespace; it must succeed.
    pub fn run(&self, command: &str) -> String {
        let mut words = command.split(' ');
        let output = must(self.command(words.next().unwrap()).args(words));
        String::from_utf8(output.stdout).unwrap()
    }

    /// A command that will run in the namespace.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.0]).arg(program);
        command
    }

    /// Do something on a thread in the namespace.
    pub fn inside<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        self.spawn(work).join().unwrap()
    }

    /// Start something on a thread in the namespace.
    pub fn spawn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> std::thread::JoinHandle<T> {
        let handle = std::fs::File::open(format!("/run/netns/{}", self.0)).unwrap();
        std::thread::spawn(move || {
            // SAFETY: no pointers; concerns this thread only.
            let entered = unsafe { libc::setns(handle.as_raw_fd(), libc::CLONE_NEWNET) };
            assert_eq!(entered, 0, "{}", std::io::Error::last_os_error());
            work()
        })
    }

    /// What an HTTP server in the namespace answers: status and body. Status 0 if nobody listens.
    pub fn get(&self, address: &str, path: &str) -> (u16, String) {
        let (address, path): (SocketAddr, String) = (address.parse().unwrap(), path.to_owned());
        self.inside(move || ask(address, &path))
    }

    /// A counter of an interface, such as `tx_packets`.
    pub fn statistic(&self, interface: &str, name: &str) -> u64 {
        self.run(&format!("cat /sys/class/net/{interface}/statistics/{name}")).trim().parse().unwrap()
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).output();
    }
}

fn must(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

fn ask(address: SocketAddr, path: &str) -> (u16, String) {
    let Ok(mut stream) = TcpStream::connect(address) else { return (0, String::new()) };
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let status = text.split(' ').nth(1).unwrap().parse().unwrap();
    (status, text.split_once("\r\n\r\n").unwrap().1.to_owned())
}

/// A program that runs beside the test; killed if the test ends before it.
pub struct Process {
    child: Child,
    errors: PathBuf,
}

impl Process {
    /// Start it. What it says on standard error goes to a file, to be read at any time.
    pub fn start(command: &mut Command, errors: PathBuf) -> Process {
        let file = std::fs::File::create(&errors).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
        Process { child: command.spawn().unwrap(), errors }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How many seccomp filters its thread with this name is under.
    pub fn seccomp_filters(&self, thread: &str) -> Option<u32> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.id())).unwrap();
        let named = |task: &std::path::PathBuf| {
            std::fs::read_to_string(task.join("comm")).is_ok_and(|comm| comm.trim() == thread)
        };
        let task = tasks.map(|task| task.unwrap().path()).find(named)?;
        let status = std::fs::read_to_string(task.join("status")).unwrap();
        status.lines().find_map(|line| line.strip_prefix("Seccomp_filters:"))?.trim().parse().ok()
    }

    pub fn errors(&self) -> String {
        std::fs::read_to_string(&self.errors).unwrap_or_default()
    }

    /// The status, if it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Send a signal and wait for the end: the status and how long it took.
    pub fn stop(&mut self, signal: libc::c_int) -> (ExitStatus, Duration) {
        let begun = Instant::now();
        let pid = i32::try_from(self.child.id()).unwrap();
        // SAFETY: no pointers; the process is our child and has not been waited for.
        assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
        let mut status = None;
        wait(Duration::from_secs(20), || {
            status = self.ended();
            status.is_some()
        });
        let status = status.unwrap_or_else(|| panic!("does not end: {}", self.errors()));
        (status, begun.elapsed())
    }

    /// Processor time used so far by all threads that run now.
    pub fn cpu(&self) -> Duration {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.id())).unwrap();
        let used = threads.map(|thread| {
            // The first figure is the time on a processor in nanoseconds (proc(5)).
            let text = std::fs::read_to_string(thread.unwrap().path().join("schedstat")).unwrap();
            text.split(' ').next().unwrap().parse::<u64>().unwrap()
        });
        Duration::from_nanos(used.sum())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{}:\n{}", self.errors.display(), self.errors());
        }
    }
}

/// Look again and again until something is so; false if it is not in time.
pub fn wait(limit: Duration, mut so: impl FnMut() -> bool) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < limit {
        if so() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    so()
}

/// A file of JSON lines, whole lines only.
pub fn json_lines(path: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
