//! The functions: a signature, a body and a call, each put together from parts.

use super::Dice;

/// What a function returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returns {
    /// Nothing.
    Unit,
    /// `u32`.
    Number,
    /// `String`.
    Text,
    /// `Result<u32, Odd>`.
    Odd,
    /// `Result<u32, Box<dyn std::error::Error>>`.
    Boxed,
    /// `Option<u32>`.
    Maybe,
    /// `impl Iterator<Item = u32>`.
    Numbers,
    /// `&str`, borrowed from an argument.
    Borrowed,
    /// `Box<dyn Debug>`.
    Dynamic,
}

const RETURNS: [Returns; 9] = [
    Returns::Unit,
    Returns::Number,
    Returns::Text,
    Returns::Odd,
    Returns::Boxed,
    Returns::Maybe,
    Returns::Numbers,
    Returns::Borrowed,
    Returns::Dynamic,
];

/// Where a function stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stands {
    Free,
    Method,
    Default,
    Implements,
    Nested,
    Macro,
}

/// A made-up function.
#[derive(Debug)]
pub struct Case {
    /// What it returns.
    pub returns: Returns,
    /// Its arguments that can be shown.
    pub shown: Vec<&'static str>,
    /// An expression that calls it and gives text.
    pub call: String,
    stands: Stands,
    number: usize,
    before: String,
    head: String,
    body: String,
}

/// An argument: how it is written, what is given for it, whether it is a `Display`, and a number made of it.
struct Argument {
    name: &'static str,
    written: &'static str,
    given: String,
    is_shown: bool,
    number: &'static str,
}

fn argument(dice: &mut Dice, place: usize) -> Argument {
    let value = dice.below(30);
    let names = [["a", "display", "value"], ["b", "guard", "r#type"], ["c", "call", "core"]][place];
    let name = names[dice.below(3)];
    let make =
        |written: &'static str, given: String, is_shown, number| Argument { name, written, given, is_shown, number };
    match dice.below(9) {
        0 => make("&str", format!("\"t{value}\""), true, "{}.len() as u32"),
        1 => make("String", format!("\"s{value}\".to_owned()"), true, "{}.len() as u32"),
        2 => make("Vec<u8>", format!("vec![{value}; 3]"), false, "{}.len() as u32"),
        3 => make(
            "Option<u32>",
            if value.is_multiple_of(3) { "None".into() } else { format!("Some({value})") },
            false,
            "{}.unwrap_or(5)",
        ),
        4 => make("Noisy", format!("Noisy(\"{}\")", ["x", "y", "z"][place]), false, "{}.0.len() as u32"),
        5 => make("impl Fn(u32) -> u32", format!("|n| n + {value}"), false, "{}(1)"),
        6 => make("&mut u32", format!("&mut {value}"), true, "{ *{} += 1; *{} }"),
        7 => make("[u8; 4]", format!("[{value}; 4]"), false, "u32::from({}[1])"),
        _ => make("u32", value.to_string(), true, "{}"),
    }
}

