//! Memory that is watched: where reading it would end the process with SIGBUS, it becomes zeros.
//!
//! The handler may interrupt any thread anywhere, so all that it does is walk a list that only ever grows, compare numbers and call
//! `mmap`. SIGBUS from elsewhere goes to the handler that was there before.

use std::io;
use std::ops::Range;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};

/// A place in the list of what is watched. It is never freed, but used again.
struct Slot {
    taken: AtomicBool,
    /// 0 while nothing is watched. Written last and erased first, so that a start never goes with the end of another range.
    end: AtomicUsize,
    start: AtomicUsize,
    torn: AtomicBool,
    next: *const Slot,
}

/// The newest slot.
static SLOTS: AtomicPtr<Slot> = AtomicPtr::new(ptr::null_mut());
/// What handled SIGBUS before.
static BEFORE: OnceLock<libc::sigaction> = OnceLock::new();
static PAGE: AtomicUsize = AtomicUsize::new(0);

/// Watches a range of addresses until it is dropped.
pub(super) struct Watch {
    slot: &'static Slot,
}

// SAFETY: a slot is atomics, and a link that is set before anybody else can see it.
unsafe impl Sync for Slot {}

impl Watch {
    pub(super) fn new(range: Range<usize>) -> io::Result<Watch> {
        install()?;
        let slot = slots().find(|slot| !slot.taken.swap(true, Ordering::AcqRel)).unwrap_or_else(add_slot);
        slot.torn.store(false, Ordering::Release);
        slot.start.store(range.start, Ordering::Release);
        slot.end.store(range.end, Ordering::Release);
        Ok(Watch { slot })
    }

    /// Whether nothing had to be replaced so far.
    pub(super) fn is_whole(&self) -> bool {
        !self.slot.torn.load(Ordering::Acquire)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.slot.end.store(0, Ordering::Release);
        self.slot.taken.store(false, Ordering::Release);
    }
}

fn slots() -> impl Iterator<Item = &'static Slot> {
    let mut next = SLOTS.load(Ordering::Acquire).cast_const();
    std::iter::from_fn(move || {
        // SAFETY: the list holds slots that live for ever, and ends with null.
        let slot = unsafe { next.as_ref()? };
        next = slot.next;
        Some(slot)
    })
}

fn add_slot() -> &'static Slot {
    let slot = Box::into_raw(Box::new(Slot {
        taken: AtomicBool::new(true),
        end: AtomicUsize::new(0),
        start: AtomicUsize::new(0),
        torn: AtomicBool::new(false),
        next: ptr::null(),
    }));
    let mut head = SLOTS.load(Ordering::Acquire);
    loop {
        // SAFETY: nobody else knows the slot yet.
        unsafe { (*slot).next = head };
        match SLOTS.compare_exchange(head, slot, Ordering::AcqRel, Ordering::Acquire) {
            // SAFETY: it is never freed, and from here on only read.
            Ok(_) => return unsafe { &*slot },
            Err(other) => head = other,
        }
    }
}

/// Installs the handler, once in a process.
fn install() -> io::Result<()> {
    static INSTALLED: OnceLock<Option<i32>> = OnceLock::new();
    let failed = INSTALLED.get_or_init(|| {
        // SAFETY: asks for a number.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        PAGE.store(usize::try_from(page).unwrap_or(4096), Ordering::Release);
        // SAFETY: both structures are plain data for which zeros are valid, and live through the calls; the handler has the
        // signature that SA_SIGINFO asks for. It is told what was there before it is installed.
        unsafe {
            let mut before: libc::sigaction = std::mem::zeroed();
            if libc::sigaction(libc::SIGBUS, ptr::null(), &mut before) != 0 {
                return io::Error::last_os_error().raw_os_error();
            }
            BEFORE.get_or_init(|| before);
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = on_sigbus as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            libc::sigemptyset(&mut action.sa_mask);
            if libc::sigaction(libc::SIGBUS, &action, ptr::null_mut()) != 0 {
                return io::Error::last_os_error().raw_os_error();
            }
        }
        None
    });
    failed.map_or(Ok(()), |code| Err(io::Error::from_raw_os_error(code)))
}

extern "C" fn on_sigbus(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the system hands over a valid structure with the address that was touched.
    let address = unsafe { (*info).si_addr() }.addr();
    for slot in slots() {
        let end = slot.end.load(Ordering::Acquire);
        let start = slot.start.load(Ordering::Acquire);
        if (start..end).contains(&address) && slot.end.load(Ordering::Acquire) == end && replace(address, end) {
            slot.torn.store(true, Ordering::Release);
            return;
        }
    }
    // SAFETY: hands the signal on as the system would have: to a handler of the kind that its flags tell, else to the default, which
    // ends the process when the instruction is tried again.
    unsafe {
        match BEFORE.get() {
            Some(before) if before.sa_sigaction != libc::SIG_DFL && before.sa_sigaction != libc::SIG_IGN => {
                if before.sa_flags & libc::SA_SIGINFO != 0 {
                    let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) =
                        std::mem::transmute(before.sa_sigaction);
                    handler(signal, info, context);
                } else {
                    let handler: extern "C" fn(libc::c_int) = std::mem::transmute(before.sa_sigaction);
                    handler(signal);
                }
            }
            _ => {
                let mut default: libc::sigaction = std::mem::zeroed();
                default.sa_sigaction = libc::SIG_DFL;
                libc::sigaction(libc::SIGBUS, &default, ptr::null_mut());
            }
        }
    }
}

/// Puts zeros in the place of everything from the page of `address` to `end`.
fn replace(address: usize, end: usize) -> bool {
    let page = PAGE.load(Ordering::Acquire);
    let begin = address - address % page;
    let zeros = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
    // SAFETY: the range is part of a map that is watched, which nobody else owns, and stays mapped until it is dropped as a whole.
    unsafe { libc::mmap(begin as *mut libc::c_void, end - begin, libc::PROT_READ, zeros, -1, 0) != libc::MAP_FAILED }
}
