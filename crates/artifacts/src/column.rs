use crate::Timestamp;
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float32Array, Float64Array, Int64Array, ListArray, ListBuilder,
    StringArray, TimestampMicrosecondArray, UInt32Array, UInt32Builder, UInt64Array,
};
use arrow::datatypes::{
    DataType, Field, Float32Type, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType, UInt32Type, UInt64Type,
};
use std::sync::Arc;

/// A value that a column of a row type can hold.
pub trait Column: Sized {
    /// Whether the Arrow field is nullable.
    const NULLABLE: bool = false;
    /// The Arrow type of the column.
    fn data_type() -> DataType;
    /// All values of the column as one array.
    fn to_array<'a>(values: impl Iterator<Item = &'a Self>) -> ArrayRef
    where
        Self: 'a;
    /// The values of an array whose type is already checked.
    fn from_array(array: &dyn Array) -> Result<Vec<Self>, ColumnError>;
    /// The value where it is a number that no figure may be: NaN or infinite.
    fn not_finite(&self) -> Option<f64> {
        None
    }
}

/// Which value of a column cannot be read, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnError {
    /// Index within the array.
    pub row: usize,
    /// What is wrong with the value.
    pub message: String,
}

fn no_nulls(array: &dyn Array) -> Result<(), ColumnError> {
    match (0..array.len()).find(|&i| array.is_null(i)) {
        Some(row) => Err(ColumnError { row, message: "null, but the column is required".into() }),
        None => Ok(()),
    }
}

macro_rules! primitive_column {
    ($($type:ty, $arrow:ident, $primitive:ident, $data_type:expr, $not_finite:expr;)*) => {$(
        impl Column for $type {
            fn data_type() -> DataType { $data_type }
            fn to_array<'a>(values: impl Iterator<Item = &'a Self>) -> ArrayRef {
                Arc::new($arrow::from_iter_values(values.copied()))
            }
            fn from_array(array: &dyn Array) -> Result<Vec<Self>, ColumnError> {
                no_nulls(array)?;
                Ok(array.as_primitive::<$primitive>().values().to_vec())
            }
            fn not_finite(&self) -> Option<f64> { $not_finite(*self) }
        }
        impl Column for Option<$type> {
            const NULLABLE: bool = true;
            fn data_type() -> DataType { $data_type }
            fn to_array<'a>(values: impl Iterator<Item = &'a Self>) -> ArrayRef {
                Arc::new(values.copied().collect::<$arrow>())
            }
            fn from_array(array: &dyn Array) -> Result<Vec<Self>, ColumnError> {
                Ok(array.as_primitive::<$primitive>().iter().collect())
            }
            fn not_finite(&self) -> Option<f64> { self.and_then($not_finite) }
        }
    )*};
}
primitive_column! {
    f64, Float64Array, Float64Type, DataType::Float64, |v: f64| Some(v).filter(|v| !v.is_finite());
    f32, Float32Array, Float32Type, DataType::Float32, |v: f32| Some(f64::from(v)).filter(|v| !v.is_finite());
    i64, Int64Array, Int64Type, DataType::Int64, |_| None;
    u32, UInt32Array, UInt32Type, DataType::UInt32, |_| None;
    u64, UInt64Array, UInt64Type, DataType::UInt64, |_| None;
}

impl Column for bool {
    fn data_type() -> DataType {
        DataType::Boolean
    }
    fn to_array<'a>(values: impl Iterator<Item = &'a Self>) -> ArrayRef {
        Arc::new(values.copied().map(Some).collect::<BooleanArray>())
    }
    fn from_array(array: &dyn Array) -> Result<Vec<Self>, ColumnError> {
        no_nulls(array)?;
        Ok(array.as_boolean().values().iter().collect())
    }
}

impl Column for String {
    fn data_type() -> DataType {
        DataType::Utf8
    }
    fn to_array<'a>(values: impl Iterator<Item = &'a Self>) -> ArrayRef {
        Arc::new(StringArray::from_iter_values(values))
    }
    fn from_array(array: &dyn Array) -> Result<Vec<Self>, ColumnError> {
        no_nulls(array)?;
        Ok(array.as_string::<i32>().iter().flatten().map(str::to_owned).collect())
    }
}

impl Column for Option<String> {
    const NULLABLE: bool = true;
    fn data_type() -> DataType {
        DataType::Utf8
    }
    fn to_array<'a>(values: impl Iterator<Item = &'a Self>) -> ArrayRef {
        Arc::new(values.map(Option::as_deref).collect::<StringArray>())
    }
    fn from_array(array: &dyn Array) -> Result<Vec<Self>, ColumnError> {
        Ok(array.as_string::<i32>().iter().map(|v| v.map(str::to_owned)).collect())
    }
}

impl Column for Timestamp {
    fn data_type() -> DataType {
        DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
    }
    fn to_array<'a>(values: impl Iterator<Item = &'a Self>) -> ArrayRef {
        Arc::new(TimestampMicrosecondArray::from_iter_values(values.map(|t| t.micros())).with_timezone("UTC"))
    }
    fn from_array(array: &dyn Array) -> Result<Vec<Self>, ColumnError> {
        no_nulls(array)?;
        let values = array.as_primitive::<TimestampMicrosecondType>().values();
        Ok(values.iter().map(|&v| Timestamp::from_micros(v)).collect())
    }
}

