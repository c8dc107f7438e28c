//! obs-runtime
