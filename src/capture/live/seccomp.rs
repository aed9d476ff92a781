//! The capture thread gives up every way of sending: the sensor must never talk on the network it watches.
//!
//! A seccomp filter answers the system calls that could put a frame on a wire, or start a program that
//! could, with EPERM. `write` counts among them, as writing to a packet socket sends: it stays allowed on
//! the standard outputs only, and the calls that could turn a socket into a standard output are refused.
//! Receiving, polling, memory and thread synchronisation are not touched. Another architecture's calls
//! kill the process.

use std::collections::BTreeMap;
use std::io;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch,
};

/// Refused whatever the arguments.
const REFUSED: &[libc::c_long] = &[
    // Making and directing sockets, sending.
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_sendmmsg,
    libc::SYS_sendfile,
    libc::SYS_splice,
    libc::SYS_tee,
    libc::SYS_vmsplice,
    libc::SYS_copy_file_range,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_submit,
    // A socket under another number, or somebody else's.
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_pidfd_getfd,
    // Other programs, other processes' memory.
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_writev,
];

#[cfg(target_arch = "x86_64")]
const REFUSED_X86_64: &[libc::c_long] = &[libc::SYS_dup2];
#[cfg(not(target_arch = "x86_64"))]
const REFUSED_X86_64: &[libc::c_long] = &[];

/// Refused unless the first argument is standard output or standard error.
const STANDARD_OUTPUTS_ONLY: &[libc::c_long] =
    &[libc::SYS_write, libc::SYS_writev, libc::SYS_pwrite64, libc::SYS_pwritev, libc::SYS_pwritev2];

/// Makes sending impossible for the calling thread, and for threads it starts from now on, for good.
/// Sockets opened before stay readable. Not undoable; call it once everything is open.
///
/// The thread must then wake others through memory (std channels, locks, parking): writing to an event
/// descriptor, as the wakers of asynchronous runtimes do, is refused too.
pub fn forbid_sending() -> io::Result<()> {
    let program = program().map_err(|error| io::Error::other(format!("seccomp filter: {error}")))?;
    seccompiler::apply_filter(&program).map_err(|error| {
        io::Error::other(format!("the kernel refused the seccomp filter that forbids sending: {error}"))
    })
}

fn program() -> Result<BpfProgram, seccompiler::BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for call in REFUSED.iter().chain(REFUSED_X86_64) {
        rules.insert(*call, Vec::new());
    }
    for call in STANDARD_OUTPUTS_ONLY {
        let other_than = |descriptor: libc::c_int| {
            let number = descriptor.unsigned_abs().into();
            SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, number)
        };
        let both = vec![other_than(libc::STDOUT_FILENO)?, other_than(libc::STDERR_FILENO)?];
        rules.insert(*call, vec![SeccompRule::new(both)?]);
    }
    let mut duplicating = Vec::new();
    for command in [libc::F_DUPFD, libc::F_DUPFD_CLOEXEC] {
        let number = command.unsigned_abs().into();
        let condition = SeccompCondition::new(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, number)?;
        duplicating.push(SeccompRule::new(vec![condition])?);
    }
    rules.insert(libc::SYS_fcntl, duplicating);
    add_x32(&mut rules);
    let refuse = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch)?.try_into()
}

/// On x86-64 the same calls have a second set of numbers (x32, bit 30 set), with a range of its own for
/// those that differ.
fn add_x32(rules: &mut BTreeMap<i64, Vec<SeccompRule>>) {
    if !cfg!(target_arch = "x86_64") {
        return;
    }
    const X32: i64 = 0x4000_0000;
    let twins: Vec<_> = rules.iter().map(|(call, rule)| (call | X32, rule.clone())).collect();
    rules.extend(twins);
    rules.extend((512..=547).map(|call| (call | X32, Vec::new())));
}
