//! Rewrites valid SQL of BigQuery that the parser does not know into what it knows. What a query reads stays the same.

use sqlparser::tokenizer::{Token, TokenWithSpan};

/// The alias that marks the rows before it in a pipe as distinct.
pub(super) const DISTINCT: &str = "obs distinct";

/// The tokens of a text, with white space and comments.
pub(super) struct Tokens {
    all: Vec<TokenWithSpan>,
}

impl Tokens {
    pub(super) const fn new(all: Vec<TokenWithSpan>) -> Self {
        Self { all }
    }

    pub(super) fn into_inner(self) -> Vec<TokenWithSpan> {
        self.all
    }

    /// The tokens other than white space and comments.
    pub(super) fn significant(&self) -> impl Iterator<Item = &Token> {
        self.all.iter().map(|token| &token.token).filter(|token| !is_space(token))
    }

    /// Whether each bracket is closed.
    pub(super) fn is_balanced(&self) -> bool {
        let mut open = Vec::new();
        for token in self.significant() {
            match token {
                Token::LParen | Token::LBracket | Token::LBrace => open.push(token),
                Token::RParen if open.pop() != Some(&Token::LParen) => return false,
                Token::RBracket if open.pop() != Some(&Token::LBracket) => return false,
                Token::RBrace if open.pop() != Some(&Token::LBrace) => return false,
                _ => {}
            }
        }
        open.is_empty()
    }

    /// Whether the last of several statements begins as a query does.
    pub(super) fn has_query_at_end(&self) -> bool {
        let tokens: Vec<&Token> = self.significant().filter(|token| **token != Token::EOF).collect();
        let mut statements = tokens.split(|token| **token == Token::SemiColon).filter(|tokens| !tokens.is_empty());
        let last = statements.next_back().and_then(|tokens| tokens.iter().find(|token| ***token != Token::LParen));
        last.is_some_and(|first| ["SELECT", "WITH", "FROM"].iter().any(|word| is_word(first, word)))
    }

    /// Rewrites what the parser does not know.
    pub(super) fn rewrite(&mut self) {
        self.remove_safe_and_types();
        self.replace_operators();
        self.simplify_set_operations();
        self.rewrite_pipes();
        self.enclose_lambdas();
    }

    fn token(&self, at: usize) -> &Token {
        self.all.get(at).map_or(&Token::EOF, |token| &token.token)
    }

    /// The place of the next significant token.
    fn after(&self, at: usize) -> usize {
        let mut next = at.saturating_add(1);
        while is_space(self.token(next)) && next < self.all.len() {
            next = next.saturating_add(1);
        }
        next
    }

    /// The place of the significant token before.
    fn before(&self, at: usize) -> Option<usize> {
        (0..at).rev().find(|at| !is_space(self.token(*at)))
    }

    fn is(&self, at: usize, word: &str) -> bool {
        is_word(self.token(at), word)
    }

