//! Time on a CPU.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// A stopwatch of the time that this process spends on a CPU. Other programs on the machine hardly change it.
pub struct Stopwatch(Duration);

impl Stopwatch {
    pub fn start() -> Self {
        Self(now())
    }

    pub fn elapsed(&self) -> Duration {
        now().saturating_sub(self.0)
    }
}

fn now() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).expect("CPU time is positive")
}