impl Case {
    /// Makes one up.
    pub fn new(dice: &mut Dice, number: usize) -> Self {
        let returns = RETURNS[dice.below(RETURNS.len())];
        let is_async = dice.once_in(3);
        let stands = match dice.below(8) {
            0 => Stands::Method,
            1 => Stands::Default,
            2 => Stands::Implements,
            3 => Stands::Nested,
            4 => Stands::Macro,
            _ => Stands::Free,
        };
        // Default methods that return `impl Trait` cannot be told apart from the trait's own.
        let arguments: Vec<Argument> = (0..dice.below(4)).map(|place| argument(dice, place)).collect();
        let in_trait = matches!(stands, Stands::Default | Stands::Implements);
        let returns = if in_trait && returns == Returns::Numbers { Returns::Number } else { returns };
        let mut written: Vec<String> = Vec::new();
        let mut sum = vec!["7_u32".to_owned()];
        let receiver = match stands {
            Stands::Method | Stands::Default | Stands::Implements => {
                sum.push("self.0".to_owned());
                if stands == Stands::Default {
                    sum.pop();
                }
                Some(dice.one(&["&self", "&mut self", "self", "mut self", "self: Box<Self>"]))
            }
            _ => None,
        };
        for Argument { name, written: kind, number, .. } in &arguments {
            let hidden = dice.once_in(8) && *kind != "&mut u32";
            let pattern = if hidden { "_".to_owned() } else { (*name).to_owned() };
            written.push(format!("{pattern}: {kind}"));
            if !hidden && !dice.once_in(5) {
                sum.push(number.replace("{}", name));
            }
        }
        let shown =
            arguments.iter().zip(&written).filter(|(argument, written)| argument.is_shown && !written.starts_with('_'));
        let shown: Vec<&'static str> = shown.map(|(argument, _)| argument.name).collect();
        if returns == Returns::Borrowed {
            written.push("source: &'s str".to_owned());
        }
        if dice.once_in(6) && stands != Stands::Implements {
            written.push("(left, Noisy(right)): (u32, &Noisy)".to_owned());
        }
        let has_pair = written.last().is_some_and(|last| last.starts_with("(left"));
        let lifetime = if returns == Returns::Borrowed { "<'s, T: Default + Debug>" } else { "<T: Default + Debug>" };
        let bound = if dice.once_in(4) { " where T: Clone" } else { "" };
        let output = match returns {
            Returns::Unit => String::new(),
            Returns::Number => " -> u32".into(),
            Returns::Text => " -> String".into(),
            Returns::Odd => " -> Result<u32, Odd>".into(),
            Returns::Boxed => " -> Result<u32, Box<dyn std::error::Error>>".into(),
            Returns::Maybe => " -> Option<u32>".into(),
            Returns::Numbers => " -> impl Iterator<Item = u32>".into(),
            Returns::Borrowed => " -> &'s str".into(),
            Returns::Dynamic => " -> Box<dyn Debug>".into(),
        };
        let keywords = match (is_async, in_trait) {
            (true, _) => "async ",
            (false, false) => dice.one(&["", "", "", "unsafe ", "extern \"C\" "]),
            (false, true) => "",
        };
        let is_unsafe = keywords == "unsafe ";
        let parameters: Vec<String> = receiver.iter().map(|receiver| (*receiver).to_owned()).chain(written).collect();
        let name = format!("case_{number}");
        let head = format!("{keywords}fn {name}{lifetime}({}){output}{bound}", parameters.join(", "));
        let before =
            (*dice.one(&["", "#[inline]\n", "/// Does something.\n", "#[allow(dead_code)]\n", "#[must_use]\n"]))
                .to_owned();
        let before = if before.starts_with("#[must_use]") && returns == Returns::Unit { String::new() } else { before };
        let visibility = if in_trait { "" } else { "pub " };
        let head = format!("{visibility}{head}");
        let may_panic = !keywords.starts_with("extern");
        let body = body(dice, returns, (is_async, may_panic), &sum.join(" + "));
        let mut given: Vec<String> = arguments.into_iter().map(|argument| argument.given).collect();
        if returns == Returns::Borrowed {
            given.push("\"borrowed text\"".to_owned());
        }
        if has_pair {
            given.push("(3, &Noisy(\"pair\"))".to_owned());
        }
        let call = call(number, stands, receiver.is_some(), &given, returns, is_async, is_unsafe, dice);
        Self { returns, shown, call, stands, number, before, head, body }
    }

    /// The function with these attributes.
    #[must_use]
    pub fn source(&self, attributes: &str) -> String {
        let Self { stands, number, before, head, body, .. } = self;
        let function = format!("{attributes}{before}{head} {{\n{body}}}\n");
        let boxed = "#[derive(Clone, Debug)]\n";
        match stands {
            Stands::Free => function,
            Stands::Method => format!("{boxed}pub struct Type{number}(pub u32);\nimpl Type{number} {{\n{function}}}\n"),
            Stands::Default => format!(
                "{boxed}pub struct Type{number}(pub u32);\npub trait Trait{number}: Sized {{\n{function}}}\nimpl Trait{number} for Type{number} {{}}\n"
            ),
            Stands::Implements => format!(
                "{boxed}pub struct Type{number}(pub u32);\npub trait Trait{number}: Sized {{\n{};\n}}\nimpl Trait{number} for Type{number} {{\n{function}}}\n",
                head.replace("mut self", "self")
                    .replace("&self", "&mut self")
                    .replace("&mut self", if head.contains("&mut self") { "&mut self" } else { "&self" })
            ),
            Stands::Nested => format!("pub mod nested_{number} {{\nuse super::*;\n{function}}}\n"),
            Stands::Macro => format!(
                "macro_rules! make_{number} {{ ({{ $($head:tt)* }} $body:block) => {{ $($head)* $body }}; }}\n\
                 make_{number}!({{\n{attributes}{before}{head}\n}} {{\n{body}}});\n"
            ),
        }
    }
}

