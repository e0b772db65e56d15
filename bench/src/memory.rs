//! How much memory a process has needed.

/// The most memory this process has had at once so far, in bytes; `None` where the system does not say (only Linux
/// does). What a single workload needs is therefore measured in a process of its own.
///
/// ```
/// assert!(bench::memory::peak().is_none_or(|bytes| bytes > 100_000));
/// ```
pub fn peak() -> Option<u64> {
    high_water(&std::fs::read_to_string("/proc/self/status").ok()?)
}

/// The line `VmHWM: … kB` ("high water mark", proc_pid_status(5)), where kB means 1024 bytes.
fn high_water(status: &str) -> Option<u64> {
    let rest = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    rest.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|k| k * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_high_water_mark_is_found() {
        assert_eq!(high_water("Name:\tneurona\nVmPeak:\t  300000 kB\nVmHWM:\t  123456 kB\nVmRSS:\t 100 kB\n"), Some(123_456 * 1024));
        assert_eq!([high_water("VmRSS:\t100 kB"), high_water("VmHWM:\tmuch"), high_water("")], [None; 3]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn memory_that_is_written_counts() {
        let before = peak().unwrap();
        let block = vec![1u8; 64 << 20];
        assert!(peak().unwrap() >= before.min(32 << 20) + (32 << 20) && block[before as usize % block.len()] == 1);
    }
}
