//! Values after the name of a secret that say something about it, and are none.

use crate::base::text;

/// Words that stand for the value: that there is none, what type it has, or what is wrong with it. In lower case, sorted.
const WORDS: &[&str] = &[
    "",
    "%s",
    "&str",
    "?",
    "absent",
    "array",
    "bigint",
    "bignumeric",
    "blank",
    "bool",
    "boolean",
    "bytes",
    "char",
    "date",
    "datetime",
    "decimal",
    "double",
    "empty",
    "expired",
    "false",
    "float",
    "float64",
    "hidden",
    "incorrect",
    "int",
    "int64",
    "integer",
    "invalid",
    "json",
    "masked",
    "missing",
    "n/a",
    "nil",
    "none",
    "not null",
    "null",
    "nullable",
    "numeric",
    "object",
    "option<string>",
    "optional",
    "record",
    "rejected",
    "repeated",
    "required",
    "revoked",
    "rotated",
    "str",
    "string",
    "struct",
    "text",
    "time",
    "timestamp",
    "true",
    "undefined",
    "unknown",
    "unset",
    "uuid",
    "varchar",
    "wrong",
    "{",
    "{}",
];

/// How references to a secret that is kept elsewhere begin.
const REFERENCES: [&str; 8] = [
    "projects/",
    "arn:aws:",
    "secret://",
    "op://",
    "vault://",
    "gcp-secret-manager://",
    "aws-secrets-manager://",
    "azure-key-vault://",
];

/// Whether a value means that there is none, or that it is filled in elsewhere.
pub fn is_placeholder(value: &str) -> bool {
    /// Longer than every word.
    const MAX: usize = 16;
    let is_word = value.len() <= MAX && WORDS.binary_search(&value.to_ascii_lowercase().as_str()).is_ok();
    let is_mask = value.len() >= 3 && value.bytes().all(|byte| matches!(byte, b'*' | b'x' | b'.'));
    let is_variable = value
        .strip_prefix('$')
        .is_some_and(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'));
    is_word || is_mask || is_variable || is_reference(value)
}

fn is_reference(value: &str) -> bool {
    let is_path = |start: &&str| value.strip_prefix(*start).is_some_and(|rest| rest.contains(['/', ':']));
    REFERENCES.iter().any(is_path) || reference(value) == Some(value.len())
}

/// The length of a reference that is filled in elsewhere, at the start of a text: `${DB_PASSWORD}`.
pub fn reference(text: &str) -> Option<usize> {
    /// Maximum length of what is between the brackets.
    const MAX: usize = 80;
    let (open, close) = [("${", "}"), ("{{", "}}"), ("<", ">")].into_iter().find(|(open, _)| text.starts_with(open))?;
    let inside = text::until(text::from(text, open.len()), MAX);
    let end = inside.find(close)?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ' | '/' | ':');
    text::until(inside, end).chars().all(is_name).then_some(open.len() + end + close.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_sorted() {
        assert!(WORDS.is_sorted_by(|left, right| left < right));
    }

    #[test]
    fn references_and_words_are_no_values() {
        for value in ["required", "STRING", "None", "***", "$DB_PASSWORD", "${DB}", "{{ password }}", "<password>"] {
            assert!(is_placeholder(value), "{value}");
        }
        for value in ["projects/p/secrets/db/versions/3", "arn:aws:secretsmanager:eu:1:secret:db", "op://vault/item"] {
            assert!(is_placeholder(value), "{value}");
        }
        for value in ["hunter2", "strings", "$hunter2", "projects", "<hunter2", "${x", "correct horse"] {
            assert!(!is_placeholder(value), "{value}");
        }
    }
}
