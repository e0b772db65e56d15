//! Picks the instruction set once, at start: AVX-512, AVX2 with FMA, or what every processor has.

use std::sync::OnceLock;

/// Instruction sets the kernels are compiled for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub enum Isa {
    /// No assumption beyond the build target.
    Portable,
    /// AVX2 and FMA.
    Avx2,
    /// AVX-512 F, VL, BW and DQ.
    Avx512,
}

/// The best instruction set of this processor. `NEURONA_ISA=portable|avx2|avx512` lowers it, for tests.
pub fn isa() -> Isa {
    static ISA: OnceLock<Isa> = OnceLock::new();
    *ISA.get_or_init(|| {
        let limit = match std::env::var("NEURONA_ISA").as_deref() {
            Ok("portable") => Isa::Portable,
            Ok("avx2") => Isa::Avx2,
            _ => Isa::Avx512,
        };
        detect().min(limit)
    })
}

#[cfg(target_arch = "x86_64")]
fn detect() -> Isa {
    let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    let avx512 = ["avx512f", "avx512vl", "avx512bw", "avx512dq"];
    let has = |f: &str| match f {
        "avx512f" => is_x86_feature_detected!("avx512f"),
        "avx512vl" => is_x86_feature_detected!("avx512vl"),
        "avx512bw" => is_x86_feature_detected!("avx512bw"),
        _ => is_x86_feature_detected!("avx512dq"),
    };
    match (avx2, avx512.iter().all(|f| has(f))) {
        (true, true) => Isa::Avx512,
        (true, false) => Isa::Avx2,
        _ => Isa::Portable,
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn detect() -> Isa {
    Isa::Portable
}

/// Defines `$name(args)` as `$body(args)` compiled once per instruction set and chosen at run time.
/// `$body` is an `#[inline(always)]` function whose first generic parameter says whether a fused
/// multiply-add is one instruction.
macro_rules! per_isa {
    ($(#[$meta:meta])* $vis:vis fn $name:ident $(<$g:ident : $bound:path>)? ($($arg:ident : $ty:ty),* $(,)?) $(-> $ret:ty)? = $body:ident) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments)]
        $vis fn $name $(<$g: $bound>)? ($($arg: $ty),*) $(-> $ret)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma,bmi2")]
                #[allow(clippy::too_many_arguments)]
                fn avx512 $(<$g: $bound>)? ($($arg: $ty),*) $(-> $ret)? { $body::<true $(, $g)?>($($arg),*) }
                #[target_feature(enable = "avx2,fma")]
                #[allow(clippy::too_many_arguments)]
                fn avx2 $(<$g: $bound>)? ($($arg: $ty),*) $(-> $ret)? { $body::<true $(, $g)?>($($arg),*) }
                match $crate::isa::isa() {
                    // SAFETY: `isa()` returns these only where the processor has the features.
                    $crate::isa::Isa::Avx512 => return unsafe { avx512 $(::<$g>)? ($($arg),*) },
                    $crate::isa::Isa::Avx2 => return unsafe { avx2 $(::<$g>)? ($($arg),*) },
                    $crate::isa::Isa::Portable => {}
                }
            }
            $body::<false $(, $g)?>($($arg),*)
        }
    };
}
pub(crate) use per_isa;
