//! Keys and tokens of providers. All are made up, and written in two parts so that no scanner takes them for real ones.

use super::{Sample, sample};

pub const FORMATS: &[Sample] = &[
    sample("github", concat!("ghu", "_u8jzPde0IgxLd6GncfBAepfJBd0Kh8oOOL8d"), "u8jzPde0IgxLd6GncfBAepfJBd0Kh8oOOL8d"),
    sample("github", concat!("ghs", "_KLzdocJ2isAjIhKtJ0RlgLKOmxgJTeKdNnFR"), "KLzdocJ2isAjIhKtJ0RlgLKOmxgJTeKdNnFR"),
    sample("github", concat!("ghr", "_IBXuDL7DxtpYlSXpfKtHF4vUCsMehGAkWvj7"), "IBXuDL7DxtpYlSXpfKtHF4vUCsMehGAkWvj7"),
    sample("gitlab", concat!("gldt", "-FAc9QeWJKY40uvSwMFLZ"), "FAc9QeWJKY40uvSwMFLZ"),
    sample("gitlab", concat!("glrt", "-De1f8rESQedUStPKR0Cs"), "De1f8rESQedUStPKR0Cs"),
    sample("gitlab", concat!("glcbt", "-Ty4Qwb8DwkNhFdnXsiVpzz63"), "Ty4Qwb8DwkNhFdnXsiVpzz63"),
    sample(
        "gitlab",
        concat!("glptt", "-f25ec84d8dbc74254770f58904dba41ecccc3fc1"),
        "f25ec84d8dbc74254770f58904dba41ecccc3fc1",
    ),
    sample("gitlab", concat!("glft", "-menCkhvMdgaKjIg8xNbe"), "menCkhvMdgaKjIg8xNbe"),
    sample("gitlab", concat!("glsoat", "-3nNyjOq9wMxEhh2FDEEt"), "3nNyjOq9wMxEhh2FDEEt"),
    sample("databricks", concat!("dap", "i243a8f506b40928b5b7a767c76fb008f"), "243a8f506b40928b5b7a767c76fb008f"),
    sample("databricks", concat!("dap", "i86bebb2737f6a6f0fb23c6f5da2cec25"), "86bebb2737f6a6f0fb23c6f5da2cec25"),
    sample("databricks", concat!("dap", "i5404e4fb440034d6608697a8d41bed44-2"), "5404e4fb440034d6608697a8d41bed44"),
    sample("dbt", concat!("dbtc", "_HGb3CXlMaXZjljENUhJduRHHJEYXg4Jdpmrc"), "HGb3CXlMaXZjljENUhJduRHHJEYXg4Jdpmrc"),
    sample("dbt", concat!("dbtu", "_XgGCJbW56eCuNGMGmSrCGIZEG8pSH4487q7J"), "XgGCJbW56eCuNGMGmSrCGIZEG8pSH4487q7J"),
    sample(
        "grafana",
        concat!("glsa", "_58m1CiAhzCueQpBenQtYh5Xj8TPQxjq4_0123abcd"),
        "58m1CiAhzCueQpBenQtYh5Xj8TPQxjq4",
    ),
    sample(
        "grafana",
        concat!("glc", "_i9DoV8gz4FkQ1okTBGzvAmwufUxbvJDCTbyvHNsG9eh6Yo4gfqrc5XlrWi0B"),
        "i9DoV8gz4FkQ1okTBGzvAmwufUxbvJDCTbyvHNsG9eh6Yo4gfqrc5XlrWi0B",
    ),
    sample(
        "grafana",
        concat!("eyJrIjo", "i26R08qzjI6GKFSufrdZSlB5er8bOfZqfM2oeq3hDavJA76rNicHTp8hkqdlm"),
        "26R08qzjI6GKFSufrdZSlB5er8bOfZqfM2oeq3hDavJA76rNicHTp8hkqdlm",
    ),
    sample("new relic", concat!("NRAK", "-TT7NS26LRWBQCAB69M64P2G158Z"), "TT7NS26LRWBQCAB69M64P2G158Z"),
    sample("new relic", concat!("NRII", "-GtSnovm14TUOizwd1iaeOV4qBkdfQ1y3"), "GtSnovm14TUOizwd1iaeOV4qBkdfQ1y3"),
    sample("new relic", concat!("NRJS", "-9791e558e08baa7196b"), "9791e558e08baa7196b"),
    sample(
        "new relic",
        concat!("NRRA", "-50ac2f86702824c1c099724caf4941d4072014b3ce"),
        "50ac2f86702824c1c099724caf4941d4072014b3ce",
    ),
    sample(
        "telegram",
        concat!("7265914831:AA", "HJdObOIRpFqaDZeV7G5IfQHeVVEqZe2qp"),
        "JdObOIRpFqaDZeV7G5IfQHeVVEqZe2qp",
    ),
    sample(
        "telegram",
        concat!("https://api.telegram.org/bot7265914832:AA", "FUWnoVPDF2yeE6RsXcNOPmeMjvqPVStNK/sendMessage"),
        "UWnoVPDF2yeE6RsXcNOPmeMjvqPVStNK",
    ),
    sample(
        "discord",
        concat!("MTAxNTg0NDAzNTI1MDgzMT.GhJ2kL", ".iaEdFrRgSnRFsTHsDDDXh5Jmtf7EbsDe0G9Cry"),
        "iaEdFrRgSnRFsTHsDDDXh5Jmtf7EbsDe0G9Cry",
    ),
    sample(
        "discord",
        concat!("https://discord.com/api/webhooks/1015844035", "/n687neLfjVHq8xiM0OGr4hTxoF54Fzbka8FRCztU"),
        "n687neLfjVHq8xiM0OGr4hTxoF54Fzbka8FRCztU",
    ),
    sample(
        "discord",
        concat!("https://discordapp.com/api/webhooks/1015844036", "/jAwyuh1vauWv1zh87mTa5Vsqxezy3Lex7BWr2drg"),
        "jAwyuh1vauWv1zh87mTa5Vsqxezy3Lex7BWr2drg",
    ),
    sample(
        "teams",
        concat!("https://acme.webhook.office.com/webhookb2", "/dsjpr16umx1bz99nfd02is5d9ik40vstqqzp/IncomingWebhook"),
        "dsjpr16umx1bz99nfd02is5d9ik40vstqqzp",
    ),
    sample("twilio", concat!("S", "K9fc35526f7eaed46725a2a7b860dcd6c"), "9fc35526f7eaed46725a2a7b860dcd6c"),
    sample("twilio", concat!("S", "K8a1f8b46287cced9041dff02cee73744"), "8a1f8b46287cced9041dff02cee73744"),
    sample(
        "atlassian",
        concat!("ATATT3xFfGF", "0HRg80USP2W5DfJXcaYioK6cPTt9iOqHOBSWhgetH8LmyqoYMaaItDr9uP14p"),
        "HRg80USP2W5DfJXcaYioK6cPTt9iOqHOBSWhgetH8LmyqoYMaaItDr9uP14p",
    ),
    sample(
        "atlassian",
        concat!("ATATT3xFfGF", "0EHpJpb9ATPtdbmF4RPAfqoQB7xoFcSvTAxRzmaZsV2GenFmtX0moDoqW4sg8"),
        "EHpJpb9ATPtdbmF4RPAfqoQB7xoFcSvTAxRzmaZsV2GenFmtX0moDoqW4sg8",
    ),
    sample(
        "notion",
        concat!("secret", "_NFNl5oFA6Qd8Mj7zdnbMjAdTdlzC5T4uUhf7kvmlP7H"),
        "NFNl5oFA6Qd8Mj7zdnbMjAdTdlzC5T4uUhf7kvmlP7H",
    ),
    sample(
        "notion",
        concat!("ntn", "_VDctQUy1xvCkgafrfwA94hJ9WnywX0t0ZBfdTEmxI6Cmux"),
        "VDctQUy1xvCkgafrfwA94hJ9WnywX0t0ZBfdTEmxI6Cmux",
    ),
    sample(
        "linear",
        concat!("lin_api", "_V5EbOApZOXzcycDeZ6dqmVe5Mvxrv99NcqVTSu7r"),
        "V5EbOApZOXzcycDeZ6dqmVe5Mvxrv99NcqVTSu7r",
    ),
    sample(
        "linear",
        concat!("lin_oauth", "_902073fec8df4f50947aaeb26c57d21fa5d32826"),
        "902073fec8df4f50947aaeb26c57d21fa5d32826",
    ),
    sample(
        "pulumi",
        concat!("pul", "-3dfe574de739988b886e7577496a2c8773e130f7"),
        "3dfe574de739988b886e7577496a2c8773e130f7",
    ),
    sample("docker", concat!("dckr_oat", "_1C6xc4sohdmM0Lm7exG3lCMqXXQ8agOM"), "1C6xc4sohdmM0Lm7exG3lCMqXXQ8agOM"),
    sample(
        "model provider",
        concat!("sk", "-wncxvjcnqcnau0xltenc594e0gz9j8fkzr0st0dtw00bxmzz"),
        "wncxvjcnqcnau0xltenc594e0gz9j8fkzr0st0dtw00bxmzz",
    ),
    sample(
        "model provider",
        concat!("sk-ant-api03", "-n8aB5kBh0fzK4xDXkiadJjPZ6zfKN7xVGkjwskHk7egyFWZY9Zmti18c6Eud"),
        "n8aB5kBh0fzK4xDXkiadJjPZ6zfKN7xVGkjwskHk7egyFWZY9Zmti18c6Eud",
    ),
    sample("model provider", concat!("sk", "-c257c6f561c5cb347611a3ce9d97dcbe"), "c257c6f561c5cb347611a3ce9d97dcbe"),
    sample(
        "model provider",
        concat!("gsk", "_GClbaNFDpCWNX0D1lZEzgeiwBxfZCGGQccOif7UuXUGfdWG5yP8Y"),
        "GClbaNFDpCWNX0D1lZEzgeiwBxfZCGGQccOif7UuXUGfdWG5yP8Y",
    ),
    sample(
        "model provider",
        concat!("pplx", "-ib2eNUS0hmi4Fs9Z6YkRYU7oe1wNWqku5Nr50DjqG96EnLqN"),
        "ib2eNUS0hmi4Fs9Z6YkRYU7oe1wNWqku5Nr50DjqG96EnLqN",
    ),
    sample(
        "model provider",
        concat!("xai", "-GpuxcmlzkO7rRu5ykYYqhXHdO2x93CJHLS45gqIO2zVZxqyxKjxvWfColNV9ds0HqtO93L7Q5uUaVcoj"),
        "GpuxcmlzkO7rRu5ykYYqhXHdO2x93CJHLS45gqIO2zVZxqyxKjxvWfColNV9ds0HqtO93L7Q5uUaVcoj",
    ),
    sample(
        "model provider",
        concat!("r8", "_sNOBAGx5diFoNPcbdaKwtgHwIoALtLinxN1Ek"),
        "sNOBAGx5diFoNPcbdaKwtgHwIoALtLinxN1Ek",
    ),
    sample(
        "rubygems",
        concat!("rubygems", "_4074e3248c801bef750110c57513064d6d59291f0cde2e57"),
        "4074e3248c801bef750110c57513064d6d59291f0cde2e57",
    ),
    sample("crates.io", concat!("ci", "ogqoPchv5V7S82qTdrOJRBRY6HqsP795n"), "gqoPchv5V7S82qTdrOJRBRY6HqsP795n"),
    sample("mailgun", concat!("key", "-2058765a6ca7cff00d796c25410335b4"), "2058765a6ca7cff00d796c25410335b4"),
    sample("mailchimp", concat!("00141212", "b62c376631129f34369aad80-us14"), "00141212b62c376631129f34369aad80"),
    sample("square", concat!("sq0atp", "-wq7sdTWx6uX9MGE2sNVbYA"), "wq7sdTWx6uX9MGE2sNVbYA"),
    sample(
        "square",
        concat!("sq0csp", "-bBHXgwETdIKnT30fK0skBaHmsWWdawFgFSY0l9FLw91"),
        "bBHXgwETdIKnT30fK0skBaHmsWWdawFgFSY0l9FLw91",
    ),
    sample("stripe", concat!("whsec", "_GqK8ks0n8SoFkh8OXfFYSJYgOuwgz7z5"), "GqK8ks0n8SoFkh8OXfFYSJYgOuwgz7z5"),
    sample(
        "terraform",
        concat!("4VfB4PbxntqB5I.atlasv1", ".Gky4Oo8DiIMWSWMPcwLuHj31CQJVukDCSXqLoivDP4SpGmrtWT01NjUjpUuMHwkp"),
        "Gky4Oo8DiIMWSWMPcwLuHj31CQJVukDCSXqLoivDP4SpGmrtWT01NjUjpUuMHwkp",
    ),
    sample(
        "doppler",
        concat!("dp.pt", ".u9mq9Ugk9QgmyjjYtUtBrmgO6grn4yDcaz2YBSoGOsD"),
        "u9mq9Ugk9QgmyjjYtUtBrmgO6grn4yDcaz2YBSoGOsD",
    ),
    sample(
        "doppler",
        concat!("dp.st.prd", ".bjqMVzaVp62BSKLVPA2oQUP44XPSL2oRlPhDBuqOSg5"),
        "bjqMVzaVp62BSKLVPA2oQUP44XPSL2oRlPhDBuqOSg5",
    ),
    sample(
        "heroku",
        concat!("HRKU", "-ApYzTTOkq2BEDbN2AHRQ73l5PuXay1F6gcqInkTY88mHwg2KDInTEGbOY1xH"),
        "ApYzTTOkq2BEDbN2AHRQ73l5PuXay1F6gcqInkTY88mHwg2KDInTEGbOY1xH",
    ),
    sample(
        "fly",
        concat!("fm2", "_vAV8DnRlzGW7hUNwOdqryzdaeA6AOSRwLqgotVz89HoZ9zDnki7XeZZOmEPJ"),
        "vAV8DnRlzGW7hUNwOdqryzdaeA6AOSRwLqgotVz89HoZ9zDnki7XeZZOmEPJ",
    ),
    sample(
        "fly",
        concat!("fo1", "_Uo09jwQO10Y0ADsWJPiX1EwY2orTyRqBRlEaZUZrwpP"),
        "Uo09jwQO10Y0ADsWJPiX1EwY2orTyRqBRlEaZUZrwpP",
    ),
    sample("netlify", concat!("nfp", "_tuEFBNOfQ5xj7t2ydf0K5uY8iH1wOLaQan8e"), "tuEFBNOfQ5xj7t2ydf0K5uY8iH1wOLaQan8e"),
    sample(
        "cloudflare",
        concat!(
            "v1.0",
            "-983475eb46c5296f62e338d7-4ff1fe4f7f505aef9ebdd25b001a3ff416d4a3baf69dad8199bfca8b6f3a6a9421cc1c93016f1c4261e5351d30b49895d1a0d1f13dce20c4fd32f640d0032634f087e51b429fe81101"
        ),
        "983475eb46c5296f62e338d7-4ff1fe4f7f505aef9ebdd25b001a3ff416d4a3baf69dad8199bfca8b6f3a6a9421cc1c93016f1c4261e5351d30b49895d1a0d1f13dce20c4fd32f640d0032634f087e51b429fe81101",
    ),
    sample("tailscale", concat!("tskey-auth", "-a4PR0NfyttUMk931FMdux8KU"), "a4PR0NfyttUMk931FMdux8KU"),
    sample(
        "planetscale",
        concat!("pscale_tkn", "_CERkj9Zhx9PkOZAEyXYC8rYWKvsrdNPTZ0Mv3MUa1jM"),
        "CERkj9Zhx9PkOZAEyXYC8rYWKvsrdNPTZ0Mv3MUa1jM",
    ),
    sample(
        "planetscale",
        concat!("pscale_pw", "_1tLB4pyyRyMX5oZCsSauqrBkL60W4Ycs1jZ43Kjr2ZZ"),
        "1tLB4pyyRyMX5oZCsSauqrBkL60W4Ycs1jZ43Kjr2ZZ",
    ),
    sample(
        "supabase",
        concat!("sbp", "_fb2fc6791ce680ce2b27c8af6666259bbc471fb3"),
        "fb2fc6791ce680ce2b27c8af6666259bbc471fb3",
    ),
    sample("supabase", concat!("sb_secret", "_xODYfjuMbwrHMbgcn33KFLKnq7XrBg8"), "xODYfjuMbwrHMbgcn33KFLKnq7XrBg8"),
    sample(
        "sentry",
        concat!("sntrys", "_CXL0M9iq1cvmlyfbdcJx3TDF8265e3MOz7hT9fquKoPf96QGzlC2kx9pUolc"),
        "CXL0M9iq1cvmlyfbdcJx3TDF8265e3MOz7hT9fquKoPf96QGzlC2kx9pUolc",
    ),
    sample(
        "sentry",
        concat!("sntryu", "_8b1018f134a069e3fab8c3bfc5e740e61572b4e3c02eaa7f3b4a715e4e48dd74"),
        "8b1018f134a069e3fab8c3bfc5e740e61572b4e3c02eaa7f3b4a715e4e48dd74",
    ),
    sample(
        "postman",
        concat!("PMAK", "-089a58f3aef3416f9386bd87-73c9d51940ea4e095bd1d6854575622f85"),
        "089a58f3aef3416f9386bd87-73c9d51940ea4e095bd1d6854575622f85",
    ),
    sample(
        "figma",
        concat!("figd", "_niNQTOZmLtmaeSUHA1U6dHZwvs1O38FfaA6WEi3Q"),
        "niNQTOZmLtmaeSUHA1U6dHZwvs1O38FfaA6WEi3Q",
    ),
    sample("shopify", concat!("shpat", "_875b15b0be23b7ac193fe04072755398"), "875b15b0be23b7ac193fe04072755398"),
    sample("shopify", concat!("shpss", "_003680e7e3b35183ef8333c4774ec50c"), "003680e7e3b35183ef8333c4774ec50c"),
    sample(
        "hubspot",
        concat!("pat-eu1", "-d1c1bac7-adac-1a4b-7d0b-352ad6074dce"),
        "d1c1bac7-adac-1a4b-7d0b-352ad6074dce",
    ),
    sample(
        "airtable",
        concat!("patOcZ44cc3PNr6RN", ".813830d71939b53182e4e349d98729e7c6be9ff907a76cc0b57aaf89691052be"),
        "813830d71939b53182e4e349d98729e7c6be9ff907a76cc0b57aaf89691052be",
    ),
    sample(
        "azure",
        concat!("QdHy1CwV", "WgHo9RV7jAvQwiRmNN2r01HgV2V7WErYOTO6TiA3gaAXJLhFz9KjA2Yr3NMhy2CSDsUwswzHJMyPua=="),
        "QdHy1CwVWgHo9RV7jAvQwiRmNN2r01HgV2V7WErYOTO6TiA3gaAXJLhFz9KjA2Yr3NMhy2CSDsUwswzHJMyPua",
    ),
    sample("azure", concat!("a1~8Q", "~YV2FyCtlItZjBKyLof06vu1M1p9unB569a"), "YV2FyCtlItZjBKyLof06vu1M1p9unB569a"),
    sample(
        "azure",
        concat!("?sig", "=bdqK5Ft6IXtINBH0HURByDwcMRwC8aReHogAxGzPJ7K%3D&se=2026-01-01"),
        "bdqK5Ft6IXtINBH0HURByDwcMRwC8aReHogAxGzPJ7K",
    ),
    sample(
        "azure",
        concat!("SharedAccessSignature sig", "=j4m9AFzCXN5LvSHV0fkxuxe0tGlhP5sSv07G4AOkHs0%3D&se=1782864000"),
        "j4m9AFzCXN5LvSHV0fkxuxe0tGlhP5sSv07G4AOkHs0",
    ),
    sample(
        "slack",
        concat!("xoxe.xoxp-1", "-GnG5mAldOKMgwKOOUcSAaYatTSJa6tz1gLaQbmlFXJKr3P5IGjKmAMhjkHWG"),
        "GnG5mAldOKMgwKOOUcSAaYatTSJa6tz1gLaQbmlFXJKr3P5IGjKmAMhjkHWG",
    ),
    sample(
        "slack",
        concat!("xapp-1-A01", "-gbgek7531daujpwrkcrgewm2ybdozc2dppocklua"),
        "gbgek7531daujpwrkcrgewm2ybdozc2dppocklua",
    ),
    sample(
        "slack",
        concat!("https://hooks.slack.com/workflows/T01/A01", "/530DtAMq94F8epRyRTLoAtz4"),
        "530DtAMq94F8epRyRTLoAtz4",
    ),
    sample(
        "private key",
        concat!("PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 1", "\nTFbY3pflkwyla4szJxhvI3yvzPe9hB06wJpymDsw"),
        "TFbY3pflkwyla4szJxhvI3yvzPe9hB06wJpymDsw",
    ),
    sample(
        "private key",
        concat!(
            "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----",
            "\npBcrQbvZjpTifmrI1YiJCD1YZpkxwnUzyO9Lnt8EGno2CRi8TqM5CLxIpzMG\n---- END SSH2 ENCRYPTED PRIVATE KEY ----"
        ),
        "pBcrQbvZjpTifmrI1YiJCD1YZpkxwnUzyO9Lnt8EGno2CRi8TqM5CLxIpzMG",
    ),
    sample(
        "private key",
        concat!(
            "-----BEGIN EC PRIVATE KEY-----",
            "\nni3WhRGfI2rVXWybQTKjtayTfSlX2oumQ5geJ6xZGWtmeTtfosi0Tzswz26D\n-----END EC PRIVATE KEY-----"
        ),
        "ni3WhRGfI2rVXWybQTKjtayTfSlX2oumQ5geJ6xZGWtmeTtfosi0Tzswz26D",
    ),
    sample(
        "private key",
        concat!("client-key-data: LS0", "tXO4O33i7rlbxRZQSw5AbQTSDp2zw5Oglshr6MUoTRczcMkBmWtjyVcJtOO8l"),
        "XO4O33i7rlbxRZQSw5AbQTSDp2zw5Oglshr6MUoTRczcMkBmWtjyVcJtOO8l",
    ),
    sample("device code", concat!("enter the code", " WDJB-MJHT"), "WDJB-MJHT"),
    sample("device code", concat!("user_code", "=BCDF-2345"), "BCDF-2345"),
    sample(
        "token in a URL",
        concat!("https:/", "/o57q1wahscdphcunwf0zor7fw12v@git.local/org/repo"),
        "o57q1wahscdphcunwf0zor7fw12v",
    ),
    sample(
        "token in a URL",
        concat!("https://oauth2", ":SGVS11OOCGdRSnBRG27X@git.local/org/repo"),
        "SGVS11OOCGdRSnBRG27X",
    ),
    sample("aws", concat!("AKI", "AI5MC9QL8KP8QPDKW"), "I5MC9QL8KP8QPDKW"),
    sample("aws", concat!("ASI", "AW0FMTII54PPA62IW"), "W0FMTII54PPA62IW"),
    sample("hugging face", concat!("hf", "_Sti4TjLKpvO0hJBW8kRQjMD1Xz1nhSsaxF"), "Sti4TjLKpvO0hJBW8kRQjMD1Xz1nhSsaxF"),
    sample(
        "vault",
        concat!("hvb", ".ncd5rtmhStC9hkuCDKxskJecaDWFfVTvVKqgPF9B"),
        "ncd5rtmhStC9hkuCDKxskJecaDWFfVTvVKqgPF9B",
    ),
    sample(
        "digitalocean",
        concat!("doo_v1", "_f6a0b29872400c49b5539ac5ba7b4b87113c16fdf5924754ec21ef66b01d4921"),
        "f6a0b29872400c49b5539ac5ba7b4b87113c16fdf5924754ec21ef66b01d4921",
    ),
    sample("npm", concat!("npm", "_GTA4veCaQ90l5UkysaCZKRwKmEfIuHDBI6O3"), "GTA4veCaQ90l5UkysaCZKRwKmEfIuHDBI6O3"),
];
