//! Pulls level 0 of a file through `LevelReader` and drops it: what `scripts/bench-bindings` measures bindings
//! beside. `pull_level BUFFER_LEN SOURCE`.

use std::io::Read;

use frazil::{LevelOptions, LevelReader};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(buffer_len), Some(source)) = (args.next(), args.next()) else {
        return Err("usage: pull_level BUFFER_LEN SOURCE".into());
    };
    let mut buffer = vec![0; buffer_len.parse()?];
    let mut level = LevelReader::open(source, None, LevelOptions::new())?;
    while level.read(&mut buffer)? > 0 {}
    level.finish()?;
    Ok(())
}
