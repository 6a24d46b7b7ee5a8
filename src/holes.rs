//! A file read from its start, without reading the holes that its file system tells of.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

use rustix::fs::{SeekFrom, seek};
use rustix::io::Errno;

/// Reads a file as it is, but takes holes for zeros without asking for them. Where the file system cannot tell, or
/// the file is none that has holes, everything is read.
///
/// It moves the file's own position about, which nothing else may use meanwhile.
pub(crate) struct HoleReader {
    file: File,
    position: u64,
    stretch: Stretch,
}

/// What lies at the position, and up to where.
#[derive(Clone, Copy)]
enum Stretch {
    Data(u64),
    Hole(u64),
}

impl HoleReader {
    pub(crate) fn new(file: File) -> Self {
        Self { file, position: 0, stretch: Stretch::Data(0) }
    }

    /// What lies at the position.
    fn look(&self) -> io::Result<Stretch> {
        let position = self.position;
        match seek(&self.file, SeekFrom::Data(position)) {
            // A file that was cut ends where it ends, whatever is said of its data.
            Ok(data) if data > position => self.hole_until(data),
            Ok(_) => Ok(match seek(&self.file, SeekFrom::Hole(position)) {
                Ok(end) if end > position => Stretch::Data(end),
                _ => Stretch::Data(u64::MAX),
            }),
            // No data follows, so the file ends in a hole, or here.
            Err(Errno::NXIO) => self.hole_until(u64::MAX),
            Err(_) => Ok(Stretch::Data(u64::MAX)),
        }
    }

    fn hole_until(&self, end: u64) -> io::Result<Stretch> {
        let end = end.min(self.file.metadata()?.len());
        Ok(if end > self.position { Stretch::Hole(end) } else { Stretch::Data(self.position) })
    }
}

impl Read for HoleReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (Stretch::Data(end) | Stretch::Hole(end)) = self.stretch;
        if end <= self.position {
            self.stretch = self.look()?;
        }
        let upto = |end: u64| usize::try_from(end - self.position).unwrap_or(usize::MAX).min(buffer.len());
        let read = match self.stretch {
            Stretch::Hole(end) => {
                let len = upto(end);
                buffer[..len].fill(0);
                len
            }
            // At the end of the file there is nothing left of the stretch, and what has been added since is read.
            Stretch::Data(end) if end == self.position => self.file.read_at(buffer, self.position)?,
            Stretch::Data(end) => {
                let len = upto(end);
                self.file.read_at(&mut buffer[..len], self.position)?
            }
        };
        self.position += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, Write};

    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn a_file_reads_the_same_wherever_its_holes_are() {
        // Where data is, and how long the file is.
        for (data, length) in [
            (&[][..], 0),
            (&[], 3 * MIB),
            (&[(0, MIB)], MIB),
            (&[(0, MIB)], 3 * MIB + 5),
            (&[(MIB, 2 * MIB)], 3 * MIB),
            (&[(5, 7), (MIB, MIB + 1), (2 * MIB, 3 * MIB - 1)], 3 * MIB - 1),
        ] {
            let mut file = tempfile::tempfile().unwrap();
            file.set_len(length).unwrap();
            for &(from, to) in data {
                file.seek(io::SeekFrom::Start(from)).unwrap();
                file.write_all(&vec![7; (to - from) as usize]).unwrap();
            }
            let mut expected = vec![0; length as usize];
            file.read_exact_at(&mut expected, 0).unwrap();
            let mut reader = HoleReader::new(file);
            let mut found = Vec::new();
            let mut buffer = vec![1; 70_000];
            loop {
                let read = reader.read(&mut buffer).unwrap();
                if read == 0 {
                    break;
                }
                found.extend_from_slice(&buffer[..read]);
            }
            assert!(found == expected, "{data:?} of {length}");
        }
    }

    #[test]
    fn what_is_added_while_it_is_read_is_read_too() {
        let mut file = tempfile::tempfile().unwrap();
        file.set_len(MIB).unwrap();
        let mut reader = HoleReader::new(file.try_clone().unwrap());
        let mut content = Vec::new();
        reader.read_to_end(&mut content).unwrap();
        assert_eq!(content.len() as u64, MIB);
        file.seek(io::SeekFrom::End(0)).unwrap();
        file.write_all(b"more").unwrap();
        content.clear();
        reader.read_to_end(&mut content).unwrap();
        assert_eq!(content, b"more");
    }

    #[test]
    fn what_has_no_holes_is_read_as_it_is() {
        let mut reader = HoleReader::new(File::open("/proc/self/stat").unwrap());
        let mut content = String::new();
        reader.read_to_string(&mut content).unwrap();
        assert!(content.starts_with(&std::process::id().to_string()));
    }
}
