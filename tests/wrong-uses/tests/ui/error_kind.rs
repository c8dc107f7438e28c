//! `#[derive(ErrorKind)]`: accepted forms, then wrong uses.

use obs_runtime::ErrorKind;

#[derive(ErrorKind)]
enum LoadError<'a, T: Copy> {
    Timeout,
    HttpTimeout(T),
    BadRow { line: &'a u64 },
}

#[derive(ErrorKind)]
#[error_kind(crate = ::obs_runtime)]
enum Never {}

#[derive(ErrorKind)]
#[error_kind(with = Failed::label)]
struct Failed;

impl Failed {
    fn label(&self) -> &'static str {
        "failed"
    }
}

#[derive(ErrorKind)]
#[error_kind(wiht = Failed::label)]
struct UnknownKeyOfStruct;

#[derive(ErrorKind)]
#[error_kind(with = "label")]
struct TextOfPath {
    #[error_kind(with = label)]
    on_a_field: u8,
}

#[derive(ErrorKind)]
union Bits {
    byte: u8,
}

#[derive(ErrorKind)]
#[error_kind(crat = ::obs_runtime)]
enum UnknownKey {
    A,
}

#[derive(ErrorKind)]
#[error_kind(crate = obs_runtime)]
enum RelativePath {
    #[error_kind(crate = ::obs_runtime)]
    OnAVariant,
}

#[derive(Debug, ErrorKind)]
#[error_kind]
enum WithoutKey {
    Timeout,
}

fn main() {
    let _ = LoadError::<u8>::Timeout.error_kind();
    let _: fn(&Never) -> &'static str = Never::error_kind;
}