impl Column for Option<Timestamp> {
    const NULLABLE: bool = true;
    fn data_type() -> DataType {
        Timestamp::data_type()
    }
    fn to_array<'a>(values: impl Iterator<Item = &'a Self>) -> ArrayRef {
        let micros: TimestampMicrosecondArray = values.map(|t| t.map(Timestamp::micros)).collect();
        Arc::new(micros.with_timezone("UTC"))
    }
    fn from_array(array: &dyn Array) -> Result<Vec<Self>, ColumnError> {
        let values = array.as_primitive::<TimestampMicrosecondType>();
        Ok(values.iter().map(|v| v.map(Timestamp::from_micros)).collect())
    }
}

/// The item field of a list column: items are never null.
fn item(data_type: DataType) -> Arc<Field> {
    Arc::new(Field::new("item", data_type, false))
}

fn lists<T: Column>(array: &dyn Array) -> Result<Vec<Vec<T>>, ColumnError> {
    no_nulls(array)?;
    let list: &ListArray = array.as_list();
    (0..list.len()).map(|row| T::from_array(&list.value(row)).map_err(|e| ColumnError { row, ..e })).collect()
}

impl Column for Vec<u32> {
    fn data_type() -> DataType {
        DataType::List(item(DataType::UInt32))
    }
    fn to_array<'a>(values: impl Iterator<Item = &'a Self>) -> ArrayRef {
        let mut builder = ListBuilder::new(UInt32Builder::new()).with_field(item(DataType::UInt32));
        for value in values {
            builder.values().append_slice(value);
            builder.append(true);
        }
        Arc::new(builder.finish())
    }
    fn from_array(array: &dyn Array) -> Result<Vec<Self>, ColumnError> {
        lists(array)
    }
}

impl Column for Vec<bool> {
    fn data_type() -> DataType {
        DataType::List(item(DataType::Boolean))
    }
    fn to_array<'a>(values: impl Iterator<Item = &'a Self>) -> ArrayRef {
        let mut builder = ListBuilder::new(arrow::array::BooleanBuilder::new()).with_field(item(DataType::Boolean));
        for value in values {
            builder.values().append_slice(value);
            builder.append(true);
        }
        Arc::new(builder.finish())
    }
    fn from_array(array: &dyn Array) -> Result<Vec<Self>, ColumnError> {
        lists(array)
    }
}

impl Column for Vec<String> {
    fn data_type() -> DataType {
        DataType::List(item(DataType::Utf8))
    }
    fn to_array<'a>(values: impl Iterator<Item = &'a Self>) -> ArrayRef {
        let mut builder = ListBuilder::new(arrow::array::StringBuilder::new()).with_field(item(DataType::Utf8));
        for value in values {
            for text in value {
                builder.values().append_value(text);
            }
            builder.append(true);
        }
        Arc::new(builder.finish())
    }
    fn from_array(array: &dyn Array) -> Result<Vec<Self>, ColumnError> {
        lists(array)
    }
}

/// A closed set of names stored as text: the enum, its spelling, its parser (whose error lists the choices), its column.
macro_rules! text_enum {
    ($(#[$meta:meta])* $name:ident, $what:literal { $($(#[$vmeta:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$vmeta])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            /// Every value, in the order of definition.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The spelling in files and reports.
            pub const fn as_str(self) -> &'static str { match self { $(Self::$variant => $text),+ } }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.pad(self.as_str()) }
        }
        impl std::str::FromStr for $name {
            type Err = $crate::Error;
            fn from_str(value: &str) -> Result<Self, Self::Err> {
                match value {
                    $($text => Ok(Self::$variant),)+
                    _ => Err($crate::Error::UnknownValue { what: $what, value: value.to_owned(), choices: [$($text),+].join(", ") }),
                }
            }
        }
        impl $crate::Column for $name {
            fn data_type() -> arrow::datatypes::DataType { arrow::datatypes::DataType::Utf8 }
            fn to_array<'a>(values: impl Iterator<Item = &'a Self>) -> arrow::array::ArrayRef {
                std::sync::Arc::new(arrow::array::StringArray::from_iter_values(values.map(|v| v.as_str())))
            }
            fn from_array(array: &dyn arrow::array::Array) -> Result<Vec<Self>, $crate::ColumnError> {
                <String as $crate::Column>::from_array(array)?.iter().enumerate()
                    .map(|(row, v)| v.parse().map_err(|e: $crate::Error| $crate::ColumnError { row, message: e.to_string() }))
                    .collect()
            }
        }
        impl $crate::Column for Option<$name> {
            const NULLABLE: bool = true;
            fn data_type() -> arrow::datatypes::DataType { arrow::datatypes::DataType::Utf8 }
            fn to_array<'a>(values: impl Iterator<Item = &'a Self>) -> arrow::array::ArrayRef {
                std::sync::Arc::new(values.map(|v| v.map($name::as_str)).collect::<arrow::array::StringArray>())
            }
            fn from_array(array: &dyn arrow::array::Array) -> Result<Vec<Self>, $crate::ColumnError> {
                <Option<String> as $crate::Column>::from_array(array)?.iter().enumerate()
                    .map(|(row, v)| v.as_deref().map(str::parse).transpose()
                        .map_err(|e: $crate::Error| $crate::ColumnError { row, message: e.to_string() }))
                    .collect()
            }
        }
    };
}
pub(crate) use text_enum;
