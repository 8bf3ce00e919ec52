//! What the whole-station tests share.