fn body(dice: &mut Dice, returns: Returns, (is_async, may_panic): (bool, bool), sum: &str) -> String {
    let mut lines = vec![format!("let mut total = {sum};")];
    for _ in 0..dice.below(4) {
        let limit = dice.below(40);
        lines.push(match dice.below(11) {
            0 => format!("if total > {limit} {{ {} }}", early(dice, returns)),
            1 => "'outer: for i in 0..4_u32 { for j in 0..4_u32 { if i * j > 3 { break 'outer; } if j > i { continue 'outer; } total += i; } }".into(),
            2 => "let add = |more: u32| -> Option<u32> { let first = Some(more)?; if first > 3 { return None; } Some(first + 1) }; total += add(2).unwrap_or(9);".into(),
            3 if may_panic => format!("if total == {limit} {{ panic!(\"total {{total}}\"); }}"),
            4 => "let _local = Noisy(\"local\");".into(),
            5 => "{ let Ok(parsed) = \"4\".parse::<u32>() else { unreachable!() }; total += parsed; }".into(),
            6 => "total += { fn inner(value: u32) -> u32 { if value > 3 { return 3; } value } inner(total) };".into(),
            7 => "note(format_args!(\"at {total}\"));".into(),
            8 => "total += match total { 0..=9 => 1, n if n % 2 == 0 => 2, _ => { let Some(x) = Some(3) else { unreachable!() }; x } };".into(),
            9 if is_async => "pause().await;".into(),
            9 => "let text = { struct Ok(u32); let Ok(n) = Ok(total); n }; total = text;".into(),
            _ if returns == Returns::Boxed => format!("total += \"{}\".parse::<u32>()?;", ["5", "x", ""][dice.below(3)]),
            _ if returns == Returns::Odd => format!("total += if total % {} == 0 {{ Err(Odd(total)) }} else {{ Ok(1) }}?;", dice.below(3) + 1),
            _ if returns == Returns::Maybe => format!("total += total.checked_sub({limit})?;"),
            _ => "while total > 50 { total /= 2; if total == 13 { break; } }".into(),
        });
    }
    lines.push("let _made: T = T::default();".into());
    lines.push(match returns {
        Returns::Unit => "note(total);".into(),
        Returns::Number => "total".into(),
        Returns::Text => "format!(\"total {total}\")".into(),
        Returns::Odd => "if total % 7 == 0 { Err(Odd(total)) } else { Ok(total) }".into(),
        Returns::Boxed => "if total % 5 == 0 { Err(\"five\")? } else { Ok(total) }".into(),
        Returns::Maybe => "(total % 3 != 0).then_some(total)".into(),
        Returns::Numbers => "(0..total % 5).map(|n| n * 2)".into(),
        Returns::Borrowed => "&source[(total % 5) as usize..]".into(),
        Returns::Dynamic => "Box::new(total)".into(),
    });
    lines.into_iter().map(|line| line + "\n").collect()
}

fn early(dice: &mut Dice, returns: Returns) -> &'static str {
    match returns {
        Returns::Unit => "return;",
        Returns::Number => dice.one(&["return 1;", "return { 2 };", "return if total > 3 { 4 } else { 5 };"]),
        Returns::Text => "return String::from(\"early\");",
        Returns::Odd => dice.one(&["return Err(Odd(1));", "return Ok(2);", "Err(Odd(4))?;"]),
        Returns::Boxed => dice.one(&["return Err(\"early\".into());", "return Ok(3);", "Err(std::fmt::Error)?;"]),
        Returns::Maybe => dice.one(&["return None;", "return Some(1);", "None::<u32>?;"]),
        Returns::Numbers => "total = 3;",
        Returns::Borrowed => "return source;",
        Returns::Dynamic => "return Box::new(\"early\");",
    }
}

#[expect(clippy::too_many_arguments, reason = "all that a call is made of")]
fn call(
    number: usize,
    stands: Stands,
    has_receiver: bool,
    given: &[String],
    returns: Returns,
    is_async: bool,
    is_unsafe: bool,
    dice: &mut Dice,
) -> String {
    let arguments = given.join(", ");
    let path = match stands {
        Stands::Nested => format!("nested_{number}::case_{number}"),
        _ => format!("case_{number}"),
    };
    let call = if has_receiver {
        format!("Box::new(Type{number}(4)).case_{number}::<u8>({arguments})")
    } else {
        format!("{path}::<u8>({arguments})")
    };
    if is_async && dice.once_in(6) {
        return format!("format!(\"{{:?}}\", give_up({call}))");
    }
    let call = if is_async { format!("block_on({call})") } else { call };
    let shown = match returns {
        Returns::Numbers => format!("format!(\"{{:?}}\", {call}.collect::<Vec<_>>())"),
        _ => format!("format!(\"{{:?}}\", {call})"),
    };
    if is_unsafe { format!("unsafe {{ {shown} }}") } else { shown }
}
