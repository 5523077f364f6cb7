use arrow::array::RecordBatch;
use arrow::datatypes::{FieldRef, SchemaRef};

/// What must hold of the values of a row type, beyond their column types. Checked on writing and on reading.
pub trait Checks {
    /// What is wrong with this row by itself (a price below 0), if anything. Numbers that are not finite are refused for every
    /// type by [`Row::valid`].
    fn check(&self) -> Result<(), String> {
        Ok(())
    }

    /// What is wrong with this row coming after `previous` (unsorted, duplicate), if anything.
    fn follows(&self, _previous: &Self) -> Result<(), String> {
        Ok(())
    }
}

/// A row type: the contract of one kind of file. Made by the `rows!` macro only.
pub trait Row: Checks + Sized + Send + 'static {
    /// The name in the file's metadata.
    const NAME: &'static str;
    /// Raised when the columns or their meaning change.
    const VERSION: u32;
    /// Whether a file without rows is in order (refused rows may be none; prices may not).
    const MAY_BE_EMPTY: bool;
    /// The Arrow fields, in column order.
    fn fields() -> Vec<FieldRef>;
    /// Rows as one batch with the given schema (fields as above, metadata added by the writer).
    fn to_batch(rows: &[Self], schema: &SchemaRef) -> Result<RecordBatch, arrow::error::ArrowError>;
    /// Rows of a batch whose columns are already in order and of the right type.
    /// The error names the column and the index within the batch.
    fn from_batch(batch: &RecordBatch) -> Result<Vec<Self>, (&'static str, crate::ColumnError)>;
    /// The first column that holds NaN or an infinite number, and that number.
    fn not_finite(&self) -> Option<(&'static str, f64)>;

    /// What is wrong with this row by itself: a number that is none, or a broken rule of its type.
    ///
    /// # Errors
    /// In words; [`crate::one_line`] makes one line of them, whatever the row's texts hold.
    fn valid(&self) -> Result<(), String> {
        match self.not_finite() {
            Some((column, value)) => {
                Err(format!("{column} is {value}, not a number; leave a value that is not defined out"))
            }
            None => self.check(),
        }
    }
}

/// Defines row types: the struct, its Arrow fields and the conversion both ways from one list of fields.
macro_rules! rows {
    ($($(#[$meta:meta])* $name:ident = $text:literal, version $version:literal, $empty:ident {
        $($(#[$fmeta:meta])* $field:ident: $type:ty),+ $(,)?
    })+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        pub struct $name { $($(#[$fmeta])* pub $field: $type),+ }

        impl $crate::Row for $name {
            const NAME: &'static str = $text;
            const VERSION: u32 = $version;
            const MAY_BE_EMPTY: bool = $crate::row::rows!(@empty $empty);
            fn fields() -> Vec<arrow::datatypes::FieldRef> {
                vec![$(std::sync::Arc::new(arrow::datatypes::Field::new(
                    stringify!($field), <$type as $crate::Column>::data_type(), <$type as $crate::Column>::NULLABLE))),+]
            }
            fn to_batch(rows: &[Self], schema: &arrow::datatypes::SchemaRef)
                -> Result<arrow::array::RecordBatch, arrow::error::ArrowError> {
                arrow::array::RecordBatch::try_new(schema.clone(),
                    vec![$(<$type as $crate::Column>::to_array(rows.iter().map(|r| &r.$field))),+])
            }
            fn from_batch(batch: &arrow::array::RecordBatch) -> Result<Vec<Self>, (&'static str, $crate::ColumnError)> {
                let mut columns = batch.columns().iter();
                $(let mut $field = columns.next()
                    .map_or_else(|| Ok(Vec::new()), |c| <$type as $crate::Column>::from_array(c))
                    .map_err(|e| (stringify!($field), e))?.into_iter();)+
                Ok((0..batch.num_rows()).map_while(|_| Some(Self { $($field: $field.next()?),+ })).collect())
            }
            fn not_finite(&self) -> Option<(&'static str, f64)> {
                $(if let Some(value) = $crate::Column::not_finite(&self.$field) {
                    return Some((stringify!($field), value));
                })+
                None
            }
        }
    )+};
    (@empty may_be_empty) => { true };
    (@empty not_empty) => { false };
}
pub(crate) use rows;
