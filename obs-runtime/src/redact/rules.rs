//! Secrets that are recognised by their format: one table of their kinds.
//!
//! The scan of a text looks for the keywords of all rules at once; only the regular expressions of the rules whose keyword
//! occurs are run. See [`scan`](crate::redact::scan).

use std::ops::Range;

use regex::Captures;

use crate::redact::parts::{address, basic, bearer, device_code, group_or_whole, mixed, whole};

/// A format of secrets.
pub struct Rule {
    /// Texts of which one occurs in every secret of this format. Each contains a byte of [`PIVOTS`].
    pub keywords: &'static [&'static str],
    /// The regular expression. Byte-oriented where it can be.
    pub pattern: &'static str,
    /// The part to hide of a match.
    pub part: fn(&str, &Captures<'_>) -> Option<Range<usize>>,
}

const fn rule(keywords: &'static [&'static str], pattern: &'static str) -> Rule {
    Rule { keywords, pattern, part: whole }
}

/// As [`rule`], where the first group of the pattern, if it took part, is the secret.
const fn group(keywords: &'static [&'static str], pattern: &'static str) -> Rule {
    Rule { keywords, pattern, part: group_or_whole }
}

/// Bytes at which the scan compares keywords. The pivot of a keyword is the last of these bytes in it.
pub const PIVOTS: &[u8] = b"-_.JzKST~";