    fn is_any(&self, at: usize, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(at, word))
    }

    /// Removes the tokens from one place up to another.
    fn remove(&mut self, from: usize, to: usize) {
        for token in self.all.iter_mut().take(to).skip(from) {
            token.token = Token::Whitespace(sqlparser::tokenizer::Whitespace::Space);
        }
    }

    fn replace(&mut self, at: usize, token: Token) {
        if let Some(old) = self.all.get_mut(at) {
            old.token = token;
        }
    }

    /// The place after the bracket that closes the one at this place.
    fn end_of_brackets(&self, open: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for at in open..self.all.len() {
            match self.token(at) {
                Token::LParen | Token::LBracket => depth = depth.saturating_add(1),
                Token::RParen | Token::RBracket => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return Some(at.saturating_add(1));
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// The place after the `>` that closes the `<` of a type.
    fn end_of_type(&self, open: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for at in open..self.all.len() {
            depth = match self.token(at) {
                Token::Lt => depth.saturating_add(1),
                Token::Gt => depth.saturating_sub(1),
                Token::ShiftRight => depth.saturating_sub(2),
                Token::Word(_) | Token::Comma | Token::LParen | Token::RParen | Token::Number(..) => depth,
                token if is_space(token) => depth,
                _ => return None,
            };
            if depth == 0 {
                return Some(at.saturating_add(1));
            }
        }
        None
    }

    /// `SAFE.` before a function, the types of `ARRAY<…>[…]` and `RANGE<…> '…'`, the prefix of raw bytes, and the words
    /// before an argument that is a table or a model.
    fn remove_safe_and_types(&mut self) {
        for at in 0..self.all.len() {
            let next = self.after(at);
            if self.is(at, "SAFE") && *self.token(next) == Token::Period {
                let is_first = self.before(at).is_none_or(|before| *self.token(before) != Token::Period);
                if is_first && matches!(self.token(self.after(next)), Token::Word(_)) {
                    self.remove(at, next.saturating_add(1));
                }
            } else if self.is_any(at, &["ARRAY", "RANGE"]) && *self.token(next) == Token::Lt {
                let Some(end) = self.end_of_type(next) else { continue };
                let value = self.token(self.after(end.saturating_sub(1)));
                let is_array = self.is(at, "ARRAY") && *value == Token::LBracket;
                let is_range = self.is(at, "RANGE") && is_text(value);
                if is_array || is_range {
                    self.remove(at, end);
                }
            } else if self.is_any(at, &["RB", "BR"]) && is_text(self.token(at.saturating_add(1))) {
                self.remove(at, at.saturating_add(1));
            } else if self.is_any(at, &["TABLE", "MODEL"]) && self.begins_argument(at) {
                let is_name = matches!(self.token(next), Token::Word(_)) && !self.is_any(next, &AFTER_COLUMN);
                if is_name {
                    self.remove(at, next);
                }
            }
        }
    }

    fn begins_argument(&self, at: usize) -> bool {
        self.before(at).is_some_and(|before| matches!(self.token(before), Token::LParen | Token::Comma))
    }

    /// Shifts, which read what a sum reads, and `LIKE SOME`, `LIKE ANY UNNEST(…)`.
    fn replace_operators(&mut self) {
        let mut in_type_until = 0;
        for at in 0..self.all.len() {
            let next = self.after(at);
            if self.is_any(at, &["ARRAY", "STRUCT", "RANGE", "TABLE"]) && *self.token(next) == Token::Lt {
                in_type_until = self.end_of_type(next).map_or(in_type_until, |end| end.max(in_type_until));
            }
            match self.token(at) {
                Token::ShiftLeft => self.replace(at, Token::Plus),
                Token::ShiftRight if at >= in_type_until => self.replace(at, Token::Plus),
                Token::Word(_) if self.is(at, "LIKE") && self.is_any(next, &["ANY", "SOME", "ALL"]) => {
                    let unnest = self.after(next);
                    if self.is(unnest, "UNNEST") {
                        self.remove(next, unnest.saturating_add(1));
                    } else {
                        self.replace(next, Token::make_keyword("ANY"));
                    }
                }
                _ => {}
            }
        }
    }

    /// Set operations that match columns by name: all columns of both sides are read.
    /// <https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#set_operators>
    fn simplify_set_operations(&mut self) {
        for at in 0..self.all.len() {
            if !self.is_any(at, &["UNION", "INTERSECT", "EXCEPT"]) {
                continue;
            }
            // `FULL OUTER`, `LEFT` or `INNER` before it, but not the alias of a table.
            let mut from = at;
            while let Some(before) =
                self.before(from).filter(|at| self.is_any(*at, &["OUTER", "FULL", "LEFT", "INNER"]))
            {
                from = before;
            }
            self.remove(from, at);
            let mut next = self.after(self.after(at));
            if self.is(next, "STRICT") {
                let corresponding = self.after(next);
                self.remove(next, corresponding);
                next = corresponding;
            }
            if self.is(next, "CORRESPONDING") {
                let by = self.after(next);
                let end = if self.is(by, "BY") { self.end_of_brackets(self.after(by)) } else { None };
                self.remove(by, end.unwrap_or(by));
                self.spell_by_name(next);
            } else if self.is(next, "BY") && self.is(self.after(next), "NAME") {
                let on = self.after(self.after(next));
                let end = if self.is(on, "ON") { self.end_of_brackets(self.after(on)) } else { None };
                self.remove(on, end.unwrap_or(on));
            }
        }
    }

    /// Puts `BY NAME` in place of one token.
    fn spell_by_name(&mut self, at: usize) {
        self.replace(at, Token::make_keyword("NAME"));
        self.all.insert(at, TokenWithSpan::wrap(Token::make_keyword("BY")));
    }

    /// The operators of pipes that the parser does not know.
    /// <https://cloud.google.com/bigquery/docs/reference/standard-sql/pipe-syntax#pipe_operators>
    fn rewrite_pipes(&mut self) {
        let mut at = 0;
        while at < self.all.len() {
            if *self.token(at) == Token::VerticalBarRightAngleBracket {
                let operator = self.after(at);
                let next = self.after(operator);
                if self.is(operator, "WINDOW") {
                    self.replace(operator, Token::make_keyword("EXTEND"));
                } else if self.is(operator, "DISTINCT") {
                    self.replace(operator, Token::make_keyword("AS"));
                    self.all.insert(next, TokenWithSpan::wrap(Token::make_word(DISTINCT, Some('`'))));
                } else if self.is(operator, "SELECT") && self.is(next, "DISTINCT") {
                    self.remove(next, next.saturating_add(1));
                    let end = self.end_of_operator(next);
                    let mark = [
                        Token::VerticalBarRightAngleBracket,
                        Token::make_keyword("AS"),
                        Token::make_word(DISTINCT, Some('`')),
                    ];
                    self.all.splice(end..end, mark.map(TokenWithSpan::wrap));
                }
            } else if self.is(at, "GROUP") && self.is(self.after(at), "AND") {
                let and = self.after(at);
                let order = self.after(and);
                self.remove(and, order.saturating_add(1));
            }
            at = at.saturating_add(1);
        }
    }

    /// `e -> e > 1` as `e -> (e > 1)`: the arrow binds less than other operators.
    fn enclose_lambdas(&mut self) {
        let mut at = 0;
        while at < self.all.len() {
            if *self.token(at) == Token::Arrow {
                let body = at.saturating_add(1);
                let end = self.end_of_argument(body);
                self.all.insert(end, TokenWithSpan::wrap(Token::RParen));
                self.all.insert(body, TokenWithSpan::wrap(Token::LParen));
            }
            at = at.saturating_add(1);
        }
    }

    /// Where the argument of a function ends.
    fn end_of_argument(&self, from: usize) -> usize {
        let mut depth = 0_usize;
        for at in from..self.all.len() {
            match self.token(at) {
                Token::LParen | Token::LBracket => depth = depth.saturating_add(1),
                Token::RParen | Token::RBracket if depth > 0 => depth = depth.saturating_sub(1),
                Token::RParen | Token::Comma | Token::EOF if depth == 0 => return at,
                _ => {}
            }
        }
        self.all.len()
    }

    /// Where the operator of a pipe ends.
    fn end_of_operator(&self, from: usize) -> usize {
        let mut depth = 0_usize;
        for at in from..self.all.len() {
            match self.token(at) {
                Token::LParen | Token::LBracket => depth = depth.saturating_add(1),
                Token::RParen | Token::RBracket if depth > 0 => depth = depth.saturating_sub(1),
                Token::RParen | Token::VerticalBarRightAngleBracket | Token::SemiColon | Token::EOF if depth == 0 => {
                    return at;
                }
                _ => {}
            }
        }
        self.all.len()
    }
}

/// Words that may follow a column in the arguments of a function.
const AFTER_COLUMN: [&str; 20] = [
    "AND", "AS", "AT", "BETWEEN", "COLLATE", "FORMAT", "FROM", "HAVING", "IGNORE", "IN", "IS", "LIKE", "LIMIT", "NOT",
    "OR", "ORDER", "OVER", "RESPECT", "USING", "WITH",
];

fn is_space(token: &Token) -> bool {
    matches!(token, Token::Whitespace(_))
}

fn is_word(token: &Token, word: &str) -> bool {
    matches!(token, Token::Word(found) if found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word))
}

fn is_text(token: &Token) -> bool {
    matches!(
        token,
        Token::SingleQuotedString(_)
            | Token::DoubleQuotedString(_)
            | Token::TripleSingleQuotedString(_)
            | Token::TripleDoubleQuotedString(_)
    )
}
