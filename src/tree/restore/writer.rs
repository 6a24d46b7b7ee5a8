//! The push form of a restore: the archive is fed in.

use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{JoinHandle, ThreadId};

use super::{RestoreOptions, RestoreSummary, restore_tree};
use crate::memory::extend;
use crate::threads::SignalsBlocked;
use crate::{Error, ErrorKind, Result};

/// Pieces that wait for the restore.
const CHANNEL_LEN: usize = 4;

/// The longest piece.
const PIECE_LEN: usize = 256 * 1024;

enum Message {
    Piece(Vec<u8>),
    /// The archive is whole.
    End,
}

/// Takes the archive of one level by [`Write`] and restores it; ends with [`RestoreWriter::finish`].
///
/// Nothing is published before `finish`, which fails unless the whole archive was fed and is whole. Dropped
/// without it, the destination stays as it was. A failure of the restore comes out of the next call, and the
/// calls after it fail too.
///
/// libarchive pulls what it reads, so the restore runs on a thread of its own, which lives until `finish`
/// or until this is dropped; do not fork in between. It can be sent between threads.
pub struct RestoreWriter {
    pieces: Option<SyncSender<Message>>,
    worker: Option<JoinHandle<Result<RestoreSummary>>>,
}

impl RestoreWriter {
    /// Begins to restore into the directory `destination`, which is made if need be.
    ///
    /// # Errors
    ///
    /// [`Io`](ErrorKind::Io) when no thread can be had. What [`restore_tree`] fails with comes out of the
    /// calls that follow.
    pub fn new(destination: impl AsRef<Path>, options: RestoreOptions) -> Result<Self> {
        let (sender, receiver) = sync_channel(CHANNEL_LEN);
        let destination = destination.as_ref().to_owned();
        let archive = Fed { receiver, piece: Vec::new(), taken: 0, ended: false };
        let _blocked = SignalsBlocked::new();
        let worker = std::thread::Builder::new()
            .name("frazil-restore".to_owned())
            .spawn(move || restore_tree(archive, destination, options))
            .map_err(|error| Error::io("starting a thread", error))?;
        Ok(Self { pieces: Some(sender), worker: Some(worker) })
    }

    /// The thread that calls the observer, until the restore has ended.
    pub(crate) fn worker(&self) -> Option<ThreadId> {
        self.worker.as_ref().map(|worker| worker.thread().id())
    }

    /// Says that the archive is whole, publishes the level and says what was done.
    ///
    /// # Errors
    ///
    /// As [`restore_tree`]; [`Truncated`](ErrorKind::Truncated) when the trailer has not come.
    pub fn finish(mut self) -> Result<RestoreSummary> {
        if let Some(pieces) = self.pieces.take() {
            // Should nobody take it, the restore has failed and says why.
            let _ = pieces.send(Message::End);
        }
        self.outcome()
    }

    /// Waits for the restore to end.
    fn outcome(&mut self) -> Result<RestoreSummary> {
        self.pieces = None;
        let Some(worker) = self.worker.take() else {
            return Err(Error::new(ErrorKind::State, "the restore has failed before").doing("restoring a tree"));
        };
        worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl Write for RestoreWriter {
    fn write(&mut self, archive: &[u8]) -> io::Result<usize> {
        if archive.is_empty() {
            return Ok(0);
        }
        let len = archive.len().min(PIECE_LEN);
        let mut piece = Vec::new();
        extend(&mut piece, &archive[..len])?;
        if self.pieces.as_ref().is_some_and(|pieces| pieces.send(Message::Piece(piece)).is_ok()) {
            return Ok(len);
        }
        match self.outcome() {
            Err(error) => Err(error.into()),
            Ok(_) => Err(Error::new(ErrorKind::Internal, "restore ended before its archive").into()),
        }
    }

    /// Does nothing: what was fed is on its way.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for RestoreWriter {
    fn drop(&mut self) {
        self.pieces = None;
        if let Some(worker) = self.worker.take() {
            // It was told by the end of the pieces, and leaves the destination as it was.
            let _ = worker.join();
        }
    }
}

/// The archive as it is fed.
struct Fed {
    receiver: Receiver<Message>,
    piece: Vec<u8>,
    taken: usize,
    ended: bool,
}

impl Read for Fed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.piece.len() {
            if self.ended {
                return Ok(0);
            }
            match self.receiver.recv() {
                Ok(Message::Piece(piece)) => {
                    self.piece = piece;
                    self.taken = 0;
                }
                Ok(Message::End) => self.ended = true,
                Err(_) => return Err(Error::new(ErrorKind::Cancelled, "the restore was given up").into()),
            }
        }
        let len = buffer.len().min(self.piece.len() - self.taken);
        buffer[..len].copy_from_slice(&self.piece[self.taken..self.taken + len]);
        self.taken += len;
        Ok(len)
    }
}