/// The rules. The place of a rule in the table is its number.
pub const RULES: &[Rule] = &[
    // HTTP credentials. "Basic configuration" and "bearer authentication" are prose. Found at their scheme.
    Rule { keywords: &[], pattern: r"(?i-u)\bbearer\s+([a-z0-9._~+/=-]{8,})", part: bearer },
    Rule { keywords: &[], pattern: r"(?i-u)\bbasic\s+([a-z0-9+/_-]{4,}={0,2})", part: basic },
    // E-mail addresses, also in the query of a URL and escaped in JSON. Found at `@`, `%40` and `\u0040`.
    Rule {
        keywords: &[],
        pattern: r"[A-Za-z0-9._%+'\-\x{c0}-\x{1fff}\x{2c00}-\x{2dff}\x{3040}-\x{fe0f}]+?(?:@|%40|\\+u0040)[A-Za-z0-9\-\x{c0}-\x{1fff}\x{2c00}-\x{2dff}\x{3040}-\x{fe0f}]+(?:\.[A-Za-z0-9\-\x{c0}-\x{1fff}\x{2c00}-\x{2dff}\x{3040}-\x{fe0f}]+)*\.[A-Za-z\x{c0}-\x{1fff}\x{2c00}-\x{2dff}\x{3040}-\x{fe0f}]{2,}",
        part: address,
    },
    // Sentry DSNs. Found at `@`.
    rule(&[], r"(?i-u)https?://[0-9a-f]{16,}(?::[0-9a-f]+)?@[a-z0-9.-]+(?::[0-9]+)?(?:/[a-z0-9._-]+)*/[0-9]+"),
    // Signatures of URLs, which grant access to anyone who has the URL. Found at `=`.
    group(&[], r#"(?i-u)(?:^|[?&;\s"'])(?:x-(?:amz|goog)-signature|signature|sig)=([a-z0-9%+/=._~-]{6,})"#),
    // Keys without a separator, found as long words: Databricks, Azure storage, crates.io, Mailchimp, Airtable.
    rule(
        &[],
        r"(?-u)\bdapi[0-9a-f]{32}(?:-[0-9])?\b|[0-9A-Za-z+/]{86}==|\bcio[0-9A-Za-z]{32}\b|\b[0-9a-f]{32}-us[0-9]{1,2}\b|\bpat[0-9A-Za-z]{14}\.[0-9a-f]{64}\b",
    ),
    // Bots of Telegram and Discord. Found at `:` and `.`.
    rule(
        &[],
        r"(?-u)(?:\b|bot)[0-9]{8,10}:[0-9A-Za-z_-]{35}\b|\b[MNO][0-9A-Za-z_-]{21,27}\.[0-9A-Za-z_-]{6}\.[0-9A-Za-z_-]{27,}",
    ),
    // Codes that a person enters to sign a device in. Found at `-`.
    Rule {
        keywords: &[],
        pattern: r"(?-u:\b)(?i-u:(?:user_|device_)?code)(?-u:[:=]|:?\s+)([A-Z0-9]{4}-[A-Z0-9]{4})(?:[^0-9A-Za-z-]|$)",
        part: device_code,
    },
    // JSON web tokens: signed (three parts), encrypted (five) or neither; keys of Grafana.
    rule(&["eyJ"], r"(?-u)eyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)+|eyJrIjoi[0-9A-Za-z=_-]{30,}"),
    // Private keys, also truncated ones: PEM, SSH2, PuTTY.
    rule(
        &["-----BEGIN", "---- BEGIN"],
        r"(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\z)|---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----.*?(?:---- END SSH2 ENCRYPTED PRIVATE KEY ----|\z)",
    ),
    group(&["Private-Lines"], r"(?-u)Private-Lines: [0-9]+((?:(?:\r?\n|\\+n)[0-9A-Za-z+/=]+)+)"),
    // Google: API keys, OAuth access tokens and client secrets.
    rule(
        &["AIz", "ya29.", "GOCSPX-"],
        r"(?-u)AIza[0-9A-Za-z_-]{30,}|ya29\.[0-9A-Za-z_-]{20,}|GOCSPX-[0-9A-Za-z_-]{20,}",
    ),
    // AWS access keys.
    rule(&["AK", "AS"], r"(?-u)\bA(?:K|S)IA[0-9A-Z]{16}\b"),
    // Azure: secrets of applications.
    rule(&["Q~"], r"(?-u)\b[0-9A-Za-z_~.-]{3}[0-9]Q~[0-9A-Za-z_~.-]{31,34}"),
    // Code hosts: GitHub, GitLab.
    rule(
        &["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"],
        r"(?-u)gh[pousr]_[0-9A-Za-z]{20,}|github_pat_[0-9A-Za-z_]{22,}",
    ),
    rule(
        &["glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glsoat-", "glagent-", "glimt-", "gloas-"],
        r"(?-u)\bgl(?:pat|dt|rt|cbt|ptt|ft|soat|agent|imt|oas)-[0-9A-Za-z_.-]{20,}",
    ),
    // Package registries: npm, PyPI, RubyGems, Docker.
    rule(
        &["npm_", "pypi-", "rubygems_", "dckr_"],
        r"(?-u)npm_[0-9A-Za-z]{36}|pypi-[0-9A-Za-z_-]{16,}|rubygems_[0-9a-f]{48}|dckr_(?:pat|oat)_[0-9A-Za-z_-]{20,}",
    ),
    // Chats: Slack, and the secret parts of webhook URLs of Slack, Discord and Teams.
    group(
        &[
            "xoxa-",
            "xoxb-",
            "xoxc-",
            "xoxd-",
            "xoxe-",
            "xoxe.",
            "xoxo-",
            "xoxp-",
            "xoxr-",
            "xoxs-",
            "xapp-",
            "hooks.slack",
        ],
        r"(?-u)xox[a-z][.-][0-9A-Za-z.-]{10,}|xapp-[0-9A-Za-z-]{10,}|hooks\.slack\.com/(?:services|workflows|triggers)/([0-9A-Za-z/]+)",
    ),
    group(
        &["discord.", "discordapp.", "webhook.office"],
        r"(?-u)discord(?:app)?\.com/api/webhooks/([0-9]+/[0-9A-Za-z_-]+)|webhook\.office\.com/webhookb2/([0-9A-Za-z@/-]+)",
    ),
    // Payments and mail: Stripe, Square, SendGrid, Mailgun, Twilio.
    rule(
        &["sk_live_", "sk_test_", "rk_live_", "rk_test_", "whsec_", "sq0atp-", "sq0csp-"],
        r"(?-u)[sr]k_(?:live|test)_[0-9A-Za-z]{16,}|whsec_[0-9A-Za-z+/=]{16,}|sq0(?:atp|csp)-[0-9A-Za-z_-]{22,}",
    ),
    rule(
        &["SG.", "key-", "SK"],
        r"(?-u)SG\.[0-9A-Za-z_-]{16,}\.[0-9A-Za-z_-]{16,}|\bkey-[0-9a-f]{32}\b|\bSK[0-9a-f]{32}\b",
    ),
    // Providers of language models.
    Rule { keywords: &["sk-"], pattern: r"(?-u)\bsk-[0-9A-Za-z_-]{20,}", part: mixed },
    rule(
        &["hf_", "r8_", "gsk_", "pplx-", "xai-"],
        r"(?-u)\bhf_[0-9A-Za-z]{20,}|\br8_[0-9A-Za-z]{37}|\bgsk_[0-9A-Za-z]{40,}|\bpplx-[0-9A-Za-z]{40,}|\bxai-[0-9A-Za-z]{60,}",
    ),
    // Infrastructure: Vault, Terraform, Doppler, Pulumi, age.
    rule(
        &["hvs.", "hvb.", "hvr.", "atlasv1.", "dp.", "pul-", "KEY-"],
        r"(?-u)\bhv[sbr]\.[0-9A-Za-z_-]{20,}|\b[0-9A-Za-z]{14}\.atlasv1\.[0-9A-Za-z_=-]{40,}|\bdp\.(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_-]+\.)?[0-9A-Za-z]{40,}|\bpul-[0-9a-f]{40}\b|AGE-SECRET-KEY-1[0-9A-Z]{20,}",
    ),
    // Clouds: DigitalOcean, Heroku, Fly, Netlify, Cloudflare, Tailscale, PlanetScale, Supabase.
    rule(
        &["v1_", "HRKU-", "fm2_", "fo1_", "nfp_", "v1.0-", "tskey-", "pscale_", "sbp_", "sb_secret_"],
        r"(?-u)\bdo[opr]_v1_[0-9a-f]{32,}|\bHRKU-[0-9A-Za-z_-]{30,}|\bfm2_[0-9A-Za-z+/=_-]{40,}|\bfo1_[0-9A-Za-z_-]{40,}|\bnfp_[0-9A-Za-z]{36,}|\bv1\.0-[0-9a-f]{24}-[0-9a-f]{100,}|\btskey-[a-z]+-[0-9A-Za-z-]{16,}|\bpscale_(?:tkn|pw|oauth)_[0-9A-Za-z=._-]{32,}|\bsbp_[0-9a-f]{40}|\bsb_secret_[0-9A-Za-z_-]{20,}",
    ),
    // Data and monitoring: dbt, Grafana, New Relic, Sentry, Postman.
    rule(
        &["dbtc_", "dbtu_", "glsa_", "glc_", "NRAK-", "NRII-", "NRJS-", "NRRA-", "sntrys_", "sntryu_", "PMAK-"],
        r"(?-u)\bdbt[cu]_[0-9A-Za-z_-]{20,}|\bglsa_[0-9A-Za-z]{32}_[0-9a-fA-F]{8}|\bglc_[0-9A-Za-z+/=]{32,}|\bNR(?:AK|II|JS|RA)-[0-9A-Za-z_-]{19,}|\bsntry[su]_[0-9A-Za-z+/=_-]{40,}|\bPMAK-[0-9a-f]{24}-[0-9a-f]{34}",
    ),
    // Offices: Atlassian, Notion, Linear, Figma, Shopify, HubSpot.
    rule(
        &["ATATT3", "secret_", "ntn_", "lin_", "figd_", "shpat_", "shpca_", "shppa_", "shpss_", "pat-na1-", "pat-eu1-"],
        r"(?-u)\bATATT3[0-9A-Za-z_=-]{32,}|\bsecret_[0-9A-Za-z]{43}\b|\bntn_[0-9A-Za-z]{40,}|\blin_(?:api|oauth)_[0-9A-Za-z]{32,}|\bfigd_[0-9A-Za-z_-]{36,}|\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}|\bpat-(?:na|eu)1-[0-9a-f-]{36}",
    ),
];

/// The numbers of the rules without keywords, which the scan finds by the structure of the text.
pub mod structural {
    /// `Bearer …`.
    pub const BEARER: usize = 0;
    /// `Basic …`.
    pub const BASIC: usize = 1;
    /// E-mail addresses.
    pub const ADDRESS: usize = 2;
    /// Sentry DSNs.
    pub const DSN: usize = 3;
    /// Signatures of URLs.
    pub const SIGNATURE: usize = 4;
    /// Long words.
    pub const LONG_WORD: usize = 5;
    /// Tokens of bots.
    pub const BOT: usize = 6;
    /// Codes of devices.
    pub const DEVICE_CODE: usize = 7;
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;

    #[test]
    fn every_rule_compiles() {
        for rule in RULES {
            assert!(Regex::new(rule.pattern).is_ok(), "{}", rule.pattern);
        }
    }

    #[test]
    fn the_rules_without_keywords_are_those_that_the_scan_knows() {
        let without = RULES.iter().take_while(|rule| rule.keywords.is_empty()).count();
        assert_eq!(without, structural::DEVICE_CODE + 1);
        assert!(RULES.iter().skip(without).all(|rule| !rule.keywords.is_empty()));
        assert!(RULES.len() <= 64, "the scan has a bit for each rule");
    }
}
