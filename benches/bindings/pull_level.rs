//! Pulls the level of a file through `LevelReader` and drops it: what bindings are measured beside.
//! `pull_level BUFFER_LEN SOURCE [SIGNATURE]`; without the signature of the level before it is level 0.

use std::io::Read;

use frazil::{LevelOptions, LevelReader, Signature};

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    pull(std::env::args().skip(1))
}

pub(crate) fn pull(mut args: impl Iterator<Item = String>) -> Result<(), Box<dyn std::error::Error>> {
    let (Some(buffer_len), Some(source)) = (args.next(), args.next()) else {
        return Err("usage: pull_level BUFFER_LEN SOURCE [SIGNATURE]".into());
    };
    let mut buffer = vec![0; buffer_len.parse()?];
    let old = args.next().map(Signature::load).transpose()?;
    let mut level = LevelReader::open(source, old.as_ref(), LevelOptions::new())?;
    while level.read(&mut buffer)? > 0 {}
    level.finish()?;
    Ok(())
}
