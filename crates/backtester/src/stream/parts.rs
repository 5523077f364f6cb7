use crate::Error;
use artifacts::{OpenStage, Row, Writer};

/// Rows of one file at most: the footer of a Parquet file is held in memory and grows with its row groups.
pub(crate) const PART: u64 = 1 << 22;

/// The name of a part, `equity-00000.parquet` and so on: in order of names they are in order of time.
pub(crate) fn part_name(name: &str, part: u64) -> String {
    format!("{name}-{part:05}.parquet")
}

/// Rows without end, written into files of bounded size.
pub(crate) struct Parts<R: Row> {
    name: &'static str,
    writer: Option<Writer<R>>,
    in_part: u64,
    part: u64,
}

impl<R: Row> Parts<R> {
    pub(crate) fn new(open: &OpenStage, name: &'static str) -> Result<Self, Error> {
        Ok(Self { name, writer: Some(open.writer(&part_name(name, 0))?), in_part: 0, part: 0 })
    }

    pub(crate) fn push(&mut self, open: &mut OpenStage, row: R) -> Result<(), Error> {
        if self.in_part == PART {
            self.close(open)?;
            self.part += 1;
            self.in_part = 0;
            self.writer = Some(open.writer(&part_name(self.name, self.part))?);
        }
        if let Some(writer) = &mut self.writer {
            writer.push(row)?;
        }
        self.in_part += 1;
        Ok(())
    }

    pub(crate) fn close(&mut self, open: &mut OpenStage) -> Result<(), Error> {
        if let Some(writer) = self.writer.take() {
            open.add_rows(&part_name(self.name, self.part), writer)?;
        }
        Ok(())
    }
}
