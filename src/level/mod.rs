//! Levels: one pass over new content yields the level's stream and the new full signature.
//!
//! [`LevelReader`] pulls the content out of a `Read` and is itself a `Read` of the stream;
//! [`LevelWriter`] is fed the content and writes the stream to a `Write`. Both are thin around one
//! machine that knows neither. Level 0 is no special case: it is the delta against no bytes.

mod basis;
mod encoder;
mod file;
mod gathered;
mod latch;
mod machine;
mod options;
mod ranges;
mod reader;
mod relay;
mod run;
mod signing;
mod start;
mod summary;
mod writer;

pub use basis::LevelBasis;
pub use encoder::LevelStats;
pub use file::level_file;
pub(crate) use file::level_file_with;
pub use options::{LevelOptions, Matching};
pub use ranges::RangeLevel;
pub use reader::LevelReader;
pub use summary::LevelSummary;
pub use writer::LevelWriter;
