//! Looks over a Parquet footer before the Parquet library does: that one reserves memory for as many row groups as the
//! footer claims, so 30 bytes could ask for 200 GB and end the process.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

/// Footers of our files have a few kilobytes; a footer this long is not read into memory.
const MAX_FOOTER: u64 = 256 << 20;
/// A footer nests about 6 deep.
const MAX_DEPTH: u32 = 32;

/// Why the footer of `file` (of `bytes` bytes, ending in `PAR1`) must not be parsed, if there is a reason.
///
/// Walks the Thrift compact protocol (<https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>)
/// and checks that no list, map or string claims more elements than there are bytes left.
pub(crate) fn check(file: &mut File, bytes: u64) -> std::io::Result<Result<(), String>> {
    let mut length = [0; 4];
    file.seek(SeekFrom::End(-8))?;
    file.read_exact(&mut length)?;
    let length = u64::from(u32::from_le_bytes(length));
    if length + 12 > bytes {
        return Ok(Err(format!("it claims {length} bytes in a file of {bytes}")));
    }
    if length > MAX_FOOTER {
        return Ok(Err(format!("it has {length} bytes, more than {MAX_FOOTER}")));
    }
    file.seek(SeekFrom::Start(bytes - 8 - length))?;
    let mut footer = vec![0; length as usize];
    file.read_exact(&mut footer)?;
    Ok(Walk(&footer).structure(0))
}

struct Walk<'a>(&'a [u8]);

impl Walk<'_> {
    fn byte(&mut self) -> Result<u8, String> {
        let (first, rest) = self.0.split_first().ok_or("it ends in the middle of a field")?;
        self.0 = rest;
        Ok(*first)
    }

    fn skip(&mut self, n: u64) -> Result<(), String> {
        let rest = usize::try_from(n).ok().and_then(|n| self.0.get(n..));
        self.0 = rest.ok_or_else(|| format!("it claims {n} more bytes where {} are left", self.0.len()))?;
        Ok(())
    }

    fn varint(&mut self) -> Result<u64, String> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err("it holds a number of more than 64 bits".into())
    }

    /// Elements have one byte each at least.
    fn count(&self, n: u64) -> Result<u64, String> {
        if n > self.0.len() as u64 {
            return Err(format!("it claims a list of {n} items where {} bytes are left", self.0.len()));
        }
        Ok(n)
    }

    fn structure(&mut self, depth: u32) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err(format!("it nests deeper than {MAX_DEPTH} levels"));
        }
        loop {
            let header = self.byte()?;
            match (header & 0x0f, header >> 4) {
                (0, _) => return Ok(()),
                (kind, delta) => {
                    if delta == 0 {
                        self.varint()?;
                    }
                    // In a field, a truth value is in the header itself.
                    if kind > 2 {
                        self.value(kind, depth)?;
                    }
                }
            }
        }
    }

    fn value(&mut self, kind: u8, depth: u32) -> Result<(), String> {
        match kind {
            1..=3 => self.skip(1),
            4..=6 => self.varint().map(|_| ()),
            7 => self.skip(8),
            8 => {
                let n = self.varint()?;
                self.skip(n)
            }
            9 | 10 => {
                let header = self.byte()?;
                let n = if header >> 4 == 15 { self.varint()? } else { u64::from(header >> 4) };
                for _ in 0..self.count(n)? {
                    self.value(header & 0x0f, depth + 1)?;
                }
                Ok(())
            }
            11 => {
                let n = self.varint()?;
                let kinds = if self.count(n)? == 0 { 0 } else { self.byte()? };
                for _ in 0..n {
                    self.value(kinds >> 4, depth + 1)?;
                    self.value(kinds & 0x0f, depth + 1)?;
                }
                Ok(())
            }
            12 => self.structure(depth + 1),
            13 => self.skip(16),
            _ => Err(format!("it holds a field of unknown type {kind}")),
        }
    }
}
