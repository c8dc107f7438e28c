//! obs-macros
