//! Names that type parameters usually have. An attribute on a function does not see the parameters of its `impl`.

/// Names that type parameters with more than two characters often have.
const USUAL: [&str; 12] = ["Key", "Value", "Item", "Iter", "Fut", "Func", "Req", "Res", "Idx", "Acc", "Elem", "Out"];

/// Whether a name is a usual one for a type parameter: one or two characters, in capitals; or a word such as `Key`.
pub fn is_usual(name: &str) -> bool {
    let is_short = name.len() <= 2
        && name.starts_with(|letter: char| letter.is_ascii_uppercase())
        && !name.contains(|letter: char| letter.is_ascii_lowercase());
    is_short || USUAL.contains(&name)
}
